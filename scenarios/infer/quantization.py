"""Quantization after or during training, alone and together with pruning and clustering."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario, tflite
from scenarios.core import compression as tools
from scenarios.core.deploy import Later
from scenarios.core.litert import litert_path


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime"),
)
def qat_int8(workload: Workload) -> InferencePath:
    """Quantization-aware training (tfmot `quantize_model`), then LiteRT int8."""

    def convert(path: Path) -> None:
        aware = tools.quantize_aware(workload, workload.trained_model())
        converter = tf.lite.TFLiteConverter.from_keras_model(aware)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())

    file = workload.artifact("qat_int8.tflite", convert)

    def proof():
        return tflite.int8_operations(file) | tools.extra_training(workload)

    return litert_path(workload, file, proof=proof, model=Later(workload.trained_model))


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime", "calibration data"),
)
def pruned_int8(workload: Workload) -> InferencePath:
    """Pruned to 80 %, then quantized after training, LiteRT int8."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(tools.pruned_model(workload))
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())

    file = workload.artifact("pruned_int8.tflite", convert)

    def proof():
        return (
            tflite.int8_operations(file)
            | tflite.zeros(file, at_least=0.79)
            | tools.extra_training(workload)
        )

    return litert_path(workload, file, proof=proof, model=Later(workload.trained_model))


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def pqat_int8(workload: Workload) -> InferencePath:
    """Prune-preserving quantization-aware training (PQAT), LiteRT int8."""

    def convert(path: Path) -> None:
        aware = tools.quantize_aware(workload, tools.pruned_model(workload), "prune")
        converter = tf.lite.TFLiteConverter.from_keras_model(aware)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())

    file = workload.artifact("pqat_int8.tflite", convert)

    def proof():
        return (
            tflite.int8_operations(file)
            | tflite.zeros(file, at_least=0.79)
            | tools.extra_training(workload, times=2)
        )

    return litert_path(workload, file, proof=proof, model=Later(workload.trained_model))


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def cqat_int8(workload: Workload) -> InferencePath:
    """Cluster-preserving quantization-aware training (CQAT), LiteRT int8."""

    def convert(path: Path) -> None:
        aware = tools.quantize_aware(workload, tools.clustered_model(workload), "cluster")
        converter = tf.lite.TFLiteConverter.from_keras_model(aware)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())

    file = workload.artifact("cqat_int8.tflite", convert)

    def proof():
        return (
            tflite.int8_operations(file)
            | tflite.clusters(file, at_most=tools.CLUSTERS)
            | tools.extra_training(workload, times=2)
        )

    return litert_path(workload, file, proof=proof, model=Later(workload.trained_model))


@scenario(
    baseline="infer/litert-float32",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime"),
    suite="full",
)
def pcqat_int8(workload: Workload) -> InferencePath:
    """Pruned, clustered with its zeros kept, then trained preserving both (PCQAT), LiteRT int8."""

    def convert(path: Path) -> None:
        clustered = tools.cluster(workload, tools.pruned_model(workload), preserve_sparsity=True)
        aware = tools.quantize_aware(workload, clustered, "cluster+prune")
        converter = tf.lite.TFLiteConverter.from_keras_model(aware)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())

    file = workload.artifact("pcqat_int8.tflite", convert)

    def proof():
        return (
            tflite.int8_operations(file)
            | tflite.zeros(file, at_least=0.79)
            | tflite.clusters(file, at_most=tools.CLUSTERS)
            | tools.extra_training(workload, times=3)
        )

    return litert_path(workload, file, proof=proof, model=Later(workload.trained_model))
