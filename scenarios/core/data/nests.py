"""Nests: one array, or a dict of arrays by name; the first axis counts the examples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Nest = np.ndarray | Mapping[str, np.ndarray]


def mapped(function: Callable[[Any], Any], nest: Nest) -> Any:
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


def length(nest: Nest) -> int:
    """Number of examples: of its shortest array, where they differ."""
    return min(len(array) for array in arrays(nest))


def take(nest: Nest, indices: Any) -> Any:
    """The examples at `indices` (or of a slice)."""
    return mapped(lambda array: array[indices], nest)


def concat(parts: Sequence[Any]) -> Any:
    """The examples of all nests, one after the other."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: np.concatenate([part[name] for part in parts]) for name in first}
    return np.concatenate(parts)


def update_digest(digest: hashlib._Hash, nest: Nest | None) -> None:
    """Add all that a nest holds, its names too."""
    if isinstance(nest, Mapping):
        digest.update(repr(sorted(nest)).encode())
    for array in arrays(nest):
        digest.update(contents(array))


def contents(array: np.ndarray) -> Any:
    """The array's bytes; of strings their text."""
    if array.dtype.kind in "OUST":
        return "\0".join(str(text) for text in array.ravel()).encode()
    return np.ascontiguousarray(array).data
