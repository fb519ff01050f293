"""Targets in the form that a task's loss and metrics take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data import nests, targets
from scenarios.core.data.values import Data

if TYPE_CHECKING:
    from scenarios.core.tasks.values import Task


def fitted(task: Task, data: Data) -> Data:
    """Data with fitted targets; the same data where nothing is to be done."""
    if data.test.targets is None:
        return data
    if task.parts:
        steps = {name: _step(part, data, nests.named(data.test.targets).get(name))
                 for name, part in task.parts.items()}  # fmt: skip
        return data.with_targets(
            f"parts {[(name, part.kind) for name, part in task.parts.items()]}",
            lambda known: {name: steps[name](array) for name, array in known.items()},
        )
    if task.kind == "other":
        return data
    only = next(iter(nests.arrays(data.test.targets)))
    step = _step(task, data, only)
    if isinstance(data.test.targets, np.ndarray) and step(only) is only:
        return data
    classes = task.classes if task.kind in ("classification", "binary") else 0
    names = data.class_names if classes == data.classes else task.class_names
    notes = tuple(note for note in data.notes if targets.NUMBERED not in note)
    if counted_from_1(data, task.classes):
        notes = (
            *notes,
            f"labels 1 to {classes} {targets.NUMBERED}: the model has {classes} outputs",
        )
    return data.with_targets(
        f"targets {task.kind} {task.classes}",
        lambda known: step(next(iter(nests.arrays(known)))),
        classes=classes,
        class_names=names if classes else (),
        notes=notes,
    )


def _step(task: Task, data: Data, example: Any) -> Callable[[np.ndarray], np.ndarray]:
    names = np.array(data.class_names)
    original = names if len(names) and names.dtype.kind in "iuf" else None
    if task.kind == "classification":
        if counted_from_1(data, task.classes):
            return lambda array: array - 1
        return lambda array: _numbers(array, task.classes, original)
    if task.kind == "binary":
        return lambda array: array if array.dtype == np.int64 else array.astype(np.int64)
    if task.kind == "regression":
        return lambda array: _reals(array, original)
    if task.kind == "segmentation":
        return lambda array: _masks(array, task.classes)
    return lambda array: array


def counted_from_1(data: Data, units: int) -> bool:
    """Whether class numbers go from 1 to the number of outputs: the first is for 1."""
    if not isinstance(data.test.targets, np.ndarray) or data.class_names:
        return False
    parts = [part.targets for part in (data.train, data.test) if part is not None]
    known = [np.asarray(each) for each in parts if each is not None]
    return (
        all(each.ndim == 1 and each.dtype.kind in "iu" for each in known)
        and min(each.min() for each in known) == 1
        and max(each.max() for each in known) == units
    )


def _numbers(array: np.ndarray, classes: int, original: np.ndarray | None) -> np.ndarray:
    if array.ndim > 1:
        return np.asarray(np.argmax(array, axis=-1))
    if original is not None and classes > len(original) and original.min() >= 0 \
            and original.max() < classes:  # fmt: skip
        return np.asarray(original[array], np.int64)  # a unit for each of the source's own numbers
    return array if array.dtype == np.int64 else array.astype(np.int64)


def _reals(array: np.ndarray, original: np.ndarray | None) -> np.ndarray:
    values = original[array] if original is not None and array.dtype.kind in "iu" else array
    return values.astype(np.float32, copy=False)


def _masks(array: np.ndarray, classes: int) -> np.ndarray:
    if array.ndim > 3 and array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim > 3:
        array = np.argmax(array, axis=-1)
    highest = int(array.max(initial=0))
    if classes == 2 and highest > 1:  # masks drawn in black and white
        array = (array > highest / 2).astype(np.int64)
    elif highest >= classes:
        raise UsageError(
            f"masks hold class {highest}, but the model has {classes} outputs a pixel: number "
            f"classes from 0 to {classes - 1}"
        )
    return array
