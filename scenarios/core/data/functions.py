"""Data that a function of the user's returns: arrays, dicts, datasets, batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import composition, user_code
from scenarios.core.data import nests, tables
from scenarios.core.data.assembly import assembled, by_name
from scenarios.core.data.values import Data, Part

MOST_EXAMPLES = 1_000_000
LONGEST_S = 60.0
"""How long a dataset is read that does not say how long it is."""
FORMS = (
    "return arrays, a dict of arrays by name, (x, y), ((x, y), (x_test, y_test)), a "
    "tf.data.Dataset or a keras.utils.PyDataset"
)


def function(place: str, spec: WorkloadSpec) -> Data:
    """Data of FILE.py:function (or module:function); it may take `seed`.

    Raises:
        UsageError: It cannot be called, or returned something else; its own errors with file and
            line.
    """
    if place == spec.factory:
        own = composition.of(place).data
        made = own if callable(own) else lambda: own
    else:
        made, _ = user_code.find(place, "data")
    given = user_code.calling(made, **user_code.wanted(made, {"seed": spec.seed}))
    data: Data = user_code.calling(understood, given, spec, place)
    return data


def understood(given: Any, spec: WorkloadSpec, name: str) -> Data:
    """Data of what a user's function returned."""
    if isinstance(given, Data):
        return given
    if _is_frame(given):
        return tables.of_frame(name, given, spec)
    if isinstance(given, Mapping) and set(given) in ({"train", "test"}, {"train", "val"}):
        given = (given["train"], given.get("test", given.get("val")))
        train, test = (_part(part, spec, name) for part in given)
        return assembled(name, train, test, spec)
    if isinstance(given, Mapping) and _has_roles(given):
        arrays = {str(key): _array(value, name) for key, value in given.items()
                  if not isinstance(value, Mapping)}  # fmt: skip
        if len(arrays) == len(given):
            return assembled(name, *by_name(arrays, name), spec)
        return assembled(name, _part((given["x"], given.get("y")), spec, name), None, spec)
    if _are_two_parts(given):
        train, test = (_part(part, spec, name) for part in given)
        return assembled(name, train, test, spec, notes=_of_weights(given[0]))
    return assembled(name, _part(given, spec, name), None, spec, notes=_of_weights(given))


def _of_weights(given: Any) -> tuple[str, ...]:
    """What is to be said where examples come with weights: (x, y, weights)."""
    if _is_dataset(given):
        given = given.element_spec
    elif _is_batches(given):
        given = given[0]
    if isinstance(given, tuple) and len(given) == 3:
        return ("weights of examples are not used: each counts once",)
    return ()


def _part(given: Any, spec: WorkloadSpec, name: str) -> Part:
    """Examples of arrays, (x, y), a dataset or batches."""
    if _is_dataset(given):
        return _of_dataset(given, spec, name)
    if _is_batches(given):
        return _joined(_batches(given, spec, name), spec, name)
    x, y = given[:2] if isinstance(given, tuple) and len(given) in (2, 3) else (given, None)
    if x is None:
        raise UsageError(f"{name} returned no inputs: {FORMS}")
    inputs, targets = _nest(x, name), None if y is None else _nest(y, name)
    part = Part(inputs, targets)
    return part.take(slice(0, spec.take)) if spec.take and len(part) > spec.take else part


def _of_dataset(dataset: Any, spec: WorkloadSpec, name: str) -> Part:
    cardinality = int(dataset.cardinality())
    if cardinality == 0:
        raise UsageError(f"{name}: the dataset is empty")
    if not spec.take and (cardinality == -1 or _repeats(dataset)):  # INFINITE_CARDINALITY
        raise UsageError(f"{name}: the dataset never ends: say how many examples with --take N")
    elements = iter(dataset)
    if cardinality < 0 and not spec.take:
        elements = _ending(elements, name)
    if _is_batched(dataset):
        return _joined(elements, spec, name)
    return _joined((_lifted(element) for element in elements), spec, name)


def _steps(dataset: Any) -> Iterator[tuple[str, Any]]:
    """The steps that a dataset was put together from, the last one first, by their kinds' names."""
    step = dataset
    while step is not None:
        yield type(step).__name__, step
        step = getattr(step, "_input_dataset", None)


def _repeats(dataset: Any) -> bool:
    """Whether it repeats without end, though a later step hides that."""
    for kind, step in _steps(dataset):
        if "Take" in kind:
            return False
        if "Repeat" in kind:
            return int(getattr(step, "_count", 1)) < 0
    return False


def _ending(
    elements: Iterable[Any], name: str, clock: Callable[[], float] = time.monotonic
) -> Iterator[Any]:
    """The elements of a dataset of unknown length.

    Raises:
        UsageError: Reading them takes so long that it may have no end.
    """
    begun = clock()
    for count, element in enumerate(elements):
        if clock() - begun > LONGEST_S:
            raise UsageError(
                f"{name}: the dataset did not end within {LONGEST_S:.0f} s and {count:,} elements: "
                "say how many examples with --take N (more than there are takes all)"
            )
        yield element


