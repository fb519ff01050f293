"""Other architectures trained by the plain compiled step."""

import itertools

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.comparable import all_layers
from scenarios.core.graphs import traced_once
from scenarios.core.training import compiled_path
from scenarios.train.tools import blocks


@scenario(baseline="train/function", needs=("architecture:free", "trainable"))
def separable(workload: Workload) -> TrainingPath:
    """Depthwise separable convolutions: 3×3 depthwise, then 1×1."""
    model = workload.model(blocks.separable(workload))
    return compiled_path(workload, model, proof=lambda: layers_of(model, "Depthwise", "Separable"))


@scenario(baseline="train/function", needs=("architecture:free", "trainable"), suite="full")
def residual(workload: Workload) -> TrainingPath:
    """Residual blocks: conv, bn, relu, conv, bn, added to their input."""
    model = workload.model(blocks.residual(workload))
    return compiled_path(workload, model, proof=lambda: layers_of(model, "Add"))


@scenario(baseline="train/function", needs=("architecture:free", "trainable"), suite="full")
def squeeze_excitation(workload: Workload) -> TrainingPath:
    """Squeeze-and-excitation: each channel times a gate computed from all channels' means."""
    model = workload.model(blocks.squeeze_excitation(workload))
    return compiled_path(workload, model, proof=lambda: layers_of(model, "Multiply"))


@scenario(baseline="train/function", needs=("architecture:free", "trainable"), suite="full")
def attention(workload: Workload) -> TrainingPath:
    """The reference guide's custom attention layer over the places of the last feature map."""
    model = workload.model(blocks.attention(workload))
    return compiled_path(workload, model, proof=lambda: layers_of(model, "SelfAttention"))


@scenario(
    baseline="train/function",
    needs=("model:copyable", "trainable"),
    follows="float32",
    suite="full",
)
def subclassed(workload: Workload) -> TrainingPath:
    """A custom Model: its layers are kept by __init__ and called one after the other by call."""
    chain = chain_of(workload.model())

    class Classifier(tf.keras.Model):
        def __init__(self, stages):
            super().__init__()
            self.stages = stages

        def call(self, x):
            for stage in self.stages:
                x = stage(x)  # Keras hands `training` on to those that take it
            return x

    model = Classifier(chain)
    model(next(workload.batches())[0])

    def proof():
        if hasattr(model, "_functional") or type(model).call is tf.keras.Model.call:
            raise NotEngaged("the model is not a subclass with its own call")
        return {"class": type(model).__name__, "stages": len(model.stages)}

    return compiled_path(workload, model, proof=proof)


@scenario(
    baseline="train/function",
    needs=("architecture:free", "data:images", "data:labels", "task:classification", "trainable"),
    suite="full",
)
def multi_io(workload: Workload) -> TrainingPath:
    """Two inputs (image, its brightness) and two outputs (class, whether it is a late class)."""
    features = workload.model()
    heads = [layer for layer in features.layers if type(layer) is tf.keras.layers.Dense]
    if not heads:
        raise Unsupported("the model has no dense layer that names the class")
    image = tf.keras.Input(workload.data.input_shape, name="image")
    brightness = tf.keras.Input((2,), name="brightness")
    hidden = tf.keras.Model(features.inputs[0], heads[-1].input)(image)
    joined = tf.keras.layers.Concatenate()([hidden, brightness])
    named = tf.keras.layers.Dense(workload.data.classes, activation="softmax", name="class")
    late = tf.keras.layers.Dense(1, activation="sigmoid", name="late")
    model = tf.keras.Model([image, brightness], [named(joined), late(joined)])
    optimizer = workload.optimizer(model)
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy()
    binary = tf.keras.losses.BinaryCrossentropy()

    @tf.function
    def train_step(x, extra, y, is_late):
        with tf.GradientTape() as tape:
            classes, late = model([x, extra], training=True)
            loss = cross_entropy(y, classes) + 0.3 * binary(is_late, late) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def brightness_of(x):
        return tf.stack([tf.reduce_mean(x, [1, 2, 3]), tf.math.reduce_std(x, [1, 2, 3])], axis=1)

    half = workload.data.classes // 2
    batches = [
        (tf.constant(x), brightness_of(x), tf.constant(y), tf.constant((y >= half)[:, None]))
        for x, y in workload.epoch()
    ]
    return TrainingPath(
        model,
        train_step,
        workload.batch_size,
        batches=itertools.cycle(batches),
        predict=lambda x: model([tf.constant(x), brightness_of(x)], training=False)[0].numpy(),
        proof=lambda: (
            traced_once(train_step) | {"inputs": len(model.inputs), "outputs": len(model.outputs)}
        ),
    )


def chain_of(model) -> list[tf.keras.layers.Layer]:
    """The layers of a functional or Sequential model that follow one another, without its input.

    Raises:
        Unsupported: They do not.
    """
    chain = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    last = model.inputs[0] if len(model.inputs or ()) == 1 else None
    for layer in chain:
        nodes = layer._inbound_nodes
        if not nodes or [id(t) for t in nodes[-1].input_tensors] != [id(last)]:
            raise Unsupported(
                f"layer {layer.name!r} does not follow the one before it: a model that is no chain "
                "of layers needs a subclass of its own"
            )
        last = nodes[-1].output_tensors[0]
    return chain


def layers_of(model, *kinds: str) -> dict[str, int]:
    """Proof that the model holds layers whose class name starts with one of `kinds`."""
    names = [type(layer).__name__ for layer in all_layers(model)]
    found = {name: names.count(name) for name in sorted(set(names)) if name.startswith(kinds)}
    if not found:
        raise NotEngaged(f"the model holds no {' or '.join(kinds)} layer")
    return found
