"""A report's table on the screen: drawn in a terminal, one plain line a row elsewhere."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from reports.tables.cells import Cell, Row, Table

WIDE = 140
"""Characters from which on a whole effect table fits."""
STYLES = {"good": "green", "bad": "red", "warn": "yellow", "muted": "dim", "": ""}


def show(table: Table, console: Console) -> None:
    """Print a table with its title."""
    say(console, f"{table.title}:")
    if console.is_terminal:
        console.print(drawn(table, console.width < WIDE))
        return
    for row in table.rows:
        say(console, f"  {line(table, row)}")


def drawn(table: Table, narrow: bool = False) -> Drawn:
    """The table for a terminal, numbers to the right; intervals stand below their values.

    Args:
        table: The report's.
        narrow: Leave out columns of words between the first and the last: they need much room.
    """
    last = len(table.columns) - 1
    kept = [i for i, c in enumerate(table.columns) if not narrow or c.number or i in (0, last)]
    out = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for i in kept:
        column = table.columns[i]
        out.add_column(
            Text(column.name), justify="right" if column.number else "left", overflow="fold",
            min_width=_longest_word(table, i),
        )  # fmt: skip
    for row in table.rows:
        out.add_row(*(_cell(row.cells[i]) for i in kept))
    return out


def _longest_word(table: Table, column: int) -> int:
    """Of a column's cells, so that ids and numbers stay whole."""
    texts = (_text(row.cells[column]) for row in table.rows)
    return max((len(word.strip("(),")) for text in texts for word in text.split()), default=1)


def line(table: Table, row: Row) -> str:
    """`head (sub): column value (interval), …` without the cells that are missing."""
    head, *rest = (_text(cell) for cell in row.cells)
    names = [column.name for column in table.columns[1:]]
    said = (f"{name} {text}" for name, text in zip(names, rest, strict=True) if text != "–")
    return f"{head}: {'; '.join(said)}"


def say(console: Console, text: str, style: str = "", whole: bool = False) -> None:
    """A line without markup and highlighting; terminals wrap it unless it is to be copied whole."""
    unwrapped = whole or not console.is_terminal
    console.print(text, style=style, markup=False, highlight=False, soft_wrap=unwrapped)


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.sub})" if cell.sub else cell.text


def _cell(cell: Cell) -> Text:
    text = Text(cell.text, style=STYLES[cell.tone])
    return text.append(f"\n{cell.sub}", "dim") if cell.sub else text
