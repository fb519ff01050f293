"""The trained model run by OpenVINO: what a user might pick instead of LiteRT."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.data import nests
from scenarios.core.lookup import behind
from scenarios.core.quality import in_blocks
from scenarios.infer.tools.checking import follows_network
from scenarios.infer.tools.deploy import counted_on, export
from scenarios.infer.tools.refusing import first_sentence

PRODUCTS = {"Convolution", "FullyConnected", "MatMul", "GroupConvolution", "Convolution_Add"}


@scenario(
    baseline="infer/function",
    needs=("package:openvino", "model:graph"),
    follows="float32",
    deployment=("other runtime", "partial converter"),
)
def openvino(workload: Workload) -> InferencePath:
    """OpenVINO, float32."""
    workload = behind(workload)
    folder = converted(workload)
    model = compiled(folder, workload.threads)
    return _path(workload, folder, model, "float32", lambda: products_by_precision(model))


@scenario(
    baseline="infer/openvino",
    needs=("package:openvino", "package:nncf", "model:graph"),
    follows="int8",
    inputs_in="int8",
    deployment=("other runtime", "partial converter", "calibration data"),
)
def openvino_int8(workload: Workload) -> InferencePath:
    """OpenVINO, 8-bit integers by NNCF's post-training quantization."""
    workload = behind(workload)
    folder = quantized(workload)
    model = compiled(folder, workload.threads)
    return _path(workload, folder, model, "int8", lambda: int8_products(model))


def _path(workload: Workload, folder, model, precision, proof) -> InferencePath:
    size = workload.batch_of()
    infer = by_name(workload, model)

    def predict(x):
        return in_blocks(infer, workload.looked_up(x), size)

    return InferencePath(
        infer=infer,
        inputs=workload.inputs(size),
        examples=size,
        predict=predict,
        artifact=folder,
        model=counted_on(workload),
        proof=lambda: follows_network(workload, predict, precision) | proof(),
    )


def by_name(workload: Workload, model: Any) -> Any:
    """A call of a compiled model with inputs and outputs bound by the workload's names."""
    request = model.create_infer_request()
    specs = nests.named(workload.signature(), "input")
    if len(specs) == len(model.outputs) == 1:
        return lambda x: request.infer([x], share_inputs=True)[0]

    def infer(x):
        given = nests.named(x, next(iter(specs)))
        feed = {specs[name].name: array for name, array in given.items()}
        found = request.infer(feed if len(feed) > 1 else list(feed.values()), share_inputs=True)
        if len(model.outputs) == 1:
            return found[0]
        return {name: found[name] for name in workload.output_names}

    return infer


def converted(workload: Workload) -> Path:
    """A folder with the trained model as `model.xml` and `model.bin`, float32, made once."""

    def make(path: Path) -> None:
        import openvino

        path.mkdir()
        saved = path / "saved_model"
        size = workload.batch_of()
        export(workload, saved, batch=size)
        specs = tf.nest.flatten(workload.signature(size))
        try:
            model = openvino.convert_model(
                str(saved), input={spec.name: list(spec.shape) for spec in specs}
            )
        except Exception as error:  # its kinds of error share no base
            raise Unsupported(
                f"OpenVINO cannot convert the model: {first_sentence(error)}; TensorFlow runs it "
                "as it is: infer/function, infer/savedmodel"
            ) from None
        openvino.save_model(model, str(path / "model.xml"), compress_to_fp16=False)
        shutil.rmtree(saved)  # only the converted model is shipped

    return workload.artifact("openvino_float32", make)


def quantized(workload: Workload) -> Path:
    """The same with 8-bit weights and activations by NNCF's post-training quantization."""
    source = converted(workload)

    def make(path: Path) -> None:
        import nncf
        import openvino

        examples = nncf.Dataset(
            [
                example if isinstance(example, dict) else example[0]
                for example in workload.calibration(batch=workload.batch_of())
            ]
        )
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
