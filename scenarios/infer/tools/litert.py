"""Running a .tflite file as an inference path: inputs and outputs bound by name, and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import Unsupported
from scenarios.core.data import nests
from scenarios.core.feeding import plain_name
from scenarios.core.models import tflite_functions
from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import in_blocks
from scenarios.core.workload import Workload
from scenarios.infer.tools.checking import follows_network
from scenarios.infer.tools.deploy import Later, counted_on
from scenarios.infer.tools.refusing import first_sentence
from scenarios.infer.tools.tflite import RECURRENT, delegated


def finished(workload: Workload) -> Path | None:
    """The .tflite file that the workload's model is, where it came as one.

    Of a file with several signatures a copy that holds the measured one alone, made once.
    """
    given = Path(workload.spec.model)
    if given.suffix != ".tflite":
        return None
    name = tflite_functions.chosen(given, workload.spec.signature)
    if tflite_functions.is_alone(given, name):
        return given

    def make(path: Path) -> None:
        path.write_bytes(tflite_functions.alone(given, name))

    return workload.artifact("signature.tflite", make)


def litert_path(
    workload: Workload,
    file: Path,
    proof: Proof = nothing_to_prove,
    batch: int = 1,
    model: Callable[[], Any] | None = None,
    precision: str = "",
) -> InferencePath:
    """Inference of a .tflite file by `ai_edge_litert` with the workload's number of threads.

    Args:
        workload: Its inputs.
        file: The file; one that was converted for a batch of its own answers that many.
        proof: Facts beside which part of the graph XNNPACK runs.
        batch: Examples a call.
        model: Makes the Keras model that was converted; default: the trained one.
        precision: Outputs must follow the trained network's as closely as this allows; "": they
            are another network's.
    """
    interpreter = load(file, workload.threads)
    sources, targets = bound(interpreter, workload)
    size = allocated(interpreter, sources, workload, batch)
    put, get = interpreter.set_tensor, interpreter.get_tensor
    invoke = _anew(interpreter) if keeps_state(interpreter) else interpreter.invoke
    source, target = next(iter(sources.values())), next(iter(targets.values()))

    def infer_one(x: np.ndarray) -> Any:
        put(source["index"], x)
        invoke()
        return get(target["index"])

    def infer_named(given: Any) -> Any:
        for name, x in nests.named(given, next(iter(sources))).items():
            put(sources[name]["index"], x)
        invoke()
        found = {name: get(detail["index"]) for name, detail in targets.items()}
        return found if len(found) > 1 else next(iter(found.values()))

    infer = infer_one if len(sources) == len(targets) == 1 else infer_named

    def given(x: Any) -> Any:
        if len(sources) == 1:
            return quantized(x, source)
        return {name: quantized(x[name], detail) for name, detail in sources.items()}

    def answered(x: Any) -> Any:
        found = infer(given(x))
        if len(targets) == 1:
            return dequantized(found, target)
        return {name: dequantized(found[name], detail) for name, detail in targets.items()}

    def predict(x: Any) -> Any:
        return in_blocks(answered, workload.looked_up(x), size)

    def facts() -> dict[str, Any]:
        checked = follows_network(workload, predict, precision) if precision else {}
        return {**delegated(interpreter), **_fixed(sources, size), **checked, **proof()}

    return InferencePath(
        infer=infer,
        inputs=[given(x) for x in workload.inputs(size)],
        examples=size,
        predict=predict,
        artifact=file,
        proof=facts,
        model=Later(model) if model else counted_on(workload),
    )


def load(file: Path, threads: int) -> Any:
    """An interpreter of a file; its tensors are not allocated yet."""
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(file), num_threads=threads)


def bound(interpreter: Any, workload: Workload) -> tuple[dict[str, Any], dict[str, Any]]:
    """Details of inputs and outputs by the workload's names, whatever their places in the file.

    By the file's signature, which converters fill with these names; files without one have only
    tensors' names. A single input or output needs none.
    """
    sources, targets = interpreter.get_input_details(), interpreter.get_output_details()
    names = list(nests.named(workload.signature(), "input"))
    signatures = list(interpreter.get_signature_list())
    if signatures:
        runner = interpreter.get_signature_runner(signatures[0])
        by_input, by_output = runner.get_input_details(), runner.get_output_details()
    else:
        by_input = {detail["name"]: detail for detail in sources}
        by_output = {detail["name"]: detail for detail in targets}
    if len(sources) == 1:
        found = {names[0]: sources[0]}
    else:
        found = {name: by_input[name if name in by_input else plain_name(name)] for name in names}
    if len(targets) == 1:
        return found, {workload.output_names[0]: targets[0]}
    return found, dict(by_output)


def allocated(interpreter: Any, sources: dict[str, Any], workload: Workload, batch: int) -> int:
    """Allocate tensors for `batch` examples of the data's shape, or for the file's own number.

    Returns:
        Examples a call.

    Raises:
        Unsupported: LiteRT has no kernel for the file.
    """
    detail = next(iter(sources.values()))
    size = batch if _open(detail) else int(detail["shape"][0])
    one = nests.named(workload.inputs(1, 1)[0], next(iter(sources)))
    for name, each in sources.items():
        wanted = (size, *one[name].shape[1:])
        if len(wanted) == len(each["shape"]) and tuple(each["shape"]) != wanted:
            interpreter.resize_tensor_input(each["index"], wanted)
    own = Path(workload.spec.model)
    several = own.suffix == ".tflite" and size > 1
    try:
        interpreter.allocate_tensors()
        if several:  # some operations find out about sizes as late as that
            interpreter.invoke()
    except RuntimeError as error:
        raise Unsupported(
            f"{own.name} leaves the batch open and does not answer {size} examples a call "
            f"({first_sentence(error)}): convert the model for batches of {size}"
            if several
            else f"LiteRT cannot run the converted file: {first_sentence(error)}; TensorFlow runs "
            "the model: infer/function"
        ) from None
    return size


def keeps_state(interpreter: Any) -> bool:
    """Whether a recurrent operation goes on where the last call ended."""
    names = {op["op_name"] for op in interpreter._get_ops_details()}
    return bool(names & (RECURRENT - {"WHILE"}))


def _anew(interpreter: Any) -> Callable[[], None]:
    """Calls that begin with the state at 0, as the model's own do."""

    def invoke() -> None:
        interpreter.reset_all_variables()
        interpreter.invoke()

    return invoke


def quantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Real values as the integers of a tensor's scale and zero point; others stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer) or not scale:
        return np.asarray(x, dtype=detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    integers = np.clip(np.round(x / scale) + zero, limits.min, limits.max)
    return np.asarray(integers, dtype=detail["dtype"])


def dequantized(x: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """The real values of a tensor's integers; others stay."""
    scale, zero = detail["quantization"]
    if not np.issubdtype(detail["dtype"], np.integer) or not scale:
        return np.asarray(x)
    return np.asarray((x.astype(np.float32) - zero) * np.float32(scale))


def _open(detail: dict[str, Any]) -> bool:
    """Whether a tensor's batch size may be chosen."""
    signature = detail.get("shape_signature", ())
    return not len(signature) or int(signature[0]) < 0


def _fixed(sources: dict[str, Any], size: int) -> dict[str, Any]:
    if all(_open(detail) for detail in sources.values()):
        return {}
    return {"batch": f"converted for batches of {size}"}
