"""The comparison on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.guard.comparison.values import Comparison, Judgement, Verdict
from bench.guard.outputs import words
from bench.results.text import visible

LEAST_WIDTH = 17
"""Of the column of names, which are long in a suite of tests."""
STYLES: dict[Verdict, str] = {
    "regression": "bold red",
    "inconclusive": "yellow",
    "changed": "cyan",
    "improved": "green",
    "no change": "dim",
}


def show(found: Comparison, console: Console) -> None:
    """Print the headline, the table, and what is behind each regression."""
    _line(console, f"{found.base}  →  {found.head}")
    table = Table(box=None, pad_edge=False)
    for title in ("verdict", found.noun, "metric", "change (95 %)", "base → head", "launches"):
        least = LEAST_WIDTH if title == found.noun else None
        table.add_column(title, overflow="fold", min_width=least)
    shown = [j for j in words.in_order(found.judgements) if _worth_a_row(j)]
    for each in shown:
        table.add_row(
            Text(words.TITLES[each.verdict], STYLES[each.verdict]),
            *(
                Text(visible(cell))  # a test's name may hold what Rich takes for a style
                for cell in (
                    each.where,
                    words.NAMES[each.metric],
                    words.change(each),
                    words.figures(each),
                    str(each.launches or ""),
                )
            ),
        )
    console.print(table)
    hidden = len(found.judgements) - len(shown)
    if hidden:
        console.print(f"{hidden} exact figures are equal.", highlight=False)
    for each in words.in_order(found.judgements):
        _details(each, console)
    _lines(console, "looks slower, not proven", found.watch)
    _lines(console, "fails on both sides", found.failed)
    _lines(console, "warning", found.warnings)
    seen = [j.visible for j in found.judgements if j.visible is not None]
    if seen:
        first, last = words.smallest(min(seen)), words.smallest(max(seen))
        several = f" to {last} were visible, depending on the {found.noun}"
        reach = " were visible" if first == last else several
        console.print(f"Times: changes from {first}{reach}.", highlight=False)
    spent = f"{found.seconds:.0f} s of {found.budget_s:.0f} s"
    style = STYLES[_worst(found)]
    console.print(Text.assemble((words.headline(found), style), f" ({spent})"))


def _details(each: Judgement, console: Console) -> None:
    if each.verdict == "no change":
        return
    if each.reason:
        _line(console, f"{each.where}: {each.reason}")
    if each.verdict in ("regression", "inconclusive") and each.visible is not None:
        line = f"  {words.NAMES[each.metric]}: {words.seen(each)}"
        console.print(line, markup=False, highlight=False)
    for operation in each.operations:
        _line(console, f"  {words.operation(operation)}")


def _worth_a_row(each: Judgement) -> bool:
    return each.verdict != "no change" or each.metric in (*words.TIMED, "peak_memory")


def _lines(console: Console, what: str, lines: tuple[str, ...]) -> None:
    for line in lines:
        _line(console, f"{what}: {line}")


def _line(console: Console, text: str) -> None:
    """A line that begins as it is meant to: a CI service obeys some beginnings."""
    console.print(visible(text), markup=False, highlight=False, soft_wrap=True)


def _worst(found: Comparison) -> Verdict:
    return next((verdict for verdict in words.ORDER if found.of(verdict)), "no change")
