"""Values as JSON and back: dataclasses by their type hints."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from bench.results.values import Turn

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """The value as plain dicts and lists; fields that hold their default are left out."""
    out: dict[str, Any] = {}
    for spec in dataclasses.fields(value):
        item = getattr(value, spec.name)
        default = spec.default_factory() if callable(spec.default_factory) else spec.default
        if item != default:
            out[spec.name] = _plain(item)
    return out


def from_json(kind: type[T], data: Mapping[str, Any]) -> T:
    """The value `to_json` wrote. Unknown fields are ignored, so that newer files still load."""
    known = hints(kind)  # type: ignore[arg-type]
    return kind(**{k: _typed(known[k], v) for k, v in data.items() if k in known})


@functools.cache
def hints(kind: type) -> dict[str, Any]:
    """Types of a value's fields; kept, because a history loads a hundred thousand of them."""
    return typing.get_type_hints(kind)


def _plain(item: Any) -> Any:
    if isinstance(item, Turn):
        turn = [item.round, item.position, item.steps, item.elapsed_ns]
        return [*turn, item.delayed_ns] if item.delayed_ns else turn
    if dataclasses.is_dataclass(item):
        return to_json(item)
    if isinstance(item, Mapping):
        return {str(k): _plain(v) for k, v in item.items()}
    if isinstance(item, (list, tuple)):
        return [_plain(v) for v in item]
    if hasattr(item, "item"):  # a NumPy scalar
        return item.item()
    return item


def _typed(hint: Any, item: Any) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and isinstance(item, list):
        return tuple(_typed(args[0], v) for v in item)
    if origin is Mapping and isinstance(item, Mapping):
        return {k: _typed(args[1], v) for k, v in item.items()}
    if hint is Turn:
        return Turn(*item)
    if origin is types.UnionType and item is not None:
        return _typed(next(a for a in args if a is not type(None)), item)
    if dataclasses.is_dataclass(hint) and isinstance(item, Mapping):
        return from_json(typing.cast(type, hint), item)
    return item
