"""Pruned networks in forms whose zeros a kernel really skips, and their dense twins."""

from pathlib import Path

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario, tflite
from scenarios.core import compression as tools
from scenarios.core.deploy import Later, trained_variant
from scenarios.core.litert import litert_path
from scenarios.core.sparse import (
    converter,
    dense_classifier,
    pointwise_network,
    xnnpack_has_sparse_kernels,
)


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert",),
    deployment=("other runtime",),
)
def sparse_twin(workload: Workload) -> InferencePath:
    """The dense twin of infer/sparse: fully connected layers, LiteRT float32."""
    return _dense(workload, "dense_classifier", dense_classifier)


@scenario(
    baseline="infer/sparse-twin",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime"),
    variants={"": {}, "90": {"percent": 90, "scenario": {"suite": "full"}}},
)
def sparse(workload: Workload, percent: int = 80) -> InferencePath:
    """Fully connected layers pruned in blocks of 4, stored sparse, run by a block-sparse kernel."""

    def convert(path: Path) -> None:
        model = tools.prune(
            workload,
            trained_variant(workload, "dense_classifier", dense_classifier),
            final=percent / 100,
            block_size=(4, 1),
            block_pooling_type="AVG",
        )
        to_lite = converter(model, workload.data.input_shape)
        to_lite.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
        path.write_bytes(to_lite.convert())

    file = workload.artifact(f"sparse_{percent}.tflite", convert)

    def proof():
        facts = tflite.sparse_kernels(file)
        if not facts["read_sparse"]:
            raise NotEngaged(f"every sparse kernel is made dense before it is used: {facts}")
        return facts | tools.extra_training(workload)

    return litert_path(
        workload, file, proof=proof, model=Later(lambda: workload.model(dense_classifier))
    )


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert",),
    deployment=("other runtime",),
    suite="full",
)
def sparse_xnnpack_twin(workload: Workload) -> InferencePath:
    """The dense twin of infer/sparse-xnnpack: 1×1 convolutions, LiteRT float32."""
    return _dense(workload, "pointwise_network", pointwise_network)


@scenario(
    baseline="infer/sparse-xnnpack-twin",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime", "partial converter"),
    suite="full",
)
def sparse_xnnpack(workload: Workload) -> InferencePath:
    """1×1 convolutions pruned by PruneForLatencyOnXNNPack for XNNPACK's sparse kernels."""
    xnnpack_has_sparse_kernels()

    def convert(path: Path) -> None:
        import tensorflow_model_optimization as tfmot

        model = tools.prune(
            workload,
            trained_variant(workload, "pointwise_network", pointwise_network),
            final=0.85,
            pruning_policy=tfmot.sparsity.keras.PruneForLatencyOnXNNPack(),
        )
        to_lite = converter(model, workload.data.input_shape)
        to_lite.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
        path.write_bytes(to_lite.convert())

    file = workload.artifact("sparse_xnnpack.tflite", convert)

    def proof():
        return tflite.sparse_kernels(file) | tools.extra_training(workload)

    return litert_path(
        workload, file, proof=proof, model=Later(lambda: workload.model(pointwise_network))
    )


def _dense(workload: Workload, name: str, build) -> InferencePath:
    def convert(path: Path) -> None:
        to_lite = converter(trained_variant(workload, name, build), workload.data.input_shape)
        path.write_bytes(to_lite.convert())

    file = workload.artifact(f"{name}.tflite", convert)
    return litert_path(
        workload,
        file,
        proof=lambda: {"epochs": workload.epochs, "extra_epochs": 0},
        model=Later(lambda: workload.model(build)),
    )
