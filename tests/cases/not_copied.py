"""What cannot be copied from its configuration: a lambda, a bare layer, a subclass."""

import numpy as np
import tensorflow as tf

layers = tf.keras.layers


class Blur(layers.Layer):
    """A fixed filter, given as an array; it has no get_config."""

    def __init__(self, taps):
        super().__init__(name="blur")
        self.taps = np.asarray(taps, np.float32)

    def call(self, image):
        """Smoothed, [N, H, W, C]."""
        channels = int(image.shape[-1])
        kernel = np.repeat((self.taps[:, None] * self.taps)[:, :, None, None], channels, axis=2)
        return tf.nn.depthwise_conv2d(image, tf.cast(kernel, image.dtype), [1, 1, 1, 1], "SAME")

    def compute_output_shape(self, shape):
        """As it comes."""
        return tuple(shape)


def behind(first, input_shape, classes):
    """`first`, then a small network."""
    image = layers.Input(input_shape)
    x = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(first(image))
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(image, layers.Dense(classes, activation="softmax")(x))


def build_lambda(input_shape, classes):
    """Centred by a lambda."""
    return behind(layers.Lambda(lambda x: x - 0.5, name="centre"), input_shape, classes)


def build_bare_layer(input_shape, classes):
    """Smoothed by a layer without configuration."""
    return behind(Blur([0.25, 0.5, 0.25]), input_shape, classes)


class Scaled(tf.keras.Model):
    """Layers, and one weight that belongs to none of them."""

    def __init__(self, classes):
        super().__init__(name="scaled")
        self.first = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")
        self.second = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")
        self.pool = layers.GlobalAveragePooling2D()
        self.out = layers.Dense(classes)
        self.sharpness = self.add_weight(
            name="sharpness", shape=(), initializer=tf.keras.initializers.Constant(3.0)
        )

    def call(self, image, training=False):
        """Class probabilities."""
        logits = self.out(self.pool(self.second(self.first(image))))
        return tf.nn.softmax(logits * tf.cast(self.sharpness, logits.dtype))


def build_subclass(input_shape, classes):
    """Called once, so that its weights exist."""
    model = Scaled(classes)
    model(tf.zeros((1, *input_shape)))
    return model
