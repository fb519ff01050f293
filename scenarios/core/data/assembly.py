"""Putting what a source gave into one form: kinds of inputs, targets, a train and a test part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import nests, targets
from scenarios.core.data.nests import Nest
from scenarios.core.data.values import Data, Kind, Part

LEAST = 4
TEST_SHARE = 0.25
SMALLEST_IMAGE = 8
"""Rows and columns from which on arrays [N, rows, columns] are read as grey images."""


def assembled(
    name: str,
    train: Part,
    test: Part | None,
    spec: WorkloadSpec,
    kind: Kind | None = None,
    notes: tuple[str, ...] = (),
    test_share: float = TEST_SHARE,
    target_accuracy: float | None = None,
) -> Data:
    """Data of what a source gave: a train part and a test part, or one part that is split.

    The split is fixed: stratified where targets are classes, the last examples for a forecast,
    else at random.

    Raises:
        UsageError: Inputs and targets do not fit together, or there are too few.
    """
    parts = [part for part in (train, test) if part is not None]
    for part in parts:
        _check(name, part)
    given, said = _read_images([part.inputs for part in parts])
    said = (*said, *_not_finite(parts))
    classes, labels = 0, ()
    known: list[Any] = [nests.mapped(_column, part.targets) for part in parts]
    if all(part.targets is not None for part in parts):
        everything, classes, labels = targets.read(nests.concat(known), spec.task)
        edges = (slice(0, len(train)), slice(len(train), None))
        known = [nests.take(everything, edge) for edge in edges[: len(parts)]]
        _check_values(name, everything)
        if labels:
            said = (*said, targets.numbering(labels))
    kind = kind or kind_of(given[0])
    parts = [Part(x, y) for x, y in zip(given, known, strict=True)]
    shuffled = test is None
    if test is None:
        parts = split(name, parts[0], classes, kind, spec.seed, test_share)
    data = Data(
        name, kind, parts[0], parts[1], classes, target_accuracy, (*notes, *said), labels,
        shuffled=shuffled,
    )  # fmt: skip
    if min(len(parts[0]), len(parts[1])) < 2 or classes == 1:
        raise UsageError(
            f"data {name!r} has {len(parts[0])} training and {len(parts[1])} test examples"
            + (f" of {classes} classes" if classes else "")
            + ": at least 2 of each are needed"
        )
    return data


def split(
    name: str, part: Part, classes: int, kind: Kind, seed: int, test_share: float = TEST_SHARE
) -> list[Part]:
    """A fixed train and test part.

    Raises:
        UsageError: There are too few examples, or too few of one class.
    """
    from sklearn.model_selection import train_test_split

    count = len(part)
    strata = targets.strata(part.targets, classes)
    occurring = np.unique(strata, return_counts=True)[1] if strata is not None else np.array([2])
    if count < LEAST or occurring.min() < 2:
        rare = int((occurring < 2).sum())
        raise UsageError(
            f"{name}: every class needs at least 2 examples, and {LEAST} are needed in all; there "
            f"are {count}, and {rare} of {len(occurring)} classes have a single one"
        )
    if kind == "series" and strata is None:  # a forecast is judged on what comes later
        edge = count - max(2, round(count * test_share))
        return [part.take(slice(0, edge)), part.take(slice(edge, count))]
    share = max(test_share, len(occurring) / count) if strata is not None else test_share
    train, test = train_test_split(
        np.arange(count), test_size=share, random_state=seed, stratify=strata
    )
    return [part.take(train), part.take(test)]


def by_name(arrays: Mapping[str, np.ndarray], name: str) -> tuple[Part, Part | None]:
    """Parts of arrays named `x, y`, `x_train, y_train, x_test, y_test`, or inputs by their names.

    `y` (or `y_NAME` of several) are the targets; every other name is an input, with `_train` and
    `_test` where the parts are given. `X` and `Y`, or what else people call one array of inputs and
    one of targets (`images` and `labels`), are `x` and `y`.

    Raises:
        UsageError: Only one of the two parts is there.
    """
    groups: dict[str, dict[str, np.ndarray]] = {"": {}, "train": {}, "test": {}}
    for key, array in arrays.items():
        base, _, ending = key.rpartition("_")
        ending = {"val": "test", "valid": "test"}.get(ending, ending)
        found = ending if base and ending in ("train", "test") else ""
        groups[found][base if found else key] = array
    groups = {part: _plainly_named(each) for part, each in groups.items()}
    if not (groups["train"] or groups["test"]):
        return _part(groups[""], name), None
    if set(groups["train"]) != set(groups["test"]) or groups[""]:
        raise UsageError(
            f"{name} holds {sorted(arrays)}: name the arrays x_train, y_train, x_test, y_test "
            "or x, y"
        )
    return _part(groups["train"], name), _part(groups["test"], name)


INPUTS = ("x", "data", "features", "image", "images", "input", "inputs")
TARGETS = ("y", "label", "labels", "target", "targets")


def _plainly_named(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same as `x` and `y` where one is plainly the inputs and the other the targets."""
    names = {
        key: plain
        for key in arrays
        for plain, known in (("x", INPUTS), ("y", TARGETS))
        if key.lower() in known
    }
    plain = len(names) == len(arrays) == len(set(names.values()))
    return {names[key]: array for key, array in arrays.items()} if plain else arrays


