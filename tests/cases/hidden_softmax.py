"""One classifier in three spellings; in none does the last layer say what its outputs are."""

import tensorflow as tf

layers = tf.keras.layers


def trunk(input_shape):
    """Input and pooled features."""
    image = layers.Input(input_shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    return image, layers.GlobalAveragePooling2D()(x)


def build(input_shape, classes):
    """The softmax is in a model within the model."""
    image, x = trunk(input_shape)
    head = tf.keras.Sequential(
        [layers.Input((32,)), layers.Dense(32, "relu"), layers.Dense(classes, "softmax")]
    )
    return tf.keras.Model(image, head(x))


def build_function(input_shape, classes):
    """The activation is a function of TensorFlow's, under another name."""
    image, x = trunk(input_shape)
    x = layers.Dense(32, activation="relu")(x)
    return tf.keras.Model(image, layers.Dense(classes, activation=tf.nn.softmax)(x))


def build_logits(input_shape, classes):
    """Logits."""
    image, x = trunk(input_shape)
    x = layers.Dense(32, activation="relu")(x)
    return tf.keras.Model(image, layers.Dense(classes)(x))
