"""Random flips, turns and zooms are layers of the model."""

import tensorflow as tf

layers = tf.keras.layers


def behind(random_layers, input_shape, classes):
    """A small network behind random layers."""
    image = layers.Input(input_shape)
    x = tf.keras.Sequential([layers.Input(input_shape), *random_layers], name="augment")(image)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def build(input_shape, classes):
    """XLA has no kernel for the transform that a rotation becomes."""
    random_layers = [
        layers.RandomFlip("horizontal", seed=1),
        layers.RandomRotation(0.03, seed=2),
        layers.RandomZoom(0.1, seed=3),
    ]
    return behind(random_layers, input_shape, classes)


def build_flip_only(input_shape, classes):
    """A flip alone compiles."""
    return behind([layers.RandomFlip("horizontal", seed=1)], input_shape, classes)
