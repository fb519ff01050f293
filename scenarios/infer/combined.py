"""Smaller networks, and all techniques together."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import InferencePath, Workload, blocks, scenario, students, tflite
from scenarios.core import compression as tools
from scenarios.core.deploy import Later, export, keras_path, trained_variant
from scenarios.core.litert import litert_path

SPARSITY = 0.5


@scenario(baseline="infer/function", keras=2, deployment=("retraining",))
def distilled(workload: Workload) -> InferencePath:
    """Knowledge distillation: a small separable network that imitates the trained model."""
    model = students.distilled_model(workload)

    def save(path: Path) -> None:
        export(model, path)

    def proof():
        training = {"epochs": workload.epochs, "extra_epochs": 0}
        return students.smaller(workload, model) | training

    saved = workload.artifact("distilled_model", save)
    return keras_path(workload, model, artifact=saved, proof=proof)


@scenario(
    baseline="infer/litert-float32",
    needs=("package:ai_edge_litert",),
    deployment=("other runtime", "calibration data"),
)
def separable_int8(workload: Workload) -> InferencePath:
    """Depthwise separable convolutions, then LiteRT int8."""
    build = blocks.separable(workload)

    def convert(path: Path) -> None:
        model = trained_variant(workload, "separable", build)
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())

    file = workload.artifact("separable_int8.tflite", convert)

    def proof():
        return tflite.int8_operations(file) | {"epochs": workload.epochs, "extra_epochs": 0}

    return litert_path(workload, file, proof=proof, model=Later(lambda: workload.model(build)))


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:ai_edge_litert", "package:tensorflow_model_optimization"),
    deployment=("retraining", "other runtime", "calibration data"),
)
def combined(workload: Workload) -> InferencePath:
    """All together: a separable student, distilled, pruned to 50 %, quantized, LiteRT int8."""

    def learn(workload, model, **fit):
        students.distil(workload, model, tools.fine_tune_epochs(workload), views=5, **fit)

    def convert(path: Path) -> None:
        # A small network has less to spare than the CNN: at 80 % it lost 2 points of the digits.
        model = tools.prune(
            workload, students.distilled_model(workload), final=SPARSITY, learn=learn
        )
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = workload.calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())

    file = workload.artifact("combined.tflite", convert)

    def proof():
        return (
            tflite.int8_operations(file)
            | tflite.zeros(file, at_least=SPARSITY - 0.01)
            | tools.extra_training(workload)
        )

    return litert_path(
        workload, file, proof=proof, model=Later(lambda: workload.model(students.student))
    )
