"""A pretrained backbone used as one layer, its first block frozen."""

import tensorflow as tf

layers = tf.keras.layers


def backbone(input_shape):
    """Two blocks of convolution, normalisation and ReLU."""
    x = image = layers.Input(input_shape)
    for i, filters in enumerate((16, 32)):
        name = f"block{i}"
        x = layers.Conv2D(
            filters, 3, strides=2, padding="same", use_bias=False, name=f"{name}_conv"
        )(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
    base = tf.keras.Model(image, x, name="backbone")
    for layer in base.layers[:3]:
        layer.trainable = False
    return base


def build(input_shape, classes):
    """The backbone is a layer of a Sequential."""
    return tf.keras.Sequential(
        [
            layers.Input(input_shape),
            backbone(input_shape),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ],
        name="transfer",
    )


def build_flat(input_shape, classes):
    """The head is put on the backbone's output."""
    base = backbone(input_shape)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(base.output))
    return tf.keras.Model(base.input, layers.Dense(classes, activation="softmax")(x))
