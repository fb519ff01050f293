"""The trained model converted for LiteRT (TensorFlow Lite's runtime), in every precision."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.deploy import Later
from scenarios.core.litert import litert_path
from scenarios.core.tflite import int8_operations, weights_of_type


@scenario(
    baseline="infer/function",
    needs=("package:ai_edge_litert",),
    follows="float32",
    deployment=("other runtime",),
    variants={
        "": {},
        "b8": {"batch": 8, "scenario": {"suite": "full"}},
        "b32": {"batch": 32, "scenario": {"suite": "full"}},
        "b256": {"batch": 256, "scenario": {"suite": "full"}},
    },
)
def litert_float32(workload: Workload, batch: int = 1) -> InferencePath:
    """LiteRT, float32."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        path.write_bytes(converter.convert())

    file = workload.artifact("float32.tflite", convert)
    return litert_path(workload, file, batch, model=Later(workload.trained_model))


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="int8",
    deployment=("other runtime",),
)
def litert_dynamic(workload: Workload) -> InferencePath:
    """LiteRT, dynamic range: 8-bit weights, activations quantized while it runs."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        path.write_bytes(converter.convert())

    file = workload.artifact("dynamic.tflite", convert)
    return litert_path(
        workload,
        file,
        proof=lambda: weights_of_type(file, "int8"),
        model=Later(workload.trained_model),
    )


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="float16",
    deployment=("other runtime",),
)
def litert_float16(workload: Workload) -> InferencePath:
    """LiteRT, float16 weights (half the file), computed in float32 on a CPU."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        path.write_bytes(converter.convert())

    file = workload.artifact("float16.tflite", convert)
    return litert_path(
        workload,
        file,
        proof=lambda: weights_of_type(file, "float16"),
        model=Later(workload.trained_model),
    )


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="int8",
    deployment=("other runtime", "calibration data"),
    variants={
        "": {},
        "b8": {"batch": 8, "scenario": {"suite": "full"}},
        "b32": {"batch": 32, "scenario": {"suite": "full"}},
        "b256": {"batch": 256, "scenario": {"suite": "full"}},
    },
)
def litert_int8(workload: Workload, batch: int = 1) -> InferencePath:
    """LiteRT, 8-bit integer weights and activations, float input and output."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())

    file = workload.artifact("int8.tflite", convert)
    return litert_path(
        workload,
        file,
        batch,
        proof=lambda: int8_operations(file),
        model=Later(workload.trained_model),
    )


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="int8",
    deployment=("other runtime", "calibration data"),
)
def litert_int8_full(workload: Workload) -> InferencePath:
    """LiteRT, 8-bit integers throughout: input and output too."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        path.write_bytes(converter.convert())

    file = workload.artifact("int8_full.tflite", convert)
    return litert_path(
        workload,
        file,
        proof=lambda: int8_operations(file),
        model=Later(workload.trained_model),
    )


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    follows="int8",
    deployment=("other runtime", "calibration data", "partial converter"),
    suite="full",
)
def litert_int16x8(workload: Workload) -> InferencePath:
    """LiteRT, 16-bit activations and 8-bit weights."""

    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        path.write_bytes(converter.convert())

    file = workload.artifact("int16x8.tflite", convert)
    return litert_path(
        workload,
        file,
        proof=lambda: int8_operations(file, activations="int16"),
        model=Later(workload.trained_model),
    )
