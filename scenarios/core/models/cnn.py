"""The default CNN and the building blocks of its variants, in the API Keras 2 and 3 share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

Block = Callable[[Any, int, str], Any]
BATCH_NORM_MOMENTUM = 0.9  # 0.99 needs hundreds of steps; small data has some 30 an epoch


def cnn(input_shape: tuple[int, ...], classes: int, block: Block | None = None) -> tf.keras.Model:
    """The default CNN: three convolutions (32, 64, 128), pooling, dense 128, dropout, softmax.

    Args:
        input_shape: (H, W, C).
        classes: Number of classes; the output is [N, classes] probabilities.
        block: Replaces the plain 3×3 convolution: `block(x, filters, name)` → features.
    """
    layers = tf.keras.layers
    block = block or convolution
    inputs = x = layers.Input(shape=input_shape, name="image")
    for i, filters in enumerate((32, 64, 128), start=1):
        x = block(x, filters, f"{i}")
        if i < 3:
            x = layers.MaxPooling2D(2, padding="same", name=f"max_pool_{i}")(x)
    x = layers.GlobalAveragePooling2D(name="average_pool")(x)
    x = layers.Dense(128, activation="relu", kernel_initializer="he_normal", name="dense_1")(x)
    x = layers.Dropout(0.5, seed=1, name="dropout")(x)
    x = layers.Dense(classes, name="logits")(x)
    # float32 whatever the policy: a float16 softmax over- and underflows.
    outputs = layers.Activation("softmax", dtype="float32", name="softmax")(x)
    return tf.keras.Model(inputs, outputs, name="cnn")


def normalised(x: Any, name: str, relu: bool = True) -> Any:
    """Batch normalisation, then relu."""
    norm = tf.keras.layers.BatchNormalization
    x = norm(momentum=BATCH_NORM_MOMENTUM, name=f"batch_norm_{name}")(x)
    return tf.keras.layers.ReLU(name=f"relu_{name}")(x) if relu else x


def convolution(x: Any, filters: int, name: str) -> Any:
    """3×3 convolution, batch normalisation, relu."""
    x = tf.keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"conv2d_{name}",
    )(x)
    return normalised(x, name)
