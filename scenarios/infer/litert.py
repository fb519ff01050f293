"""The trained model converted for LiteRT (TensorFlow Lite's runtime), in every precision."""

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.lookup import behind
from scenarios.infer.tools.converting import converted
from scenarios.infer.tools.litert import finished, litert_path
from scenarios.infer.tools.stored import weights_of_type
from scenarios.infer.tools.tflite import int8_operations


@scenario(
    baseline="infer/function",
    needs=("package:ai_edge_litert", "model:litert"),
    follows="float32",
    deployment=("other runtime",),
    variants={
        "": {},
        "b8": {
            "batch": 8,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:litert", "batch:free"),
            },
        },
        "b32": {
            "batch": 32,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:litert", "batch:free"),
            },
        },
        "b256": {
            "batch": 256,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:litert", "batch:free"),
            },
        },
    },
)
def litert_float32(workload: Workload, batch: int = 1) -> InferencePath:
    """LiteRT, float32; a finished .tflite file as it is."""
    workload = behind(workload)
    file = finished(workload) or converted(workload, "float32", batch=batch)
    return litert_path(workload, file, batch=batch, precision="float32")


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert", "model:graph"),
    follows="int8",
    deployment=("other runtime",),
)
def litert_dynamic(workload: Workload) -> InferencePath:
    """LiteRT, dynamic range: 8-bit weights, activations quantized while it runs."""
    workload = behind(workload)

    def options(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]

    file = converted(workload, "dynamic", options=options)
    return litert_path(workload, file, lambda: weights_of_type(file, "int8"), precision="int8")


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert", "model:graph"),
    follows="float16",
    deployment=("other runtime",),
)
def litert_float16(workload: Workload) -> InferencePath:
    """LiteRT, float16 weights (half the file), computed in float32 on a CPU."""
    workload = behind(workload)

    def options(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]

    file = converted(workload, "float16", options=options)
    return litert_path(
        workload, file, lambda: weights_of_type(file, "float16"), precision="float16"
    )


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert", "model:graph"),
    follows="int8",
    inputs_in="int8",
    deployment=("other runtime", "calibration data"),
    variants={
        "": {"scenario": {"first": True}},
        "b8": {
            "batch": 8,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:graph", "batch:free"),
            },
        },
        "b32": {
            "batch": 32,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:graph", "batch:free"),
            },
        },
        "b256": {
            "batch": 256,
            "scenario": {
                "suite": "full",
                "needs": ("package:ai_edge_litert", "model:graph", "batch:free"),
            },
        },
    },
)
def litert_int8(workload: Workload, batch: int = 1) -> InferencePath:
    """LiteRT, 8-bit integer weights and activations, float input and output."""
    workload = behind(workload)

    def options(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]

    file = converted(workload, "int8", options=options, batch=batch)
    return litert_path(workload, file, lambda: int8_operations(file), batch, precision="int8")


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert", "model:graph"),
    follows="int8",
    inputs_in="int8",
    deployment=("other runtime", "calibration data"),
)
def litert_int8_full(workload: Workload) -> InferencePath:
    """LiteRT, 8-bit integers throughout: input and output too."""
    workload = behind(workload)

    def options(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8

    file = converted(workload, "int8_full", options=options)
    return litert_path(workload, file, lambda: int8_operations(file), precision="int8")


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert", "model:graph"),
    follows="int8",
    deployment=("other runtime", "calibration data", "partial converter"),
    suite="full",
)
def litert_int16x8(workload: Workload) -> InferencePath:
    """LiteRT, 16-bit activations and 8-bit weights."""
    workload = behind(workload)

    def options(converter):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]

    file = converted(workload, "int16x8", options=options)
    return litert_path(workload, file, lambda: int8_operations(file, "int16"), precision="int8")
