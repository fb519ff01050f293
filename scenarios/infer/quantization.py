"""Quantization after or during training, alone and together with pruning and clustering."""

from collections.abc import Callable
from typing import Any

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.lookup import behind
from scenarios.infer.tools import converting, litert, ranges, stored, tflite, wrapping
from scenarios.infer.tools import tfmot as tools


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "model:copyable",
        "trainable",
    ),
    deployment=("retraining", "other runtime"),
)
def qat_int8(workload: Workload) -> InferencePath:
    """Quantization-aware training (tfmot `quantize_model`), then LiteRT int8."""
    workload = behind(workload)
    return _path(
        workload, "qat_int8", lambda: quantize_aware(workload, workload.trained_model()), times=1
    )


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "model:copyable",
        "trainable",
    ),
    inputs_in="int8",
    deployment=("retraining", "other runtime", "calibration data"),
)
def pruned_int8(workload: Workload) -> InferencePath:
    """Pruned to 80 %, then quantized after training, LiteRT int8."""
    workload = behind(workload)
    return _path(
        workload, "pruned_int8", lambda: tools.pruned_model(workload), times=1,
        options=converting.int8(workload), zeros=0.79,
    )  # fmt: skip


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "model:copyable",
        "trainable",
    ),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def pqat_int8(workload: Workload) -> InferencePath:
    """Prune-preserving quantization-aware training (PQAT), LiteRT int8."""
    workload = behind(workload)

    def aware():
        return quantize_aware(workload, tools.pruned_model(workload), "prune")

    return _path(workload, "pqat_int8", aware, times=2, zeros=0.79)


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "model:copyable",
        "trainable",
    ),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def cqat_int8(workload: Workload) -> InferencePath:
    """Cluster-preserving quantization-aware training (CQAT), LiteRT int8."""
    workload = behind(workload)

    def aware():
        return quantize_aware(workload, tools.clustered_model(workload), "cluster")

    return _path(workload, "cqat_int8", aware, times=2, clusters=tools.CLUSTERS)


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=(
        "package:ai_edge_litert",
        "package:tensorflow_model_optimization",
        "model:keras",
        "model:copyable",
        "trainable",
    ),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def pcqat_int8(workload: Workload) -> InferencePath:
    """Pruned, clustered with its zeros kept, then trained preserving both (PCQAT), LiteRT int8."""
    workload = behind(workload)

    def aware():
        clustered = tools.cluster(workload, tools.pruned_model(workload), preserve_sparsity=True)
        return quantize_aware(workload, clustered, "cluster+prune")

    return _path(workload, "pcqat_int8", aware, times=3, zeros=0.79, clusters=tools.CLUSTERS)


def _path(
    workload: Workload,
    name: str,
    model: Callable[[], Any],
    times: int,
    options: converting.Options = converting.dynamic,
    zeros: float = 0,
    clusters: int = 0,
) -> InferencePath:
    """The model converted and run, with proof of what it was fine-tuned to, so many times."""
    file = converting.converted(workload, name, model, options)

    def proof():
        facts = tflite.int8_operations(file) | tools.extra_training(workload, times)
        if zeros:
            facts |= stored.zeros(file, at_least=zeros)
        if clusters:
            facts |= stored.clusters(file, at_most=clusters)
        return facts

    return litert.litert_path(workload, file, proof)


def quantize_aware(workload: Workload, model: Any, scheme: str = "") -> Any:
    """The model fine-tuned with simulated 8-bit arithmetic.

    Args:
        workload: Its data and loss.
        model: A trained model.
        scheme: What it must preserve: `prune`, `cluster`, `cluster+prune`, or nothing.
    """
    import tensorflow_model_optimization as tfmot

    combine = tfmot.experimental.combine
    preserving = {
        "": lambda: None,
        "prune": combine.Default8BitPrunePreserveQuantizeScheme,
        "cluster": combine.Default8BitClusterPreserveQuantizeScheme,
        "cluster+prune": lambda: combine.Default8BitClusterPreserveQuantizeScheme(
            preserve_sparsity=True
        ),
    }[scheme]

    def quantize(whole: Any) -> Any:
        return wrapping.quantized(wrapping.annotated(whole), preserving())

    aware = ranges.begun_at_data(workload, tools.taken(quantize, model))
    return tools.fine_tune(workload, aware)
