"""Sources that are finished files of another runtime: .tflite and .onnx, run as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import Unsupported, UsageError
from scenarios.core.data.signature import Spec
from scenarios.core.models import tflite_functions
from scenarios.core.models.sources import Source

ONNX_TYPES = {"float": "float32", "double": "float64", "float16": "float16", "string": "string",
              "int64": "int64", "int32": "int32", "int8": "int8", "uint8": "uint8",
              "bool": "bool"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FinishedSource(Source):
    """A file of a runtime that is not TensorFlow: nothing can be made of it but what it is."""

    run: Callable[[dict[str, np.ndarray]], Any] | None = None
    """Lets its runtime answer inputs by name; raises the runtime's errors."""


def litert(path: Path, signature: str = "") -> Source:
    """A source of a .tflite file: of the signature named, or else of its first graph.

    Raises:
        UsageError: It is no such file, or has no such signature.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise Unsupported(
            "needs the package ai_edge_litert: python -m pip install '.[tensorflow]'"
        ) from None
    try:
        interpreter = Interpreter(model_path=str(path))
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"{path} is not a readable .tflite file: {_first(error)}") from None
    inputs = {d["name"]: d for d in interpreter.get_input_details()}
    outputs = {d["name"]: d for d in interpreter.get_output_details()}
    name = tflite_functions.chosen(path, signature)
    if name:
        runner = interpreter.get_signature_runner(name)
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
    batch = _batch(path, {name: _sizes(detail) for name, detail in inputs.items()})
    notes = () if signature else _one_of(name, list(interpreter.get_signature_list()))
    return _finished(
        path, {name: _litert_spec(d) for name, d in inputs.items()},
        {name: _litert_spec(d) for name, d in outputs.items()},
        "model:litert", ".tflite", fixed_batch=batch, notes=notes,
    )  # fmt: skip


def onnx(path: Path) -> Source:
    """A source of an .onnx file.

    Raises:
        UsageError: It is no such file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise Unsupported(
            "needs the package onnxruntime: python -m pip install '.[onnx]'"
        ) from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its own kinds of error share no base
        raise UsageError(f"{path} is not a readable .onnx file: {_first(error)}") from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    fixed = _batch(path, {each.name: each.shape for each in inputs})
    return _finished(
        path, {each.name: _onnx_spec(each) for each in inputs},
        {each.name: _onnx_spec(each) for each in outputs},
        "model:onnx", ".onnx", fixed_batch=fixed, run=lambda given: session.run(None, given),
    )  # fmt: skip


def _batch(path: Path, shapes: Mapping[str, Sequence[Any]]) -> int | None:
    """The number of examples that a call takes, None where any: the inputs' first dimension.

    Raises:
        UsageError: The inputs do not share one.
    """
    wrong = [name for name, shape in shapes.items() if not len(shape)]
    fixed = {name: s[0] for name, s in shapes.items() if len(s) and isinstance(s[0], int)}
    most = max(fixed.values(), default=1)
    is_open = any(len(shape) and name not in fixed for name, shape in shapes.items())
    if most > 1:  # beside an open one no other number counts the examples
        wrong += [name for name, n in fixed.items() if (n > 1 if is_open else n != most)]
    if wrong:
        ways = "; ".join(_instead(name, shapes[name], most) for name in wrong)
        raise UsageError(
            f"{path}: the first dimension of every input must count the examples, and {ways}: "
            "export the model so, with states and settings inside it"
        )
    return most if fixed else None


def _instead(name: str, shape: Sequence[Any], batch: int) -> str:
    """What an input has in the place of a batch dimension."""
    if not len(shape):
        return f"{name!r} is one value for all"
    said = "×".join("?" if n is None else str(n) for n in shape)
    if shape[0] != batch:
        return f"{name!r} ({said}) takes {shape[0]} where others take {batch}"
    opened = [i for i, n in enumerate(shape) if not isinstance(n, int)]
    there = f", where it is open in dimension {opened[0] + 1}" if opened and opened[0] else ""
    return f"that of {name!r} ({said}) is {shape[0]}{there}"


def _one_of(name: str, signatures: Sequence[str]) -> tuple[str, ...]:
    """What is to be said where a file holds more than the function that is measured."""
    if len(signatures) < 2:
        return ()
    others = ", ".join(each for each in signatures if each != name)
    return (f"of the file's signatures {name!r} is measured: --signature names another ({others})",)


def _finished(
    path: Path, inputs: dict[str, Spec], outputs: dict[str, Spec], need: str, ending: str,
    fixed_batch: int | None, notes: tuple[str, ...] = (),
    run: Callable[[dict[str, np.ndarray]], Any] | None = None,
) -> Source:  # fmt: skip
    keras, either = "give the Keras model behind it", "give the Keras model or SavedModel behind it"
    needs = {
        "model:keras": f"Keras model: {keras}",
        "model:graph": f"TensorFlow graph: {either}",
        "model:copyable": f"layers that can be copied: {keras}",
        "model:trainable": f"model that can be trained: {keras}",
        "architecture:free": "architecture that can be replaced: give FILE.py:function that makes "
        "the model",
        "model:litert": f"LiteRT model: {either}",
        "model:onnx": f"ONNX model: {either}",
    }
    return FinishedSource(
        name=str(path),
        digest=path.read_bytes(),
        signature=inputs,
        outputs=outputs,
        fixed_batch=fixed_batch,
        provides=frozenset({need}),
        notes=notes,
        lacks={key: f"a finished {ending} holds no {x}" for key, x in needs.items() if key != need},
        file=path,
        run=run,
    )


def _sizes(detail: Mapping[str, Any]) -> list[Any]:
    """The shape of a tensor; open dimensions are None."""
    found = detail.get("shape_signature", ())
    return [None if n < 0 else int(n) for n in (found if len(found) else detail["shape"])]


def _litert_spec(detail: dict[str, Any]) -> Spec:
    dtype = np.dtype(detail["dtype"]).name if detail["dtype"] is not np.bytes_ else "string"
    scale = detail.get("quantization", (0.0, 0))[0]
    if scale and dtype in ("int8", "uint8", "int16"):
        dtype = "float32"  # quantized on the way in: the user's values are real
    return Spec(tuple(_sizes(detail)[1:]), dtype)


def _onnx_spec(each: Any) -> Spec:
    kind = each.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(n if isinstance(n, int) else None for n in each.shape[1:])
    return Spec(shape, ONNX_TYPES.get(kind, "float32"))


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
