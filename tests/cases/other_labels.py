"""Labels that are no class numbers: real numbers, one-hot rows, several tags."""

import tensorflow as tf

layers = tf.keras.layers


def trunk(input_shape):
    """Input and pooled features."""
    image = layers.Input(input_shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(image)
    return image, layers.GlobalAveragePooling2D()(x)


def build(input_shape, classes):
    """A classifier."""
    image, x = trunk(input_shape)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def build_tags(input_shape, classes):
    """One sigmoid unit a tag."""
    image, x = trunk(input_shape)
    return tf.keras.Model(image, layers.Dense(classes, activation="sigmoid")(x))


def build_regression(input_shape):
    """One linear unit."""
    image, x = trunk(input_shape)
    return tf.keras.Model(image, layers.Dense(1)(x))
