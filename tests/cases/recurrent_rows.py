"""Recurrent layers over the rows of an image, as over the steps of a series."""

import tensorflow as tf

layers = tf.keras.layers


def rows(input_shape):
    """The image as a sequence of its rows."""
    height, width, channels = input_shape
    image = layers.Input(input_shape)
    return image, layers.Reshape((height, width * channels))(image)


def build(input_shape, classes):
    """One rolled LSTM."""
    image, x = rows(input_shape)
    x = layers.LSTM(32)(x)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def build_stacked(input_shape, classes):
    """A bidirectional GRU that hands its sequence to an LSTM."""
    image, x = rows(input_shape)
    x = layers.Bidirectional(layers.GRU(16, return_sequences=True))(x)
    x = layers.LSTM(32)(x)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))
