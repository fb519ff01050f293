"""A .tflite file run by `ai_edge_litert`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scenarios.bundles.running import Named, Running, bound


def load(place: Path, threads: int, given: Any, xla: bool = False) -> Running:
    """The file, its tensors allocated for calls of the shape of `given`."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(place), num_threads=threads)
    names = _names(interpreter)
    sources = [names.get(d["index"], d["name"]) for d in interpreter.get_input_details()]
    for name, array in bound(given, sources).items():
        detail = interpreter.get_input_details()[sources.index(name)]
        if tuple(detail["shape"]) != array.shape:
            interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    inputs = [_port(d, names) for d in interpreter.get_input_details()]
    outputs = [_port(d, names) for d in interpreter.get_output_details()]
    put, invoke, get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def prepare(arrays: Named) -> Any:
        return [(each["index"], quantized(arrays[each["name"]], each)) for each in inputs]

    def infer(prepared: Any) -> Any:
        for index, array in prepared:
            put(index, array)
        invoke()
        return [get(each["index"]) for each in outputs]

    def finish(found: Any) -> dict[str, np.ndarray]:
        return {e["name"]: real(array, e) for e, array in zip(outputs, found, strict=True)}

    return Running(inputs, outputs, inputs[0]["shape"][0], prepare, infer, finish)


def quantized(array: Any, port: dict[str, Any]) -> Any:
    """Real values as a tensor's integers, where it holds such."""
    if not port["scale"]:
        return np.asarray(array, dtype=port["dtype"])
    limits = np.iinfo(port["stored"])
    integers = np.round(np.asarray(array) / port["scale"]) + port["zero"]
    return np.clip(integers, limits.min, limits.max).astype(port["stored"])


def real(array: Any, port: dict[str, Any]) -> Any:
    """The real values of a tensor's integers, where it holds such."""
    if not port["scale"]:
        return array
    return (array.astype(np.float32) - port["zero"]) * np.float32(port["scale"])


def _names(interpreter: Any) -> dict[int, str]:
    """Names of inputs and outputs in the file's first signature, by tensor index."""
    for signature in list(interpreter.get_signature_list())[:1]:
        runner = interpreter.get_signature_runner(signature)
        details = (*runner.get_input_details().items(), *runner.get_output_details().items())
        return {int(detail["index"]): str(name) for name, detail in details}
    return {}


def _port(detail: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    scale, zero = detail["quantization"]
    stored = np.dtype(detail["dtype"])
    integers = bool(scale) and stored.kind in "iu"
    return {
        "name": names.get(int(detail["index"]), str(detail["name"])),
        "shape": [int(n) for n in detail["shape"]],
        "dtype": "float32" if integers else str(stored),
        "index": int(detail["index"]),
        "scale": float(scale) if integers else 0.0,
        "zero": int(zero) if integers else 0,
        "stored": str(stored) if integers else "",
    }
