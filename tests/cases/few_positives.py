"""Two classes, 4 % of them positive."""

import tensorflow as tf

layers = tf.keras.layers


def trunk(input_shape):
    """Input and pooled features."""
    image = layers.Input(input_shape)
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    return image, layers.GlobalMaxPooling2D()(x)


def build(input_shape):
    """One sigmoid unit."""
    image, x = trunk(input_shape)
    return tf.keras.Model(image, layers.Dense(1, activation="sigmoid")(x))


def build_two(input_shape, classes):
    """One unit a class."""
    image, x = trunk(input_shape)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))
