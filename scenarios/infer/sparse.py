"""Pruned networks in forms whose zeros a kernel really skips, and their dense twins."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.models import normalised
from scenarios.infer.tools import stored
from scenarios.infer.tools import tfmot as tools
from scenarios.infer.tools.deploy import trained_variant
from scenarios.infer.tools.litert import litert_path


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "data:images",
        "data:labels",
        "task:classification",
        "trainable",
        "architecture:free",
    ),
    deployment=("other runtime",),
)
def sparse_twin(workload: Workload) -> InferencePath:
    """The dense twin of infer/sparse: fully connected layers, LiteRT float32."""
    return _dense(workload, "dense_classifier", dense_classifier)


@scenario(
    baseline="infer/sparse-twin",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "data:images",
        "data:labels",
        "task:classification",
        "trainable",
        "architecture:free",
    ),
    deployment=("retraining", "other runtime"),
    variants={"": {}, "90": {"percent": 90, "scenario": {"suite": "full"}}},
)
def sparse(workload: Workload, percent: int = 80) -> InferencePath:
    """Fully connected layers pruned in blocks of 4, stored sparse, run by a block-sparse kernel."""

    def pruned():
        return tools.prune(
            workload,
            trained_variant(workload, "dense_classifier", dense_classifier),
            final=percent / 100,
            block_size=(4, 1),
            block_pooling_type="AVG",
        )

    file = _converted(workload, f"sparse_{percent}", pruned, stored_sparse=True)

    def proof():
        facts = stored.sparse_kernels(file)
        if not facts["read_sparse"]:
            raise NotEngaged(f"every sparse kernel is made dense before it is used: {facts}")
        return facts | tools.extra_training(workload)

    return litert_path(workload, file, proof, model=lambda: workload.model(dense_classifier))


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "data:images",
        "data:labels",
        "task:classification",
        "trainable",
        "architecture:free",
    ),
    deployment=("other runtime",),
    suite="full",
)
def sparse_xnnpack_twin(workload: Workload) -> InferencePath:
    """The dense twin of infer/sparse-xnnpack: 1×1 convolutions, LiteRT float32."""
    return _dense(workload, "pointwise_network", pointwise_network)


@scenario(
    baseline="infer/sparse-xnnpack-twin",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "data:images",
        "data:labels",
        "task:classification",
        "trainable",
        "architecture:free",
    ),
    deployment=("retraining", "other runtime", "partial converter"),
    suite="full",
)
def sparse_xnnpack(workload: Workload) -> InferencePath:
    """1×1 convolutions pruned by PruneForLatencyOnXNNPack for XNNPACK's sparse kernels."""
    xnnpack_has_sparse_kernels()

    def pruned():
        import tensorflow_model_optimization as tfmot

        return tools.prune(
            workload,
            trained_variant(workload, "pointwise_network", pointwise_network),
            final=0.85,
            pruning_policy=tfmot.sparsity.keras.PruneForLatencyOnXNNPack(),
        )

    file = _converted(workload, "sparse_xnnpack", pruned, stored_sparse=True)

    def proof():
        return stored.sparse_kernels(file) | tools.extra_training(workload)

    return litert_path(workload, file, proof, model=lambda: workload.model(pointwise_network))


def _dense(workload: Workload, name: str, build) -> InferencePath:
    file = _converted(workload, name, lambda: trained_variant(workload, name, build))
    return litert_path(
        workload,
        file,
        proof=lambda: {"epochs": workload.epochs, "extra_epochs": 0},
        model=lambda: workload.model(build),
    )


def _converted(
    workload: Workload, name: str, model: Callable[[], Any], stored_sparse: bool = False
) -> Path:
    """The .tflite file of `model()` for one example at a time.

    A batch size left open would put shape arithmetic around each Flatten.
    """

    def convert(path: Path) -> None:
        made = model()
        function = tf.function(lambda image: made(image, training=False))
        one = tf.TensorSpec([1, *workload.data.input_shape], tf.float32)
        concrete = function.get_concrete_function(one)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], made)
        if stored_sparse:
            converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
        path.write_bytes(converter.convert())

    return workload.artifact(f"{name}.tflite", convert)


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
