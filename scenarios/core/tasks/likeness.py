"""Whether answers vary over the examples as a reference's do, and each stands in its own place.

A small error alone does not tell: outputs that hardly differ may be swapped, or examples reversed,
within the noise that a reduced precision is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

FEWEST = 3
"""Examples from which on one sees how answers vary over them."""
STEP = 1 / 256
"""Of the largest answer: what varies less, eight bits may round away."""
CHANCE = 3.0
"""Standard deviations above the mean that answers dealt out at random hardly reach."""
CLEARLY = 0.5
"""Another's answers fit better when what is left of the error is below this share."""
FALSE_ALARM = 1e-6
"""Chance that noise alone makes two columns look swapped."""
MOST_ROWS, MOST_COLUMNS = 4096, 1024
"""Of outputs whose columns are compared with one another."""


def of_outputs(own: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """How outputs [N, ...] vary beside a reference's.

    Returns:
        `correlation` over all values, each position's mean taken off, `correlation_chance`, what
        examples in random order hardly exceed, and `variation`, the share of the reference's norm
        that is left without means; all absent where the reference does not vary.
        `displaced`: how many columns of the last axis (classes, say) hold one another's answers.
    """
    count = len(reference)
    if count < FEWEST:
        return {}
    a, b = own - own.mean(axis=0), reference - reference.mean(axis=0)
    answer = {}
    if math.sqrt(np.mean(b**2)) > STEP * np.abs(reference).max():
        norms = float(np.linalg.norm(a) * np.linalg.norm(b))
        answer["correlation"] = float(np.sum(a * b)) / norms if norms else 0.0
        answer["variation"] = float(np.linalg.norm(b) / np.linalg.norm(reference))
        answer["correlation_chance"] = CHANCE / math.sqrt(count - 1)
    columns = b.shape[-1] if b.ndim > 1 else 1
    if 1 < columns <= MOST_COLUMNS:
        answer["displaced"] = float(len(_displaced_columns(_rows(a), _rows(b), count)))
    return answer


def displaced(own: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Outputs that hold one another's answers in turn: name → whose answers it holds."""
    names = list(reference)
    fits = list(range(len(names)))
    for i, name in enumerate(names):
        alike = [j for j, other in enumerate(names)
                 if j != i and np.shape(reference[other]) == np.shape(own[name])]  # fmt: skip
        if alike:
            errors = {j: _distance(own[name], reference[names[j]]) for j in (i, *alike)}
            best = min(alike, key=errors.__getitem__)
            if errors[best] < CLEARLY * errors[i]:
                fits[i] = best
    return {names[i]: names[fits[i]] for i in _in_turn(fits)}


def by_chance(own: np.ndarray, reference: np.ndarray) -> float | None:
    """The share of equal choices that answers dealt out at random hardly exceed.

    Args:
        own: A choice an example [N].
        reference: The choices that it is held against.

    Returns:
        None where the reference always chooses the same, which tells nothing.
    """
    classes, codes = np.unique(np.concatenate([own, reference]), return_inverse=True)
    mine, theirs = np.split(codes, [len(own)])
    n, m = (np.bincount(each, minlength=len(classes)) / len(own) for each in (mine, theirs))
    if np.count_nonzero(m) < 2:
        return None
    mean = float(n @ m)
    apart = np.eye(len(classes)) - m[:, None] - n[None, :] + mean  # of each pair of choices
    variance = float(n @ apart**2 @ m) / max(1, len(own) - 1)
    return min(1.0, mean + CHANCE * math.sqrt(variance))


def _displaced_columns(own: np.ndarray, reference: np.ndarray, examples: int) -> list[int]:
    """Columns that hold one another's answers in turn, beyond what noise alone could do."""
    columns = own.shape[1]
    distances = (
        np.sum(own**2, axis=0)[:, None]
        + np.sum(reference**2, axis=0)[None, :]
        - 2 * own.T @ reference
    ).clip(min=0)
    # Noise in n dimensions points so closely at a given column with chance left ^ ((n - 2) / 2).
    left = (FALSE_ALARM / columns**2) ** (1 / (examples - 2))
    best = distances.argmin(axis=1)
    at = np.arange(columns)
    clear = distances[at, best] < min(CLEARLY**2, left) * distances[at, at]
    return _in_turn(np.where(clear, best, at).tolist())


def _in_turn(fits: Sequence[int]) -> list[int]:
    """Places on a circle of two and more, each leading to the one that it fits.

    Answers that shrank fit smaller ones, which is a chain, and no circle.
    """
    found = []
    for start in range(len(fits)):
        place = fits[start]
        for _ in fits:
            if place in (start, fits[place]):
                break
            place = fits[place]
        if place == start != fits[start]:
            found.append(start)
    return found


def _rows(array: np.ndarray) -> np.ndarray:
    rows = array.reshape(-1, array.shape[-1])
    return rows[:: -(-len(rows) // MOST_ROWS)]


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(np.asarray(one, np.float64) - np.asarray(other, np.float64)))
