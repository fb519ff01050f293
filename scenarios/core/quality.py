"""How good a path is on the test examples, by the workload's own metric or by agreement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.results.likeness import ROUNDED
from scenarios.core.data import calibration, nests
from scenarios.core.models import keras_models
from scenarios.core.tasks import agreement

FIXED_INPUTS = 8
"""Test examples whose outputs are compared with the baseline's."""
MOST_BYTES = 16 * 2**20
"""Of inputs that are answered at once."""
WORTH_A_CAUSE, CAUSE_EXAMPLES = 0.25, 256
"""Relative error from which on it is asked what rounded inputs do, and on how many examples."""
LEVELS = 255
"""Steps of eight bits."""
MOST_OUTPUTS = 4096
"""Values of outputs on fixed inputs that a launch reports: of larger outputs, as many evenly."""


def predict(model: Callable[..., Any], x: Any, batch: int = 256) -> Any:
    """Outputs of inputs [N, ...] by a Keras model in inference mode."""
    return in_blocks(keras_models.answering(model), x, block_of(x, batch))


def block_of(x: Any, most: int) -> int:
    """Examples that are answered at once: `most`, or fewer where these are large.

    A network's features take some hundred times the bytes of its inputs.
    """
    one = sum(array.nbytes / max(1, len(array)) for array in nests.arrays(x))
    return max(1, min(most, int(MOST_BYTES / max(1.0, one))))


def in_blocks(infer: Callable[[Any], Any], x: Any, batch: int) -> Any:
    """Outputs (a nest) of inputs (a nest) by a function that takes `batch` examples at a time.

    The last block is filled up with the first examples, so that every block has one shape.
    """
    count = nests.length(x)
    filled = np.arange(-(-count // batch) * batch) % count
    blocks = [
        nests.mapped(_real, infer(nests.mapped(np.ascontiguousarray, nests.take(x, chosen))))
        for chosen in np.split(filled, len(filled) // batch)
    ]
    return nests.take(nests.concat(blocks), slice(0, count))


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of examples whose highest score [N, classes] is at the label [N]."""
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


def of_path(path: Any, workload: Any, kind: str) -> dict[str, Any]:
    """Quality on the test examples, and outputs on fixed inputs (inference paths).

    Returns:
        Fields of `Launch`, by name.
    """
    answer: dict[str, Any] = {}
    if getattr(path, "accuracy", None) is not None:
        answer["accuracy"] = float(path.accuracy())
    infer = getattr(path, "predict", None)
    model = getattr(path, "model", None)
    if infer is None and model is not None and kind == "train":

        def infer(x: Any) -> Any:
            return predict(model, x)

    if infer is None:
        return answer
    test = workload.data.test
    outputs = infer(test.inputs)
    judged = workload.task.quality(outputs, test.targets)
    if judged is not None:
        answer |= judged.as_answer()
    if kind != "infer":
        return answer
    reference = workload.reference(outputs)
    if reference is not None:
        answer["agreement"] = agreement(outputs, reference)
        if answer["agreement"]["relative_error"] > WORTH_A_CAUSE:
            answer["agreement"] |= rounded_inputs(workload, reference)
    found = nests.named(nests.take(outputs, slice(0, FIXED_INPUTS)), "output")
    fixed = {name: found[name] for name in sorted(found)}  # runtimes have orders of their own
    answer["outputs"] = [value for each in fixed.values() for value in _sampled(each, len(fixed))]
    if len(fixed) > 1:
        answer["outputs_named"] = {name: _sampled(each, len(fixed)) for name, each in fixed.items()}
    return answer


def rounded_inputs(workload: Any, reference: Any) -> dict[str, float]:
    """What becomes of the original's outputs when its inputs alone are rounded to eight bits.

    Each input on one scale, as converters quantize it: of a raw table, all columns on that of the
    largest. The scale is that of the calibration examples, beyond which inputs are cut off. Asked
    of examples that lie evenly over the test part.

    Returns:
        What `agreement` tells and the number of `examples`, their names ending in `ROUNDED`.
    """
    data = workload.data
    seen = nests.named(calibration(data, seed=workload.spec.seed).inputs)
    count = min(CAUSE_EXAMPLES, nests.length(data.test.inputs))
    chosen = np.linspace(0, nests.length(data.test.inputs) - 1, count).round().astype(int)
    drawn = nests.take(data.test.inputs, chosen)
    levelled = {name: _on_levels(each, seen[name]) for name, each in nests.named(drawn).items()}
    inputs = levelled if isinstance(drawn, Mapping) else levelled[""]
    outputs = in_blocks(workload.network(), inputs, workload.facts.fixed_batch or 32)
    found = agreement(outputs, nests.take(reference, chosen)) | {"examples": float(count)}
    return {f"{name}{ROUNDED}": value for name, value in found.items()}


def _on_levels(array: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """An array on the levels of eight bits that span the range of what was seen, and 0."""
    if array.dtype.kind != "f" or not array.size or not seen.size:
        return array
    low, high = min(0.0, float(seen.min())), max(0.0, float(seen.max()))
    step = (high - low) / LEVELS or 1.0
    levels = np.clip(np.round((array - low) / step), 0, LEVELS)
    return (levels * step + low).astype(array.dtype)


def _real(array: Any) -> np.ndarray:
    found = np.asarray(array)
    return found if found.dtype.kind in "OUS" else found.astype(np.float32)


def _sampled(array: np.ndarray, count: int) -> list[float]:
    flat = np.asarray(array, dtype=np.float64).ravel()
    step = max(1, -(-flat.size // (MOST_OUTPUTS // count)))
    return [float(value) for value in flat[::step]]
