"""Tables: a CSV file, or a frame of the user's; a column is an input of its name."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data.assembly import assembled
from scenarios.core.data.nests import Nest
from scenarios.core.data.places import existing
from scenarios.core.data.values import Data, Kind, Part

LONGEST_CATEGORY = 40
"""Characters on average beyond which a column of strings is text, not a category."""


def csv(path: str, spec: WorkloadSpec) -> Data:
    """Columns [N, 1] by name, numbers as they are and categories as strings, and the target.

    The target is the column `spec.target`, or else the last one.
    """
    import pandas as pd

    file = existing(path)
    try:
        with file.open(encoding="utf-8-sig") as text:
            head = text.readline()
        separator = max(",;\t", key=head.count)
        frame = pd.read_csv(file, sep=separator, nrows=spec.take or None, encoding="utf-8-sig")
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise UsageError(f"{path} is not a readable table: {_first(error)}") from None
    return of_frame(f"csv:{path}", frame, spec)


def of_frame(name: str, frame: Any, spec: WorkloadSpec) -> Data:
    """Data of a pandas frame.

    Raises:
        UsageError: It has no such target, or nothing else.
    """
    frame = frame.rename(columns=lambda column: str(column).strip())
    target = spec.target or str(frame.columns[-1])
    if target not in frame.columns:
        near = difflib.get_close_matches(target, frame.columns, n=1)
        hint = f"did you mean {near[0]}?" if near else f"columns are {', '.join(frame.columns)}"
        raise UsageError(f"{name} has no column {target!r}: {hint}")
    notes = []
    if not spec.target:
        notes.append(
            f"the last column, {target!r}, was taken as target: name another with --target"
        )
    missing = int(frame[target].isna().sum())
    if missing:
        frame = frame[frame[target].notna()]
        notes.append(f"{missing} rows without {target!r} were left out")
    inputs, filled = columns(frame.drop(columns=target))
    if not inputs:
        raise UsageError(f"{name} has only the column {target!r}: inputs are needed too")
    if filled:
        notes.append(
            "missing values were replaced by the column's median (or an empty string): "
            + ", ".join(filled)
        )
    kind: Kind = "table"
    nest: Nest = inputs
    if len(inputs) == 1:
        (column,) = inputs.values()
        if column.dtype.kind == "U" and np.char.str_len(column).mean() > LONGEST_CATEGORY:
            kind, nest = "text", column[:, 0]
    part = Part(nest, frame[target].to_numpy())
    data = assembled(name, part, None, spec, kind, tuple(notes))
    return data if spec.target else data.derived("", assumed_target=target)


def columns(frame: Any) -> tuple[dict[str, np.ndarray], list[str]]:
    """Columns [N, 1] by name (numbers, or strings), and which had missing values filled."""
    found, filled = {}, []
    for name in frame.columns:
        column = frame[name]
        numeric = column.dtype.kind in "iufb"
        if column.isna().any():
            filled.append(str(name))
            column = column.fillna(column.median() if numeric else "")
        values = column.to_numpy()
        if values.dtype.kind == "b":
            values = values.astype(np.int64)
        found[str(name)] = (values if numeric else values.astype(str))[:, None]
    return found, filled


def coded(data: Data) -> Data:
    """Data whose columns of strings are integer codes: places in their sorted training values.

    A value that the training part does not have gets the next code.
    """
    if not isinstance(data.test.inputs, dict):
        return data
    source = (data.train or data.test).inputs
    known = {
        name: np.unique(column)
        for name, column in source.items()  # type: ignore[union-attr]
        if column.dtype.kind in "US"
    }
    if not known:
        return data

    def code(inputs: Any) -> dict[str, np.ndarray]:
        return {
            name: codes(column, known[name]) if name in known else column
            for name, column in inputs.items()
        }

    note = f"categories became numbers in alphabetical order: {', '.join(known)}"
    return data.with_inputs("coded", code, notes=(*data.notes, note))


def codes(column: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Places of strings in the sorted known ones; an unknown one gets the next number."""
    places = np.searchsorted(known, column).clip(0, len(known) - 1)
    return np.where(known[places] == column, places, len(known)).astype(np.int64)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
