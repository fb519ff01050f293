"""The model maps 0..255 to -1..1 itself, as those of keras.applications do."""

import tensorflow as tf

layers = tf.keras.layers


def build(input_shape, classes):
    """Normalised after each convolution."""
    stack = [layers.Input(input_shape), layers.Rescaling(1 / 127.5, offset=-1.0)]
    for filters in (16, 32):
        stack.append(layers.Conv2D(filters, 3, strides=2, padding="same"))
        stack.append(layers.BatchNormalization(momentum=0.9))
        stack.append(layers.ReLU())
    stack += [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax")]
    return tf.keras.Sequential(stack)
