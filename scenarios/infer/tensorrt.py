"""The trained model as TensorRT engines on an NVIDIA GPU."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core import tensorrt as tools
from scenarios.core.deploy import Later, export
from scenarios.core.quality import in_blocks


@scenario(
    baseline="infer/function",
    follows="float16",
    deployment=("other runtime", "special hardware", "partial converter"),
    variants={
        "": {"precision": "FP16"},
        "fp32": {"precision": "FP32", "scenario": {"follows": "float32", "suite": "full"}},
        "int8": {"precision": "INT8", "scenario": {"follows": "int8", "suite": "full"}},
    },
)
def tensorrt(workload: Workload, precision: str = "FP16") -> InferencePath:
    """TF-TRT: supported parts of the SavedModel become TensorRT engines (FP16 unless named)."""

    def save(path: Path) -> None:
        export(workload.trained_model(), path)

    saved = workload.artifact("tensorrt_source", save)
    tools.need_tf_trt()

    def convert(path: Path) -> None:
        def examples():
            return ((tf.constant(example[0]),) for example in workload.calibration())

        tools.convert_in_tensorflow(saved, path, precision, examples)

    folder = workload.artifact(f"tensorrt_{precision}", convert)
    loaded = tf.saved_model.load(folder)
    function = loaded.signatures["serving_default"]
    (name,) = function.structured_input_signature[1]
    (output,) = function.structured_outputs

    def infer(x):
        return function(**{name: x})[output]

    return InferencePath(
        infer=infer,
        inputs=[tf.constant(x) for x in workload.inputs(batch=1)],
        examples=1,
        predict=lambda x: in_blocks(lambda block: infer(tf.constant(block)), x, batch=1),
        artifact=folder,
        model=Later(workload.trained_model),
        proof=lambda: tools.engines(function, precision),
    )


@scenario(
    baseline="infer/function",
    needs=("package:tf2onnx",),
    follows="float16",
    deployment=("other runtime", "special hardware", "partial converter"),
    suite="full",
    variants={
        "": {"precision": "FP16"},
        "fp32": {"precision": "FP32", "scenario": {"follows": "float32"}},
        "int8": {
            "precision": "INT8",
            "scenario": {
                "follows": "int8",
                "needs": ("package:tf2onnx", "package:onnxruntime"),
            },
        },
    },
)
def tensorrt_onnx(workload: Workload, precision: str = "FP16") -> InferencePath:
    """ONNX export built by TensorRT's own builder, for TensorFlow 2.18 and later."""
    file = tools.network_file(workload, precision)
    trt, cudart = tools.need_builder()

    def build(path: Path) -> None:
        path.write_bytes(tools.build_engine(file, precision, workload.data.input_shape, trt))

    plan = workload.artifact(f"tensorrt_{precision}.engine", build)
    engine = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(plan.read_bytes())
    run = tools.Runner(engine, cudart, (1, *workload.data.input_shape), workload.data.classes)
    return InferencePath(
        infer=run,
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: in_blocks(run, x, batch=1),
        artifact=plan,
        model=Later(workload.trained_model),
        proof=lambda: tools.layers_by_precision(engine, trt, precision),
    )
