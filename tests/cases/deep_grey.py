"""Pictures as instruments write them: one channel, 16 bits, wide; a hidden folder beside them."""

import tensorflow as tf

layers = tf.keras.layers


def build(input_shape, classes):
    """Refuses whatever is not 20×48 in one channel, and three classes."""
    if input_shape != (20, 48, 1) or classes != 3:
        raise ValueError(f"made for (20, 48, 1) and 3 classes, got {input_shape} and {classes}")
    return tf.keras.Sequential(
        [
            layers.Input(input_shape),
            layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes, activation="softmax"),
        ]
    )
