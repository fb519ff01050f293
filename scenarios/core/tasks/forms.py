"""What a network's outputs are, seen from their values: no layer's name tells it reliably."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from scenarios.core.data import nests
from scenarios.core.data.values import Data

Form = Literal["probabilities", "sigmoid", "reals"]
"""Rows that sum to 1; each value in 0..1; anything else (logits among them)."""
EXAGGERATED = (30.0, -30.0)
"""Factors on inputs at which a linear unit leaves 0..1, where ordinary inputs might not show it."""
SUM_TOLERANCE = 5e-3
"""Of rows that should sum to 1: eight-bit probabilities are off by some 1/256."""


def probing(data: Data, count: int = 16) -> Any:
    """Inputs on which the form of outputs shows: test inputs, and the same exaggerated."""
    inputs = nests.take(data.test.inputs, slice(0, count))
    each = [array.dtype.kind for array in nests.arrays(inputs)]
    if "f" not in each:
        return inputs

    def exaggerate(array: np.ndarray) -> np.ndarray:
        if array.dtype.kind != "f":
            return np.concatenate([array] * (1 + len(EXAGGERATED)))
        return np.concatenate([array, *(array * array.dtype.type(f) for f in EXAGGERATED)])

    return nests.mapped(exaggerate, inputs)


def form_of(outputs: np.ndarray) -> Form:
    """The form of outputs [N, ...]."""
    values = np.asarray(outputs, np.float64)
    values = values[np.isfinite(values).all(axis=tuple(range(1, values.ndim)))]
    if not values.size or values.min() < 0 or values.max() > 1 + SUM_TOLERANCE:
        return "reals"
    if values.ndim > 1 and values.shape[-1] > 1:
        sums = values.sum(axis=-1)
        if np.abs(sums - 1).max() <= SUM_TOLERANCE:
            return "probabilities"
    return "sigmoid"


def units(outputs: np.ndarray) -> int:
    """Values an example (or a pixel) has on its last axis."""
    return int(outputs.shape[-1]) if outputs.ndim > 1 else 1


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Probabilities of logits, along the last axis."""
    from scipy.special import softmax as of_logits

    found: np.ndarray = of_logits(np.asarray(outputs, np.float64), axis=-1)
    return found
