"""Nests: one array, or a dict of arrays by name; the first axis counts the examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Nest = np.ndarray | Mapping[str, np.ndarray]


def mapped(function: Callable[[Any], Any], nest: Any) -> Any:
    """A nest of `function` of each array."""
    if isinstance(nest, Mapping):
        return {name: function(array) for name, array in nest.items()}
    return function(nest)


def arrays(nest: Nest | None) -> Iterator[np.ndarray]:
    """Its arrays in the order of their names; none of None."""
    if isinstance(nest, Mapping):
        yield from (nest[name] for name in sorted(nest))
    elif nest is not None:
        yield nest


def named(nest: Any, name: str = "") -> dict[str, Any]:
    """Its arrays by name; a single array gets `name`."""
    return dict(nest) if isinstance(nest, Mapping) else {name: nest}


def length(nest: Nest) -> int:
    """Number of examples: of its shortest array, where they differ."""
    return min((len(array) for array in arrays(nest)), default=0)


def take(nest: Nest, indices: Any) -> Any:
    """The examples at `indices` (or of a slice)."""
    return mapped(lambda array: array[indices], nest)


def concat(parts: Sequence[Any]) -> Any:
    """The examples of all nests, one after the other; lengths of other axes are padded."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: concat([part[name] for part in parts]) for name in first}
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    return padded([example for part in parts for example in part])


def padded(examples: Sequence[Any]) -> np.ndarray:
    """Examples of various length as one array, filled up with zeros (or empty strings) at the end.

    Raises:
        ValueError: They differ in their number of axes.
    """
    each = [np.asarray(example) for example in examples]
    if len({example.ndim for example in each}) > 1:
        raise ValueError("examples differ in their number of axes")
    shape = tuple(max(sizes) for sizes in zip(*(example.shape for example in each), strict=True))
    filled = np.zeros((len(each), *shape), np.result_type(*each))
    for place, example in zip(filled, each, strict=True):
        place[tuple(slice(size) for size in example.shape)] = example
    return filled


def is_text(array: np.ndarray) -> bool:
    """Whether an array holds strings."""
    return array.dtype.kind in "OUST"


def finite(nest: Nest) -> np.ndarray:
    """Which examples [N] hold no nan and nothing infinite."""
    good = np.ones(length(nest), bool)
    for array in arrays(nest):
        if array.dtype.kind == "f":
            good &= np.isfinite(array).reshape(len(array), -1).all(axis=1)[: len(good)]
    return good


def update_digest(digest: hashlib._Hash, nest: Nest | None) -> None:
    """Add all that a nest holds, its names too."""
    if isinstance(nest, Mapping):
        digest.update(repr(sorted(nest)).encode())
    for array in arrays(nest):
        digest.update(contents(array))


def contents(array: np.ndarray) -> Any:
    """The array's bytes; of strings their text."""
    if is_text(array):
        return "\0".join(str(text) for text in array.ravel()).encode()
    return np.ascontiguousarray(array).data
