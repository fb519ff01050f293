"""How good a model is on the test half."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

FIXED_INPUTS = 8
"""Test examples whose outputs are compared with the baseline's."""


def predict(model: Callable[..., Any], x: np.ndarray, batch: int = 256) -> np.ndarray:
    """Class scores [N, classes] of inputs [N, ...] by a Keras model called in inference mode."""
    return in_blocks(lambda block: model(block, training=False), x, batch)


def in_blocks(infer: Callable[[np.ndarray], Any], x: np.ndarray, batch: int) -> np.ndarray:
    """Scores [N, classes] of inputs [N, ...] by a function that takes `batch` of them at a time.

    The last block is filled up with the first examples, so that every block has one shape.
    """
    filled = np.arange(-(-len(x) // batch) * batch) % len(x)
    blocks = [
        np.asarray(infer(np.ascontiguousarray(x[filled[i : i + batch]])), dtype=np.float32)
        for i in range(0, len(filled), batch)
    ]
    return np.concatenate(blocks)[: len(x)]


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of examples whose highest score [N, classes] is at the label [N]."""
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


def of_path(path: Any, workload: Any, kind: str) -> dict[str, Any]:
    """Predictions on the test half, and outputs on fixed inputs (inference paths)."""
    answer: dict[str, Any] = {}
    if getattr(path, "accuracy", None) is not None:
        answer["accuracy"] = float(path.accuracy())
    infer = getattr(path, "predict", None)
    if infer is None and getattr(path, "model", None) is not None and kind == "train":
        infer = partial(predict, path.model)
    if infer is None:
        return answer
    scores = np.asarray(infer(workload.data.x_test))
    named = np.argmax(scores, axis=-1)
    right = (named == workload.data.y_test).astype(int)
    answer |= {
        "accuracy": float(right.mean()),
        "predictions": named.tolist(),
        "correct": right.tolist(),
    }
    if kind == "infer":
        answer["outputs"] = [float(x) for x in scores[:FIXED_INPUTS].ravel()]
    return answer
