"""Networks in the two forms for which LiteRT has sparse float kernels, and what these need."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core.models import normalised


def dense_classifier(input_shape: tuple[int, ...], classes: int) -> tf.keras.Model:
    """A network of fully connected layers: 256, 128, classes.

    LiteRT's own FULLY_CONNECTED skips zero blocks of a kernel stored in blocks of 1×4.
    """
    layers = tf.keras.layers
    inputs = layers.Input(shape=input_shape, name="image")
    x = layers.Flatten(name="flatten")(inputs)
    for i, units in enumerate((256, 128), start=1):
        x = layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"dense_{i}"
        )(x)
    x = layers.Dense(classes, name="logits")(x)
    outputs = layers.Activation("softmax", dtype="float32", name="softmax")(x)
    return tf.keras.Model(inputs, outputs, name="dense_classifier")


def pointwise_network(input_shape: tuple[int, ...], classes: int) -> tf.keras.Model:
    """A network of 1×1 convolutions in the only form that XNNPACK's sparse kernels take.

    XNNPACK rewrites a part of the graph to channels-first when it begins with a 3×3 convolution of
    stride 2 over 3 channels, padded by 1 on each side, goes on with 1×1 and padded 3×3 depthwise
    convolutions, and ends in global average pooling (`xnn_subgraph_rewrite_for_nchw`).
    """
    if input_shape[-1] != 3:
        raise Unsupported(f"XNNPACK's sparse kernels need 3 input channels, not {input_shape[-1]}")
    layers = tf.keras.layers
    inputs = layers.Input(shape=input_shape, name="image")
    x = layers.ZeroPadding2D(1, name="stem_padding")(inputs)
    x = layers.Conv2D(
        32, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem"
    )(x)
    x = normalised(x, "stem")
    for i, filters in enumerate((128, 128, 256), start=1):
        x = layers.DepthwiseConv2D(
            3, padding="same", use_bias=False, name=f"depthwise_{i}"
        )(x)  # fmt: skip
        x = normalised(x, f"depthwise_{i}")
        x = layers.Conv2D(
            filters, 1, use_bias=False, kernel_initializer="he_normal", name=f"pointwise_{i}"
        )(x)
        x = normalised(x, f"pointwise_{i}")
    x = layers.GlobalAveragePooling2D(keepdims=True, name="average_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(classes, name="logits")(x)
    outputs = layers.Activation("softmax", dtype="float32", name="softmax")(x)
    return tf.keras.Model(inputs, outputs, name="pointwise_network")


def converter(model: Any, input_shape: tuple[int, ...]) -> Any:
    """A LiteRT converter of `model` for one example at a time.

    A batch size left open would put shape arithmetic around each Flatten.
    """
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec([1, *input_shape], tf.float32))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)


def xnnpack_has_sparse_kernels(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Do nothing where XNNPACK uses its sparse kernels.

    On x86 it has them in SSE only and leaves them off where AVX is there
    (`xnn_is_chw_compatible_config` in its hardware-config.h). Seen in a profile: the same dense
    AVX512 kernels run a file stored sparse, and its outputs are equal to the last bit.

    Raises:
        Unsupported: This processor has AVX.
    """
    if platform.machine().lower() not in {"x86_64", "amd64", "i686", "i386"}:
        return
    flags = cpuinfo.read_text().split() if cpuinfo.exists() else ["avx"]
    if "avx" in flags:
        raise Unsupported(
            "XNNPACK leaves its sparse kernels off on x86 processors with AVX (it has them in SSE "
            "only and expects dense AVX kernels to be faster): run it on an ARM processor; "
            "infer/sparse uses LiteRT's own block-sparse kernel, which runs here"
        )
