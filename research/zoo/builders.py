"""Models of the kinds that people bring, small enough to be trained in seconds."""

from __future__ import annotations

import tensorflow as tf

from research.zoo import data

layers = tf.keras.layers


class Sharpened(tf.keras.Model):
    """A subclassed classifier with a weight that belongs to none of its layers."""

    def __init__(self, classes):
        super().__init__()
        self.first = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")
        self.second = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(classes)
        self.sharpness = self.add_weight(name="sharpness", shape=(), initializer="ones")

    def call(self, image):
        """Class probabilities."""
        logits = self.head(self.pool(self.second(self.first(image))))
        return tf.nn.softmax(logits * tf.cast(self.sharpness, logits.dtype))


def subclassed(classes):
    """Built when it is first called on data."""
    return Sharpened(classes)


def two_inputs_two_outputs():
    """A picture and some numbers in; a class and a real number out."""
    picture = layers.Input((24, 24, 1), name="picture")
    numbers = layers.Input((6,), name="numbers")
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(picture)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), numbers])
    x = layers.Dense(32, activation="relu")(x)
    outputs = {
        "kind": layers.Dense(4, activation="softmax", name="kind")(x),
        "amount": layers.Dense(1, name="amount")(x),
    }
    return tf.keras.Model([picture, numbers], outputs)


def nested_backbone(input_shape, classes):
    """A backbone as one layer; its first convolution and normalisation are frozen."""
    image = layers.Input(input_shape)
    x = image
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    backbone = tf.keras.Model(image, x, name="backbone")
    for layer in backbone.layers[:3]:
        layer.trainable = False
    return tf.keras.Sequential(
        [
            layers.Input(input_shape),
            backbone,
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def text_transformer(classes):
    """Strings in: a look-up, embeddings of words and places, one transformer block, a head."""
    length, width, words = 48, 32, 4000
    lookup = layers.TextVectorization(max_tokens=words, output_sequence_length=length)
    lookup.adapt(data.docstrings()[0])
    text = layers.Input((1,), dtype="string", name="text")
    x = layers.Embedding(words, width)(lookup(text))
    x = x + layers.Embedding(length, width)(tf.range(length))
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=16)(x, x)
    x = layers.LayerNormalization()(x + attended)
    inner = layers.Dense(width)(layers.Dense(64, activation="relu")(x))
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x + inner))
    return tf.keras.Model(text, layers.Dense(classes, activation="softmax")(x))


def forecaster():
    """The next value of a series from the last ones: one LSTM, compiled for regression."""
    model = tf.keras.Sequential(
        [layers.Input((data.WINDOW, 1)), layers.LSTM(24), layers.Dense(1)], name="forecaster"
    )
    model.compile(optimizer="adam", loss="mse", metrics=["mae"])
    return model


def unet():
    """A U-Net of two levels, for images of any size divisible by four."""
    image = layers.Input((None, None, 1), name="image")
    skips, x = [], image
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    for filters, skip in zip((16, 8), reversed(skips), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(
            layers.Concatenate()([x, skip])
        )
    return tf.keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(x), name="unet")


def table_regression(input_shape):
    """A small dense network with one linear unit; its normalisation learned from the data."""
    normal = layers.Normalization()
    normal.adapt(data.diabetes()["x"])
    x = inputs = layers.Input(input_shape)
    x = layers.Dense(32, activation="relu")(normal(x))
    x = layers.Dense(32, activation="relu")(x)
    return tf.keras.Model(inputs, layers.Dense(1)(x), name="regression")


def rare_positives(input_shape):
    """One sigmoid unit."""
    normal = layers.Normalization()
    normal.adapt(data.few_malignant()["x"])
    x = inputs = layers.Input(input_shape)
    x = layers.Dense(24, activation="relu")(normal(x))
    return tf.keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x), name="binary")


class Filters(tf.Module):
    """A network of variables and functions, without Keras."""

    def __init__(self):
        super().__init__()
        random = tf.random.Generator.from_seed(1)
        self.kernel = tf.Variable(random.normal((5, 1, 16)) * 0.4, name="kernel")
        self.head = tf.Variable(random.normal((16, 3)) * 0.4, name="head")

    @tf.function(input_signature=[tf.TensorSpec([None, 256, 1], tf.float32, "signal")])
    def classify(self, signal):
        """Scores of three kinds of signal."""
        return {"scores": tf.nn.softmax(self._features(signal) @ self.head)}

    @tf.function(input_signature=[tf.TensorSpec([None, 256, 1], tf.float32, "signal")])
    def embed(self, signal):
        """Features of a signal, and its energy."""
        return {"features": self._features(signal), "energy": tf.reduce_mean(signal**2, [1, 2])}

    def _features(self, signal):
        x = tf.nn.relu(tf.nn.conv1d(signal, self.kernel, stride=2, padding="SAME"))
        return tf.reduce_mean(x, axis=1)


def write_two_signatures(path):
    """The module as a SavedModel with the signatures `classify` and `embed`."""
    module = Filters()
    signatures = {"classify": module.classify, "embed": module.embed}
    tf.saved_model.save(module, path, signatures)
