"""The model converted for LiteRT (TensorFlow Lite's runtime), in every precision."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.litert import int8_operations, litert_path


@scenario(
    baseline="infer/function",
    needs=("package:ai_edge_litert",),
    follows="float32",
    deployment=("other runtime",),
)
def litert_float32(workload: Workload) -> InferencePath:
    """LiteRT, float32."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        path.write_bytes(converter.convert())

    return litert_path(workload, workload.artifact("float32.tflite", convert))


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="int8",
    deployment=("other runtime", "calibration data"),
)
def litert_int8(workload: Workload) -> InferencePath:
    """LiteRT, 8-bit integer weights and activations, float input and output."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())

    file = workload.artifact("int8.tflite", convert)
    return litert_path(workload, file, proof=lambda: int8_operations(file))
