"""Tables as values: what a cell shows is decided once, and every form shows the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from reports.facts.advice import Advice
from reports.facts.figures import MISSING

T = TypeVar("T")
Tone = Literal["", "good", "bad", "muted", "warn"]


@dataclass(frozen=True)
class Cell:
    """What one cell shows."""

    text: str
    value: float | str | None = None
    """What it sorts by; None: its text, and last where it is missing."""
    note: str = ""
    """Said on hovering, and not needed to understand the cell."""
    tone: Tone = ""
    code: bool = False
    """Shown as code (ids, file names)."""
    sub: str = ""
    """Its interval, or the parts that it is made of: in brackets, or smaller below it."""

    @property
    def sort_key(self) -> str:
        """The sort value as text; empty where there is none."""
        if self.value is None:
            return "" if self.text == MISSING else self.text
        return repr(self.value) if isinstance(self.value, float) else str(self.value)


@dataclass(frozen=True)
class Column:
    """A column's head."""

    name: str
    number: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """A row, and the scenario and configuration whose details it opens to."""

    cells: tuple[Cell, ...]
    scenario: str = ""
    configuration: str = ""
    status: str = "ok"

    @property
    def anchor(self) -> str:
        """Key of its details."""
        return f"{self.scenario} {self.configuration}".strip()


@dataclass(frozen=True)
class Field(Generic[T]):
    """A column, and what its cell shows of a row's subject."""

    name: str
    cell: Callable[[T], Cell]
    number: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Table:
    """A titled table with the sentences that belong to it."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """Said after it."""
    words: tuple[tuple[Cell, str], ...] = ()
    """What rows mean: (scenario or technique, sentence), as a list after the table."""


@dataclass(frozen=True)
class Section:
    """A part of the report: sentences, tables and the plots that belong to it."""

    name: str
    title: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[str, ...] = ()
    """Names of plots, each shown where it was drawn."""
    code: str = ""
    """Shown as a block of code."""


@dataclass(frozen=True)
class Contents:
    """Everything a report says, before it has a form."""

    name: str
    subtitle: str
    banner: tuple[str, ...]
    """What makes the whole run doubtful; shown on top."""
    headlines: tuple[str, ...]
    advice: tuple[Advice, ...]
    sections: tuple[Section, ...]
    heading: str = "What pays"
    opening: tuple[str, ...] = ()
    """How far its figures can be trusted: what the controls measured."""


def table_of(
    name: str,
    title: str,
    fields: Sequence[Field[T]],
    subjects: Iterable[T],
    notes: Sequence[str] = (),
    words: Sequence[tuple[Cell, str]] = (),
    opens: Callable[[T], tuple[str, ...]] = lambda _: (),
) -> Table:
    """One row a subject, one column a field.

    Args:
        name: Of the table, unique in the report.
        title: Shown above it.
        fields: Its columns.
        subjects: Its rows.
        notes: See `Table`.
        words: See `Table`.
        opens: Scenario, configuration and status of a row: what its details are found by.
    """
    columns = tuple(Column(f.name, f.number, f.hint) for f in fields)
    rows = (Row(tuple(f.cell(x) for f in fields), *opens(x)) for x in subjects)
    return Table(name, title, columns, tuple(rows), tuple(notes), tuple(words))


def filled(tables: Iterable[Table | None]) -> tuple[Table, ...]:
    """The tables that have rows."""
    return tuple(t for t in tables if t is not None and t.rows)


def missing(note: str = "") -> Cell:
    """A cell without a figure."""
    return Cell(MISSING, note=note, tone="muted")


def label(text: str) -> Cell:
    """An id."""
    return Cell(text, code=True)
