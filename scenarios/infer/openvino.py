"""The trained model run by OpenVINO: what a user might pick instead of LiteRT."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.quality import in_blocks
from scenarios.infer.tools.deploy import Later, export

PRODUCTS = {"Convolution", "FullyConnected", "MatMul", "GroupConvolution", "Convolution_Add"}


@scenario(
    baseline="infer/function",
    needs=("package:openvino",),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def openvino(workload: Workload) -> InferencePath:
    """OpenVINO, float32."""
    folder = converted(workload)
    model = compiled(folder, workload.threads)
    return _path(workload, folder, model, lambda: products_by_precision(model))


@scenario(
    baseline="infer/openvino",
    needs=("package:openvino", "package:nncf"),
    follows="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def openvino_int8(workload: Workload) -> InferencePath:
    """OpenVINO, 8-bit integers by NNCF's post-training quantization."""
    folder = quantized(workload)
    model = compiled(folder, workload.threads)
    return _path(workload, folder, model, lambda: int8_products(model))


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


def converted(workload: Workload) -> Path:
    """A folder with the trained model as `model.xml` and `model.bin`, float32, made once."""

    def make(path: Path) -> None:
        import openvino

        path.mkdir()
        saved = path / "saved_model"
        export(workload, saved)
        model = openvino.convert_model(str(saved), input=[1, *workload.data.input_shape])
        openvino.save_model(model, str(path / "model.xml"), compress_to_fp16=False)
        shutil.rmtree(saved)  # only the converted model is shipped

    return workload.artifact("openvino_float32", make)


def quantized(workload: Workload) -> Path:
    """The same with 8-bit weights and activations by NNCF's post-training quantization."""
    source = converted(workload)

    def make(path: Path) -> None:
        import nncf
        import openvino

        examples = nncf.Dataset([example[0] for example in workload.calibration()])
        model = nncf.quantize(openvino.Core().read_model(str(source / "model.xml")), examples)
        path.mkdir()
        openvino.save_model(model, str(path / "model.xml"), compress_to_fp16=False)

    return workload.artifact("openvino_int8", make)


def compiled(folder: Path, threads: int) -> Any:
    """The model compiled for the CPU, for one request at a time, in the precision of its file."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return openvino.Core().compile_model(str(folder / "model.xml"), "CPU", settings)


def products_by_precision(model: Any) -> dict[str, int]:
    """Number of convolutions and matrix products the compiled model runs, by their precision."""
    found = Counter[str]()
    for op in model.get_runtime_model().get_ops():
        facts = op.get_rt_info()
        if str(_value(facts["layerType"])) in PRODUCTS:
            found[str(_value(facts["runtimePrecision"]))] += 1
    return dict(found)


def int8_products(model: Any) -> dict[str, Any]:
    """How many convolutions and matrix products are computed in 8-bit integers.

    Raises:
        NotEngaged: None.
    """
    found = products_by_precision(model)
    inside = sum(n for name, n in found.items() if name in {"i8", "u8"})
    if not inside:
        raise NotEngaged(f"OpenVINO computes nothing in 8 bits: {found}")
    return {
        "int8_operations": inside,
        "arithmetic_operations": sum(found.values()),
        "not_int8": {name: n for name, n in found.items() if name not in {"i8", "u8"}},
    }


def _value(fact: Any) -> Any:
    return getattr(fact, "value", fact)
