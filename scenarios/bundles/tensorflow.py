"""A SavedModel's folder run by TensorFlow: its signature, compiled by XLA where that is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from scenarios.bundles.running import Named, Running, bound, port
from scenarios.core.data import nests
from scenarios.core.models.safety import check_graph

SIGNATURE = "serving_default"


def load(place: Path, threads: int, given: Any, xla: bool = False) -> Running:
    """The signature, for calls of the shape of `given`."""
    check_graph(place)
    holder = tf.saved_model.load(str(place))
    function = holder.signatures[SIGNATURE]
    names = list(function.structured_input_signature[1])
    arrays = bound(given, names)
    call = tf.function(lambda **x: function(**x), jit_compile=True) if xla else function
    batch = nests.length(arrays)
    specs = function.structured_input_signature[1]

    def prepare(arrays: Named) -> Any:
        return {name: tf.constant(array, specs[name].dtype) for name, array in arrays.items()}

    def infer(prepared: Any, _holder: Any = holder) -> Any:  # the variables live as long as it
        return call(**prepared)

    def finish(found: Any) -> dict[str, np.ndarray]:
        return {name: np.asarray(array) for name, array in found.items()}

    outputs = function.structured_outputs
    return Running(
        [port(name, arrays[name], _dtype(specs[name].dtype)) for name in names],
        [port(name, _shape(spec), _dtype(spec.dtype)) for name, spec in outputs.items()],
        batch, prepare, infer, finish,
    )  # fmt: skip


def _shape(spec: Any) -> tuple[int | None, ...]:
    return tuple(spec.shape) if spec.shape.rank is not None else ()


def _dtype(kind: Any) -> Any:
    return np.dtype("O") if kind == tf.string else kind.as_numpy_dtype
