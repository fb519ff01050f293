"""Two models trained against each other."""

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once

NOISE = 64


@scenario(
    needs=("data:images", "data:train"),
    suite="full",
    variants={
        "": {},
        "eager": {
            "eager": True,
            "scenario": {"baseline": "train/gan", "follows": "float32", "suite": "full"},
        },
    },
)
def gan(workload: Workload, eager: bool = False) -> TrainingPath:
    """Generator and discriminator, each with its own tape, in one tf.function (or run eagerly)."""
    batch = workload.batch_size
    tf.keras.utils.set_random_seed(workload.spec.seed)
    generator, discriminator = (
        make_generator(workload.data.input_shape),
        make_discriminator(workload.data.input_shape),
    )
    rates = {"learning_rate": 2e-4, "beta_1": 0.5}
    generator_optimizer = tf.keras.optimizers.Adam(**rates)
    generator_optimizer.build(generator.trainable_variables)
    discriminator_optimizer = tf.keras.optimizers.Adam(**rates)
    discriminator_optimizer.build(discriminator.trainable_variables)
    real_or_not = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    count = tf.Variable(0, trainable=False)

    def train_step(images, _):
        count.assign_add(1)
        noise = tf.random.stateless_normal([batch, NOISE], [workload.spec.seed, count])
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fakes = generator(noise, training=True)
            real, fake = discriminator(images, training=True), discriminator(fakes, training=True)
            generator_loss = real_or_not(tf.ones_like(fake), fake)
            discriminator_loss = real_or_not(tf.ones_like(real), real) + real_or_not(
                tf.zeros_like(fake), fake
            )
        for tape, loss, model, optimizer in (
            (generator_tape, generator_loss, generator, generator_optimizer),
            (discriminator_tape, discriminator_loss, discriminator, discriminator_optimizer),
        ):
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return generator_loss + discriminator_loss

    step = train_step if eager else tf.function(train_step)

    def proof():
        before = [model.trainable_variables[0].numpy() for model in (generator, discriminator)]
        step(*next(workload.batches()))
        after = [model.trainable_variables[0].numpy() for model in (generator, discriminator)]
        if any((a == b).all() for a, b in zip(after, before, strict=True)):
            raise NotEngaged("a step does not update both models")
        counts = {
            "generator_parameters": generator.count_params(),
            "discriminator_parameters": discriminator.count_params(),
        }
        return counts if eager else counts | traced_once(step)

    return TrainingPath(None, step, examples=batch, batches=workload.batches(), proof=proof)


def make_generator(shape):
    """Noise [N, 64] → images in 0..1, from a quarter of their height and width up."""
    layers = tf.keras.layers
    height, width = -(-shape[0] // 4), -(-shape[1] // 4)
    return tf.keras.Sequential(
        [
            layers.Input((NOISE,)),
            layers.Dense(height * width * 64, activation="relu"),
            layers.Reshape((height, width, 64)),
            layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(shape[2], 4, strides=2, padding="same", activation="sigmoid"),
            layers.CenterCrop(shape[0], shape[1]),
        ],
        name="generator",
    )


def make_discriminator(shape):
    """Images → one logit: above 0 for real."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(32, 4, strides=2, padding="same", activation="leaky_relu"),
            layers.Conv2D(64, 4, strides=2, padding="same", activation="leaky_relu"),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="discriminator",
    )
