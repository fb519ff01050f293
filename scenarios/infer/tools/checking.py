"""Whether a converted network computes what it did: each output beside the float network's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.results.errors import NotEngaged
from bench.results.tolerance import NOISE
from scenarios.core.data import nests
from scenarios.core.workload import Workload

EXAMPLES, MOST_EXAMPLES = 8, 256
LARGEST = {"float32": 1e-2, **NOISE}
"""Norm of an output's error ÷ norm of the float network's output."""
CLEARLY = 0.5
"""Another output of the same shape fits better, when its error is below this share."""


def follows_network(
    workload: Workload, predict: Callable[[Any], Any], precision: str
) -> dict[str, Any]:
    """The largest relative error of any output on a few test inputs.

    Raises:
        NotEngaged: An output is missing, has another shape, is not finite, is off by more than
            `precision` allows, or fits another output of the network better; names the output.
    """
    reference = workload.reference()
    if reference is None:
        return {}
    try:
        return _follows(workload, predict, precision, reference, EXAMPLES)
    except NotEngaged:
        if precision not in NOISE or len(workload.data.test) <= EXAMPLES:
            raise
        # A reduced precision moves single answers far: a few examples cannot tell.
        return _follows(workload, predict, precision, reference, MOST_EXAMPLES)


def _follows(
    workload: Workload, predict: Callable[[Any], Any], precision: str, reference: Any, count: int
) -> dict[str, Any]:
    wanted = {k: np.asarray(v[:count]) for k, v in nests.named(reference, "output").items()}
    outputs = predict(nests.take(workload.data.test.inputs, slice(0, count)))
    found = {k: np.asarray(v, np.float64) for k, v in nests.named(outputs, "output").items()}
    if len(found) == len(wanted) == 1:
        found = dict(zip(wanted, found.values(), strict=True))
    errors = {}
    for name, right in wanted.items():
        if name not in found:
            raise NotEngaged(f"the converted network has no output {name!r}, but {sorted(found)}")
        errors[name] = _error_of(name, found[name], right, precision)
        _not_anothers(name, found[name], wanted, errors[name])
    worst = max(errors, key=errors.__getitem__)
    several = {"least_exact_output": worst} if len(errors) > 1 else {}
    return {"relative_error": errors[worst], **several}


def _error_of(name: str, found: np.ndarray, right: np.ndarray, precision: str) -> float:
    if found.shape != right.shape:
        raise NotEngaged(
            f"output {name!r} of the converted network has shape {list(found.shape)}, the float "
            f"network's {list(right.shape)}"
        )
    if not np.isfinite(found).all() and np.isfinite(right).all():
        raise NotEngaged(f"output {name!r} of the converted network is not finite")
    error = _relative(found, right)
    if error > LARGEST[precision]:
        raise NotEngaged(
            f"output {name!r} of the converted network is off by {error:.0%} of the float "
            f"network's; {precision} may be off by {LARGEST[precision]:.0%}"
        )
    return error


def _not_anothers(
    name: str, found: np.ndarray, wanted: dict[str, np.ndarray], error: float
) -> None:
    for other, right in wanted.items():
        if other != name and right.shape == found.shape:
            theirs = _relative(found, right)
            if theirs < CLEARLY * error and _relative(wanted[name], right) > error:
                raise NotEngaged(
                    f"output {name!r} of the converted network holds what output {other!r} of the "
                    f"float network does: off by {error:.0%} from its own, {theirs:.0%} from that"
                )


def _relative(found: np.ndarray, right: np.ndarray) -> float:
    reference = np.asarray(right, np.float64)
    scale = float(np.linalg.norm(reference))
    distance = float(np.linalg.norm(np.nan_to_num(found - reference)))
    return distance / scale if scale else float(distance > 0)
