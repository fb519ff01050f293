"""The trained model run by ONNX Runtime: what a user might pick instead of LiteRT."""

from scenarios.core import InferencePath, Workload, onnx, scenario
from scenarios.core.deploy import Later
from scenarios.core.quality import in_blocks


@scenario(
    baseline="infer/function",
    needs=("package:onnxruntime", "package:tf2onnx"),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def onnxruntime(workload: Workload) -> InferencePath:
    """ONNX Runtime, float32, exported by tf2onnx."""
    file = onnx.exported(workload)
    return _path(workload, file, lambda: {"operations": dict(onnx.operations_run(file, 1))})


@scenario(
    baseline="infer/onnxruntime",
    needs=("package:onnxruntime", "package:tf2onnx"),
    follows="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def onnxruntime_int8(workload: Workload) -> InferencePath:
    """ONNX Runtime, 8-bit integers by its static quantization."""
    file = onnx.quantized(workload)
    return _path(workload, file, lambda: onnx.int8_products(file, 1))


def _path(workload: Workload, file, proof) -> InferencePath:
    session = onnx.session(file, workload.threads)
    name = session.get_inputs()[0].name

    def infer(x):
        return session.run(None, {name: x})[0]

    return InferencePath(
        infer=infer,
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: in_blocks(infer, x, batch=128),
        artifact=file,
        model=Later(workload.trained_model),
        proof=lambda: {"providers": session.get_providers()} | proof(),
    )
