"""Tables: a CSV file, or a frame of the user's; a column is an input of its name."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
LEAST_DISTINCT = 20
"""Rows from which on values that are all different are no accident."""
DATE = re.compile(
    r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4}|\d\d([-/.])\d\d\4\d\d|\d{4}-\d\d)"
    r"([T ]\d{1,2}:\d\d.*)?"
)
"""What a date looks like, in whatever order its parts stand."""


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


@dataclass(frozen=True)
class Reading:
    """How the strings of a column become numbers."""

    numbers: Callable[[np.ndarray], np.ndarray]
    since: str = ""
    """The day from which dates are counted; "" of categories."""
    distinct: bool = False
    """Each row holds another category: its number tells nothing of it."""

    @property
    def words(self) -> str:
        """What became of the strings."""
        if self.since:
            return f"dates became days since {self.since}"
        return "categories became numbers in alphabetical order" + (
            " (one that differs in every row tells a model nothing: leave it out)"
            if self.distinct
            else ""
        )


def reading(column: np.ndarray, other: np.ndarray) -> Reading:
    """How a column of strings is read: as dates where all of them are, else as categories.

    Dates become days since the first of the training part, missing ones its median. Categories
    become places in its sorted values; a value that it does not have gets the next number.

    Args:
        column: The training part's.
        other: The test part's, which dates of one form must be written in too.
    """
    whole = np.concatenate([column.ravel(), other.ravel()])
    for form in _forms(whole):
        if not np.isnan(_days(whole, form)[whole != ""]).any():
            days = _days(column, form)
            how = "" if form == "ISO8601" else f", read as {form}"
            first, usual = int(np.nanmin(days)), float(np.nanmedian(days))
            since = f"{np.datetime64(first, 'D')}{how}"
            return Reading(functools.partial(_days_since, form, first, usual), since)
    known = np.unique(column)
    distinct = LEAST_DISTINCT <= len(column) == len(known)
    return Reading(lambda given: codes(given, known), distinct=distinct)


def _days_since(form: str, first: int, usual: float, column: np.ndarray) -> np.ndarray:
    days = _days(column, form)
    return np.where(np.isnan(days), usual, days) - first


def _forms(column: np.ndarray) -> Iterator[str]:
    """Forms in which dates of a column may be written; none where one of its strings is no date."""
    texts = [text for text in column.ravel() if text]
    if not texts or not all(map(DATE.fullmatch, texts)):
        return
    yield "ISO8601"
    sign = next(sign for sign in "-/." if sign in texts[0])
    time = ("", " %H:%M", " %H:%M:%S")[min(2, texts[0].count(":"))]
    orders = ["%m{0}%d{0}", "%d{0}%m{0}"]
    for order in reversed(orders) if sign == "." else orders:
        for year in ("%Y", "%y"):
            yield order.format(sign) + year + time


def _days(column: np.ndarray, form: str) -> np.ndarray:
    """Days since 1970; nan of what is no date."""
    import pandas as pd

    texts = pd.Series(column.ravel().astype(str)).replace("", None)
    found = pd.to_datetime(texts, errors="coerce", format=form, utc=True).dt.tz_localize(None)
    moments = found.to_numpy().astype("datetime64[s]")
    days = moments.astype(np.float64) / 86_400
    return np.where(np.isnat(moments), np.nan, days).reshape(column.shape)


def coded(data: Data) -> Data:
    """Data whose columns of strings are numbers, as their training part is read."""
    if not isinstance(data.test.inputs, dict):
        return data
    source = (data.train or data.test).inputs
    known = {
        name: reading(column, data.test.inputs[name])
        for name, column in source.items()  # type: ignore[union-attr]
        if column.dtype.kind in "US"
    }
    if not known:
        return data

    def code(inputs: Any) -> dict[str, np.ndarray]:
        return {
            name: known[name].numbers(column) if name in known else column
            for name, column in inputs.items()
        }

    told = {each.words: [n for n in known if known[n].words == each.words]
            for each in known.values()}  # fmt: skip
    notes = [f"{words}: {', '.join(names)}" for words, names in told.items()]
    return data.with_inputs("coded", code, notes=(*data.notes, *notes))


def codes(column: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Places of strings in the sorted known ones; an unknown one gets the next number."""
    places = np.searchsorted(known, column).clip(0, len(known) - 1)
    return np.where(known[places] == column, places, len(known)).astype(np.int64)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
