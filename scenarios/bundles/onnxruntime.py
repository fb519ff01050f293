"""An .onnx file run by ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scenarios.bundles.running import Named, Running, bound, port
from scenarios.core.data import nests

TYPES = {"float": "float32", "double": "float64", "string": "object"}


def load(place: Path, threads: int, given: Any, xla: bool = False) -> Running:
    """A session whose waiting threads sleep."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Spinning threads would steal time from whoever's turn it is.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(place), options, providers=["CPUExecutionProvider"])
    arrays = bound(given, [each.name for each in session.get_inputs()])
    kinds = {each.name: _dtype(each) for each in session.get_inputs()}
    outputs = [port(each.name, _shape(each), _dtype(each)) for each in session.get_outputs()]

    def prepare(arrays: Named) -> Any:
        return {name: np.asarray(array, kinds[name]) for name, array in arrays.items()}

    def infer(prepared: Any) -> Any:
        return session.run(None, prepared)

    def finish(found: Any) -> dict[str, np.ndarray]:
        return {each["name"]: array for each, array in zip(outputs, found, strict=True)}

    inputs = [port(name, array, kinds[name]) for name, array in arrays.items()]
    return Running(inputs, outputs, nests.length(arrays), prepare, infer, finish)


def _dtype(each: Any) -> Any:
    name = each.type.removeprefix("tensor(").removesuffix(")")
    return np.dtype(TYPES.get(name, name))


def _shape(each: Any) -> tuple[int | None, ...]:
    return tuple(n if isinstance(n, int) else None for n in each.shape)
