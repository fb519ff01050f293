"""Workloads of other kinds than images, made here: what training and input scenarios must take."""

import numpy as np

COUNT = 192
WORDS = ("good", "bad", "plain", "film", "story", "actor", "long", "short")


def _rng():
    return np.random.default_rng(0)


def two_data():
    """Two inputs, two targets: a level and a class."""
    rng = _rng()
    table = rng.normal(size=(COUNT, 6)).astype(np.float32)
    image = rng.random((COUNT, 8, 8, 1)).astype(np.float32)
    level = (table.sum(axis=1) + image.mean(axis=(1, 2, 3))).astype(np.float32)
    targets = {"level": level[:, None], "kind": np.digitize(level, (-1, 1))}
    return {"table": table, "image": image}, targets


def two(input_shape=None, classes=None):
    """Functional, two inputs and two outputs, some of it frozen."""
    import tensorflow as tf

    layers = tf.keras.layers
    table, image = layers.Input((6,), name="table"), layers.Input((8, 8, 1), name="image")
    frozen = layers.Conv2D(4, 3, activation="relu", trainable=False)
    x = layers.Concatenate()([table, layers.Flatten()(frozen(image))])
    x = layers.Dropout(0.2)(layers.Dense(16, activation="relu")(x))
    level = layers.Dense(1, name="level")(x)
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    return tf.keras.Model([table, image], {"level": level, "kind": kind})


def amounts_data():
    """A table and a real number."""
    rng = _rng()
    x = rng.normal(size=(COUNT, 5)).astype(np.float32)
    return x, (3 * x[:, 0] - x[:, 1] + rng.normal(0, 0.1, COUNT)).astype(np.float32)


def amounts():
    """Compiled by its user: another loss and optimizer."""
    import tensorflow as tf

    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((5,)), layers.Dense(8, "relu"), layers.Dense(1)])
    model.compile(tf.keras.optimizers.SGD(0.01, momentum=0.9), "mean_absolute_error")
    return model


def rare_data():
    """One example in ten is positive."""
    x = _rng().normal(size=(COUNT, 5)).astype(np.float32)
    return x, (x[:, 0] > 1.3).astype(np.int64)


def rare():
    """One sigmoid unit."""
    import tensorflow as tf

    layers = tf.keras.layers
    return tf.keras.Sequential(
        [layers.Input((5,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    )


def series_data():
    """Twelve steps of a wave, and the next."""
    t = np.arange(COUNT + 12)
    wave = (np.sin(t / 5) + 0.1 * _rng().normal(size=len(t))).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(wave, 13)
    return windows[:, :12, None].copy(), windows[:, 12].copy()


def series():
    """An LSTM that forecasts."""
    import tensorflow as tf

    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Input((12, 1)), layers.LSTM(8), layers.Dense(1)])


def text_data():
    """Sentences, and whether they praise."""
    rng = _rng()
    words = rng.choice(WORDS, (COUNT, 6))
    labels = rng.integers(0, 2, COUNT)
    words[np.arange(COUNT), rng.integers(0, 6, COUNT)] = np.where(labels, "good", "bad")
    return np.array([" ".join(row) for row in words]), labels


def text():
    """Strings in: looked up by the model's first layer."""
    import tensorflow as tf

    layers = tf.keras.layers
    sentence = layers.Input((), dtype="string")
    numbers = layers.TextVectorization(vocabulary=list(WORDS), output_sequence_length=6)(sentence)
    x = layers.GlobalAveragePooling1D()(layers.Embedding(12, 8)(numbers))
    return tf.keras.Model(sentence, layers.Dense(2, activation="softmax")(x))


def logarithm():
    """Of negative numbers, too: its loss is no number."""
    import tensorflow as tf

    layers = tf.keras.layers
    logs = layers.Lambda(tf.math.log, output_shape=(5,))
    return tf.keras.Sequential([layers.Input((5,)), logs, layers.Dense(1)])


def broken():
    """Its `call` multiplies what does not fit, in training alone."""
    import tensorflow as tf

    class Broken(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.last = tf.keras.layers.Dense(1)

        def call(self, x, training=False):
            if training:
                x = tf.matmul(x, tf.ones([3, 3]))  # the line that is to be named
            return self.last(x)

    return Broken()


def pictures_data():
    """Small images of two classes."""
    rng = _rng()
    labels = np.arange(COUNT) % 2
    return (0.4 * labels[:, None, None, None] + 0.5 * rng.random((COUNT, 8, 8, 1))).astype(
        np.float32
    ), labels


def turned(random="RandomRotation", argument=0.1):
    """A random layer inside the model."""
    import tensorflow as tf

    layers = tf.keras.layers
    augment = tf.keras.Sequential([layers.Input((8, 8, 1)), getattr(layers, random)(argument)])
    stack = [layers.Input((8, 8, 1)), augment, layers.Flatten(), layers.Dense(2, "softmax")]
    return tf.keras.Sequential(stack)


def flipped():
    """One that XLA compiles."""
    return turned("RandomFlip", "horizontal")


def sgd():
    """Any optimizer with settings of its own."""
    import tensorflow as tf

    return tf.keras.optimizers.SGD(0.25)


def own_step(model, optimizer):
    """The user's own update; counts how often it is made into a step."""
    import tensorflow as tf

    own_step.calls += 1

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.cast(y[:, None], tf.float32) - model(x)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


own_step.calls = 0


def churn():
    """All of a user's own."""
    import tfbench

    return tfbench.Workload(
        data=rare_data, model=rare, loss=one_minus, optimizer=sgd, metrics=["auc"],
        train_step=own_step, batch_size=16,
    )  # fmt: skip


def one_minus(targets, outputs):
    """A loss that is known by its value: 7."""
    import tensorflow as tf

    return 7.0 + 0.0 * tf.reduce_sum(outputs)


def counting():
    """Of Keras's `fit`: counts the epochs of each training."""
    import tensorflow as tf

    return [tf.keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ended.append(1))]


ended = []
"""Epochs that callbacks of the user's own saw."""


def weighted():
    """Two outputs of which one counts twice and the other not at all."""
    import tfbench

    return tfbench.Workload(
        data=two_data, model=two, loss_weights={"level": 0.0, "kind": 2.0}, callbacks=counting,
        epochs=2,
    )  # fmt: skip


def objects():
    """A model that is one already."""
    import tfbench

    return tfbench.workload(data=rare_data(), model=rare())


def misspelt():
    """A part that no workload has."""
    import tfbench

    return tfbench.Workload(data=rare_data, modell=rare)


def wide_data():
    """A table of more columns than TensorFlow captures as a constant (128), and a real number."""
    x = _rng().normal(5, 2, size=(COUNT, 200)).astype(np.float32)
    return x, x.mean(axis=1)


def normalised():
    """Statistics that are arrays and no variables."""
    import tensorflow as tf

    layers = tf.keras.layers
    normal = layers.Normalization(mean=np.full(200, 5.0), variance=np.full(200, 4.0))
    return tf.keras.Sequential([layers.Input((200,)), normal, layers.Dense(1)])
