"""Making data what the model takes: inputs bound by name, in its shape, dtype and range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data import nests, pixels, tables
from scenarios.core.data.binding import bound_by_name, stacked, with_target_by_elimination
from scenarios.core.data.nests import Nest
from scenarios.core.data.shaping import Mismatch, shaped
from scenarios.core.data.signature import Signature, Spec, spec_of
from scenarios.core.data.values import Data


def fit(data: Data, signature: Signature | None = None) -> Data:
    """Data whose inputs reach the model as it expects them; what was done is in its notes.

    One input gets one array, several get a dict by their names. Images get the model's size and
    channels; pixels of whole numbers are scaled by the range of their type, or stay raw where the
    model scales them itself; columns are bound by name, or stacked for a single input.

    Args:
        data: As `load` read them.
        signature: The model's inputs; None: nothing is known of them, so that images are scaled and
            tables stacked.

    Raises:
        UsageError: They cannot be fitted; it names what the model takes and what there is.
    """
    if signature is None:
        return data.scaled if data.kind == "images" else stacked(tables.coded(data), None)
    data = with_target_by_elimination(data, signature)
    if all(pixels.wants_default(spec) for spec in signature.values()):
        data = data.scaled
    bound = bound_by_name(data, signature)
    notes: list[str] = []
    functions = {name: _steps(data, bound.test.inputs, name, spec, notes)
                 for name, spec in signature.items()}  # fmt: skip
    only = next(iter(signature)) if len(signature) == 1 else ""

    def apply(inputs: Nest) -> Nest:
        each = {name: functions[name](array) for name, array in nests.named(inputs, only).items()}
        return each[only] if only else each

    made = apply(bound.test.inputs)
    if bound is data and all(
        a is b for a, b in zip(nests.arrays(made), nests.arrays(data.test.inputs), strict=True)
    ):
        return data.derived("", notes=(*data.notes, *notes)) if notes else data
    how = f"fit {sorted((name, repr(spec)) for name, spec in signature.items())}"
    fitted = bound.with_inputs(how, apply, notes=(*bound.notes, *dict.fromkeys(notes)))
    return _with_masks(fitted, bound.test.inputs, made)


def looked_up(data: Data, lookup: Callable[[Nest], Nest], name: str, block: int = 256) -> Data:
    """Data behind a look-up (words to numbers): what is left of the model takes these.

    Args:
        data: Strings, or whatever the look-up takes.
        lookup: The part of the model, or of the user's pipeline, that turns a batch into numbers.
        name: Of the look-up, for digest and note.
        block: Examples a call.
    """

    def all_of(inputs: Nest) -> Nest:
        count = nests.length(inputs)
        blocks = [
            nests.mapped(np.asarray, lookup(nests.take(inputs, slice(i, i + block))))
            for i in range(0, count, block)
        ]
        joined: Nest = nests.concat(blocks)
        return joined

    note = f"{name} was applied before: the network behind it is what is measured"
    return data.with_inputs(f"look-up {name}", all_of, notes=(*data.notes, note))


def _steps(
    data: Data, inputs: Nest, name: str, spec: Spec, notes: list[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """The function that makes one input's array what the model takes; notes once what it does."""
    read = None
    array = nests.named(inputs, name)[name]
    if nests.is_text(array) and not spec.takes_strings:
        if data.kind == "text":
            raise UsageError(
                f"{data.name} holds strings, but the model's input {name!r} takes {spec}: look "
                "words up in the model (TextVectorization), or return numbers from FILE.py:function"
            )
        known = nests.named((data.train or data.test).inputs, name).get(name, array)
        read = tables.reading(known, array)
        notes.append(f"{name!r}: {read.words}")
    scale = pixels.scaling(array, spec, data.kind == "images", name)
    if scale.note:
        notes.append(scale.note)

    def step(array: np.ndarray) -> np.ndarray:
        if read is not None:
            array = read.numbers(array)
        try:
            array, said = shaped(array, spec)
        except Mismatch as error:
            raise UsageError(
                f"{data.name}: {error}; the model's input {name!r} takes {spec}, the data are "
                f"{spec_of(array)}"
            ) from None
        notes.extend(said)
        return _typed(scale.apply(array), spec, name, data.name)

    return step


def _typed(array: np.ndarray, spec: Spec, name: str, data: str) -> np.ndarray:
    if spec.takes_strings:
        return array if nests.is_text(array) else array.astype(str)
    if spec.takes_integers and array.dtype.kind == "f" and (array != array.round()).any():
        raise UsageError(
            f"{data}: the model's input {name!r} takes whole numbers ({spec.dtype}), the data "
            f"have values such as {array[array != array.round()][0]:g}"
        )
    return array.astype(spec.dtype, copy=False)


def _with_masks(data: Data, before: Nest, after: Nest) -> Data:
    """Masks and maps get the size that their images got."""
    if not (isinstance(before, np.ndarray) and isinstance(after, np.ndarray)):
        return data
    old, new = before.shape[1:3], after.shape[1:3]
    known = data.test.targets
    if data.kind != "images" or old == new or known is None:
        return data

    def resize(array: np.ndarray) -> np.ndarray:
        if array.ndim < 3 or array.shape[1:3] != old:
            return array
        rows, columns = (np.arange(n) * o // n for n, o in zip(new, old, strict=True))
        return array[:, rows][:, :, columns]

    if all(resize(array) is array for array in nests.arrays(known)):
        return data
    return data.with_targets(f"masks {new}", lambda nest: nests.mapped(resize, nest))