def _is_batched(dataset: Any) -> bool:
    """Whether its elements are batches, as Keras wants them: every array has one first axis."""
    import tensorflow as tf

    for kind, _ in _steps(dataset):  # the last that batches or unbatches tells, where it shows
        if "Unbatch" in kind:
            return False
        if "Batch" in kind:
            return True
    shapes = [spec.shape for spec in tf.nest.flatten(dataset.element_spec)]
    if any(shape.rank in (0, None) for shape in shapes):
        return False
    firsts = {shape[0] for shape in shapes}
    return firsts == {None} or (len(shapes) > 1 and len(firsts) == 1)


def _lifted(element: Any) -> Any:
    """One example as a batch of one."""
    import tensorflow as tf

    return tf.nest.map_structure(lambda tensor: np.asarray(tensor)[None], element)


def _batches(given: Any, spec: WorkloadSpec, name: str) -> Iterator[Any]:
    count = getattr(given, "num_batches", None)
    if count is None:
        try:
            count = len(given)
        except (TypeError, ValueError):
            if not spec.take:
                raise UsageError(
                    f"{name}: the batches never end: say how many examples with --take N"
                ) from None
    return (given[i] for i in (range(count) if count is not None else iter(int, 1)))


def _joined(batches: Iterable[Any], spec: WorkloadSpec, name: str) -> Part:
    """Batches (x), (x, y) or (x, y, weights) put together, as many examples as are wanted."""
    parts, examples = [], 0
    most = spec.take or MOST_EXAMPLES
    for batch in islice(batches, most):
        x, y = batch[:2] if isinstance(batch, tuple) and len(batch) > 1 else (batch, None)
        x = x[0] if isinstance(x, tuple) and len(x) == 1 else x
        parts.append(Part(_nest(x, name), None if y is None else _nest(y, name)))
        examples += len(parts[-1])
        if examples >= most:
            break
    if not parts:
        raise UsageError(f"{name}: the dataset is empty")
    if examples > MOST_EXAMPLES or (examples == MOST_EXAMPLES and not spec.take):
        raise UsageError(f"{name}: {MOST_EXAMPLES} examples or more: say how many with --take N")
    targets = None if parts[0].targets is None else nests.concat([p.targets for p in parts])
    joined = Part(nests.concat([p.inputs for p in parts]), targets)
    return joined.take(slice(0, spec.take)) if spec.take else joined


def _nest(given: Any, name: str) -> nests.Nest:
    """A nest of arrays; nested dicts by their inner names, lists by place."""
    if _is_frame(given):
        return tables.columns(given)[0] if getattr(given, "ndim", 1) > 1 else given.to_numpy()
    if isinstance(given, Mapping):
        flat: dict[str, Any] = {}
        for key, value in given.items():
            inner = _nest(value, name)
            if isinstance(inner, Mapping):
                flat |= {k if k not in flat else f"{key}/{k}": v for k, v in inner.items()}
            else:
                flat[str(key)] = inner
        return flat
    if isinstance(given, (tuple, list)) and given and all(hasattr(g, "shape") for g in given):
        shapes = {tuple(g.shape) for g in given}
        if isinstance(given, tuple) or len(shapes) > 1 or len(next(iter(shapes))) > 1:
            return {str(i): _array(g, name) for i, g in enumerate(given)}
    return _array(given, name)


def _array(given: Any, name: str) -> np.ndarray:
    """An array of anything that is one: tensors, sparse and ragged ones, lists."""
    for convert in ("to_tensor", "toarray"):
        if hasattr(given, convert):
            given = getattr(given, convert)()
    if hasattr(given, "dense_shape"):
        import tensorflow as tf

        given = tf.sparse.to_dense(given)
    if not (hasattr(given, "__array__") or isinstance(given, list)):
        raise UsageError(f"{name} returned {type(given).__name__}: {FORMS}")
    try:
        array = np.asarray(given)
    except ValueError:  # lists of various length
        return nests.padded(given)
    if array.dtype.kind == "O":
        if all(isinstance(item, (str, bytes)) for item in array.ravel()):
            decoded = [i.decode() if isinstance(i, bytes) else i for i in array.ravel()]
            return np.array(decoded, str).reshape(array.shape)
        return nests.padded(list(array))
    return np.char.decode(array) if array.dtype.kind == "S" else array


def _has_roles(given: Mapping[str, Any]) -> bool:
    return bool({"x", "x_train"} & {str(key) for key in given}) or any(
        str(key) == "y" or str(key).startswith("y_") for key in given
    )


def _are_two_parts(given: Any) -> bool:
    """((x, y), (x_test, y_test)), or two datasets."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return False
    if all(_is_dataset(g) or _is_batches(g) for g in given):
        return True
    return all(isinstance(g, (tuple, list)) and len(g) == 2 for g in given) and all(
        hasattr(inner, "__len__") for g in given for inner in g
    )


def _is_frame(given: Any) -> bool:
    return hasattr(given, "iloc")


def _is_dataset(given: Any) -> bool:
    return hasattr(given, "element_spec") and hasattr(given, "cardinality")


def _is_batches(given: Any) -> bool:
    """A keras.utils.PyDataset or Sequence, or what behaves like one."""
    return (
        hasattr(given, "__getitem__")
        and hasattr(given, "__len__")
        and not hasattr(given, "shape")
        and not _is_frame(given)
        and not isinstance(given, (tuple, list, Mapping, str, bytes))
    )
