"""A folder with `model.xml` and `model.bin` run by OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from scenarios.bundles.running import Named, Running, bound, port
from scenarios.core.data import nests


def load(place: Path, threads: int, given: Any, xla: bool = False) -> Running:
    """The model compiled for one request at a time, in the precision of its file."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = openvino.Core().compile_model(str(place / "model.xml"), "CPU", settings)
    request = model.create_infer_request()
    names = [_name(each, f"input_{i}") for i, each in enumerate(model.inputs)]
    arrays = bound(given, names)
    outputs = [
        port(_name(each, f"output_{i}"), _shape(each), each.element_type.to_dtype())
        for i, each in enumerate(model.outputs)
    ]
    kinds = [each.element_type.to_dtype() for each in model.inputs]

    def prepare(arrays: Named) -> Any:
        return [np.asarray(arrays[n], k) for n, k in zip(names, kinds, strict=True)]

    def infer(prepared: Any) -> Any:
        return request.infer(prepared, share_inputs=True)

    def finish(found: Any) -> dict[str, np.ndarray]:
        return {each["name"]: np.array(found[i]) for i, each in enumerate(outputs)}

    inputs = [port(n, arrays[n], k) for n, k in zip(names, kinds, strict=True)]
    return Running(inputs, outputs, nests.length(arrays), prepare, infer, finish)


def _name(each: Any, otherwise: str) -> str:
    names = sorted(each.get_names(), key=len)
    return str(names[0]) if names else otherwise


def _shape(each: Any) -> tuple[int | None, ...]:
    return tuple(n.get_length() if n.is_static else None for n in each.get_partial_shape())
