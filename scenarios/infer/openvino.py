"""The trained model run by OpenVINO: what a user might pick instead of LiteRT."""

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core import openvino as tools
from scenarios.core.deploy import Later
from scenarios.core.quality import in_blocks


@scenario(
    baseline="infer/function",
    needs=("package:openvino",),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def openvino(workload: Workload) -> InferencePath:
    """OpenVINO, float32."""
    folder = tools.converted(workload)
    model = tools.compiled(folder, workload.threads)
    return _path(workload, folder, model, lambda: tools.products_by_precision(model))


@scenario(
    baseline="infer/openvino",
    needs=("package:openvino", "package:nncf"),
    follows="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def openvino_int8(workload: Workload) -> InferencePath:
    """OpenVINO, 8-bit integers by NNCF's post-training quantization."""
    folder = tools.quantized(workload)
    model = tools.compiled(folder, workload.threads)
    return _path(workload, folder, model, lambda: tools.int8_products(model))


def _path(workload: Workload, folder, model, proof) -> InferencePath:
    request = model.create_infer_request()

    def infer(x):
        return request.infer([x], share_inputs=True)[0]

    return InferencePath(
        infer=infer,
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: in_blocks(infer, x, batch=1),
        artifact=folder,
        model=Later(workload.trained_model),
        proof=proof,
    )
