"""Which of a model's inputs gets which array: by name, never by place where there are names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data import nests, tables, targets
from scenarios.core.data.signature import Signature, Spec, spec_of
from scenarios.core.data.values import Data, Part


def bound_by_name(data: Data, signature: Signature) -> Data:
    """Data with one array for each of the model's inputs."""
    inputs = data.test.inputs
    if not isinstance(inputs, Mapping):
        if len(signature) == 1:
            return data
        raise UsageError(
            f"{data.name} holds one array of {spec_of(inputs)}, but the model has the inputs "
            f"{_listed(signature)}: give a dict of arrays by these names"
        )
    found = {name: _key(name, inputs) for name in signature}
    if all(key is not None for key in found.values()):
        return _picked(data, {name: str(key) for name, key in found.items()})
    if len(signature) == 1:
        (spec,) = signature.values()
        if len(inputs) == 1:
            return data.with_inputs("only", lambda nest: next(iter(nest.values())))
        return stacked(data if spec.takes_strings else tables.coded(data), spec)
    if len(inputs) == len(signature) and all(key.isdigit() for key in inputs):
        return _picked(data, dict(zip(signature, inputs, strict=True)))  # a list, in Keras's order
    missing = [name for name, key in found.items() if key is None]
    raise UsageError(
        f"{data.name} has no {', '.join(map(repr, missing))}, which the model takes: it has "
        f"{', '.join(inputs)}; name arrays or columns as the model's inputs"
    )


def _picked(data: Data, keys: Mapping[str, str]) -> Data:
    inputs = data.test.inputs
    left = [key for key in inputs if key not in keys.values()]
    notes = data.notes
    if left:
        notes = (*notes, f"not used, because the model has no such input: {', '.join(left)}")
    elif len(keys) > 1 and list(keys) == list(keys.values()) == list(inputs):
        return data
    return data.with_inputs(
        f"bind {sorted(keys.items())}",
        lambda nest: {name: nest[key] for name, key in keys.items()},
        notes=notes,
    )


def stacked(data: Data, spec: Spec | None) -> Data:
    """Columns as one matrix [N, columns], in their order."""
    inputs = data.test.inputs
    if not isinstance(inputs, Mapping):
        return data
    if any(array.shape[1:] not in ((), (1,)) for array in inputs.values()):
        if spec is None:
            return data
        raise UsageError(
            f"{data.name} holds {_listed({k: spec_of(v) for k, v in inputs.items()})}, but the "
            f"model has one input of {spec}: give one array, or name one of them as the input"
        )
    strings = any(nests.is_text(array) for array in inputs.values())
    order = list(inputs)

    def stack(nest: Any) -> np.ndarray:
        matrix = np.concatenate([nest[name].reshape(-1, 1) for name in order], axis=1)
        return matrix if strings else matrix.astype(np.float32)

    note = f"columns were stacked in this order: {', '.join(order)}"
    return data.with_inputs(f"stack {order}", stack, notes=(*data.notes, note))


def with_target_by_elimination(data: Data, signature: Signature) -> Data:
    """Where no target was named and the last column is an input: the one that is none, or none."""
    assumed, inputs = data.assumed_target, data.test.inputs
    if not assumed or not isinstance(inputs, Mapping) or _key(assumed, signature) is None:
        return data
    left = [name for name in inputs if _key(name, signature) is None]
    if len(left) > 1:
        raise UsageError(f"{data.name}: which column is the target? Name it with --target: {left}")
    names = np.array(data.class_names)

    def swap(part: Part) -> Part:
        inputs: Any = part.inputs
        kept = {name: array for name, array in inputs.items() if name not in left}
        values: Any = part.targets
        kept[assumed] = (names[values] if len(names) else values)[:, None]
        return Part(kept, inputs[left[0]].ravel() if left else None)

    test = swap(data.test)
    train = test if data.train is None else swap(data.train)
    classes, labels = 0, ()
    said = "every column is an input of the model: there is no target"
    if left:
        known, classes, labels = targets.read(nests.concat([train.targets, test.targets]))
        edge = len(train)
        train = Part(train.inputs, nests.take(known, slice(0, edge)))
        test = Part(test.inputs, nests.take(known, slice(edge, None)))
        said = f"{left[0]!r}, which is no input of the model, was taken as target"
    notes = (*(note for note in data.notes if repr(assumed) not in note), said)
    return data.derived(
        f"target {left}", train=train, test=test, classes=classes, class_names=labels,
        notes=notes, assumed_target="",
    )  # fmt: skip


def _key(name: str, available: Mapping[str, Any]) -> str | None:
    """The key that is `name`, or would be but for case, spaces and signs."""
    if name in available:
        return name
    plain = {_plain(key): key for key in available}
    return plain.get(_plain(name))


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _listed(specs: Mapping[str, Spec]) -> str:
    return ", ".join(f"{name!r} ({spec})" for name, spec in specs.items())