def kind_of(inputs: Nest) -> Kind:
    """What inputs look like they are."""
    each = list(nests.arrays(inputs))
    if any(nests.is_text(array) for array in each):
        single = len(each) == 1
        return "text" if single else "table"
    if len(each) == 1 and each[0].ndim == 4 and each[0].shape[-1] <= 4:
        return "images"
    return "series" if any(array.ndim > 2 for array in each) else "table"


def _part(arrays: Mapping[str, np.ndarray], name: str) -> Part:
    inputs = {key: array for key, array in arrays.items() if key != "y" and key[:2] != "y_"}
    known = {key.removeprefix("y_"): array for key, array in arrays.items() if key not in inputs}
    if not inputs:
        raise UsageError(f"{name} holds {sorted(arrays)}: name the inputs x, the targets y")
    return Part(
        inputs["x"] if list(inputs) == ["x"] else inputs,
        known["y"] if list(known) == ["y"] else known or None,
    )


def _check(name: str, part: Part) -> None:
    for role, nest in (("inputs", part.inputs), ("targets", part.targets)):
        for key, array in nests.named(nest, role).items() if nest is not None else ():
            if array.ndim == 0 or array.dtype.kind == "c":
                raise UsageError(
                    f"{name}: {key} is {array.dtype} of shape {array.shape}: give arrays"
                )
            if len(array) != len(part):
                longest = max(len(a) for a in nests.arrays(part.inputs))
                raise UsageError(f"{name}: {longest} inputs but {len(array)} {key}")
    if part.targets is not None and (got := nests.length(part.targets)) != len(part):
        raise UsageError(f"{name}: {len(part)} inputs but {got} targets")
    if not len(part):
        raise UsageError(f"{name} holds no examples: at least 2 of each part are needed")


def _column(array: np.ndarray | None) -> np.ndarray | None:
    """[N, 1] as [N]."""
    return array[:, 0] if array is not None and array.shape[1:] == (1,) else array


def _check_values(name: str, known: Nest) -> None:
    for array in nests.arrays(known):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = int((~np.isfinite(array)).sum())
            raise UsageError(f"{name}: {wrong} of {array.size} targets are not finite: remove them")


def _not_finite(parts: list[Part]) -> Iterator[str]:
    """A note where examples hold values that are no numbers."""
    wrong = sum(int(np.sum(~nests.finite(part.inputs))) for part in parts)
    if wrong:
        yield (
            f"{wrong:,} of {sum(map(len, parts)):,} examples hold inputs that are not finite (nan "
            "or infinite): remove or replace them, unless the model is made for them"
        )


def _read_images(given: list[Nest]) -> tuple[list[Nest], tuple[str, ...]]:
    """Inputs, grey images [N, H, W] with a channel; real numbers as float32."""
    shapes = {array.shape[1:] for nest in given for array in nests.arrays(nest)}
    flat = len(shapes) == 1 and all(
        isinstance(nest, np.ndarray) and _looks_grey(nest) for nest in given
    )
    said: tuple[str, ...] = ()
    if flat:
        height, width = next(iter(shapes))
        said = (f"arrays [N, {height}, {width}] were read as grey images with one channel",)
        given = [nest[..., None] for nest in given if isinstance(nest, np.ndarray)]
    return [nests.mapped(_plain, nest) for nest in given], said


def _looks_grey(array: np.ndarray) -> bool:
    """[N, H, W] of pixels: not negative, within the range of 8 or 16 bits or of 0..1."""
    if array.ndim != 3 or array.dtype.kind not in "uif":
        return False
    if array.dtype in (np.uint8, np.uint16):
        return True
    if min(array.shape[1:]) < SMALLEST_IMAGE or not array.size:
        return False
    high = 1 if array.dtype.kind == "f" else 65535
    return bool(array.min() >= 0 and array.max() <= high)


def _plain(array: np.ndarray) -> np.ndarray:
    if nests.is_text(array):
        return array.astype(str)
    return array.astype(np.float32) if array.dtype.kind == "f" else array
