"""What targets are: class numbers, one-hot rows, tags, masks or real numbers. Never cast."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data import nests
from scenarios.core.data.nests import Nest

NUMBERED = "were numbered from 0"
MOST_SAID = 8
"""Labels that a note lists."""
Form = Literal["numbers", "one-hot", "tags", "mask", "reals"]
MOST_SCATTERED = 20
"""Distinct whole numbers, not counted from 0 or 1, that are still taken for classes."""


def read(targets: Nest, task: str = "auto") -> tuple[Nest, int, tuple[Any, ...]]:
    """Targets as they are kept, the number of classes (0: no class numbers) and their labels.

    Whole numbers of one column are class numbers where each occurs several times and they count
    from 0 or 1, or are few; labels that are no number or leave gaps are numbered, and kept as
    names. Real numbers become float32 and stay what they are.

    Raises:
        UsageError: Class numbers are negative.
    """
    if not isinstance(targets, np.ndarray):
        if len(targets) != 1:
            return nests.mapped(_plain, targets), 0, ()
        (targets,) = targets.values()
    column = targets.reshape(len(targets)) if targets.size == len(targets) else None
    if column is None or not _are_classes(column, task):
        return _plain(targets), 0, ()
    if nests.is_text(column) or column.dtype.kind == "b":
        names, numbers = np.unique(column.astype(str), return_inverse=True)
        return numbers.astype(np.int64), len(names), tuple(names.tolist())
    distinct, numbers = np.unique(column, return_inverse=True)
    low, high = distinct[0], distinct[-1]
    if low < 0 and len(distinct) > 2:
        raise UsageError(f"labels go from {low:g} to {high:g}: class numbers must be 0 or more")
    if low >= 0 and high + 1 <= 2 * len(distinct):
        return column.astype(np.int64), int(high) + 1, ()
    return numbers.astype(np.int64), len(distinct), tuple(distinct.tolist())


def numbering(labels: tuple[Any, ...]) -> str:
    """The note that says which label has become which number."""
    listed = ", ".join(
        each if isinstance(each, str) else f"{each:g}" for each in labels[:MOST_SAID]
    )
    more = ", …" if len(labels) > MOST_SAID else ""
    order = " in alphabetical order" if isinstance(labels[0], str) else ""
    return f"labels {listed}{more} {NUMBERED}{order}"


def form(targets: np.ndarray, classes: int = 0) -> Form:
    """What one array of targets is; `classes` as `read` found it."""
    if classes:
        return "numbers"
    whole = targets.dtype.kind in "iub"
    if targets.ndim >= 3 and whole:
        return "mask"
    if targets.ndim == 2 and targets.shape[1] > 1 and np.isin(targets, (0, 1)).all():
        return "one-hot" if (targets.sum(axis=1) == 1).all() else "tags"
    return "numbers" if whole and targets.size == len(targets) else "reals"


def strata(targets: Nest | None, classes: int) -> np.ndarray | None:
    """Class numbers [N] by which examples can be stratified, None where there are none."""
    if not isinstance(targets, np.ndarray):
        return None
    if classes:
        return targets
    return np.argmax(targets, axis=1) if form(targets) == "one-hot" else None


def _are_classes(column: np.ndarray, task: str) -> bool:
    if nests.is_text(column) or column.dtype.kind == "b" or not len(column):
        return True
    if task == "regression" or not np.isfinite(column).all() or (column != column.round()).any():
        return False
    distinct = np.unique(column)
    low, count = distinct[0], len(distinct)
    counted = distinct[-1] - low + 1 == count and low in (0, 1)
    if task in ("classification", "binary"):
        return True
    if column.dtype.kind == "f":  # whole, but written as real numbers: only plain counting
        return bool(counted and low == 0 and len(column) >= 2 * count)
    return bool(counted or count <= MOST_SCATTERED) and (len(column) >= 2 * count or count <= 3)


def _plain(targets: np.ndarray) -> np.ndarray:
    if nests.is_text(targets):
        return np.unique(targets.astype(str), return_inverse=True)[1].reshape(targets.shape)
    if targets.dtype.kind == "f":
        return targets.astype(np.float32)
    return targets if targets.ndim > 1 else targets.astype(np.int64)
