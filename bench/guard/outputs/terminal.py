"""The comparison on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.guard.comparison.values import Comparison, Judgement, Verdict
from bench.guard.outputs import words

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
    console.print(f"{found.base}  →  {found.head}", markup=False, highlight=False)
    table = Table(box=None, pad_edge=False)
    for title in ("verdict", found.noun, "metric", "change (95 %)", "base → head", "launches"):
        least = LEAST_WIDTH if title == found.noun else None
        table.add_column(title, overflow="fold", min_width=least)
    shown = [j for j in words.in_order(found.judgements) if _worth_a_row(j)]
    for each in shown:
        table.add_row(
            f"[{STYLES[each.verdict]}]{words.TITLES[each.verdict]}[/]",
            each.where,
            words.NAMES[each.metric],
            escape(words.change(each)),
            words.figures(each),
            str(each.launches or ""),
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
    visible = [j.visible for j in found.judgements if j.visible is not None]
    if visible:
        console.print(
            f"Times: changes from {words.smallest(min(visible))} to {words.smallest(max(visible))} "
            f"were visible, depending on the {found.noun}.",
            highlight=False,
        )
    spent = f"{found.seconds:.0f} s of {found.budget_s:.0f} s"
    style = STYLES[_worst(found)]
    console.print(f"[{style}]{escape(words.headline(found))}[/] ({spent})", highlight=False)


def _details(each: Judgement, console: Console) -> None:
    if each.verdict == "no change":
        return
    if each.reason:
        console.print(f"{each.where}: {each.reason}", markup=False, highlight=False)
    if each.verdict in ("regression", "inconclusive") and each.visible is not None:
        line = f"  {words.NAMES[each.metric]}: {words.seen(each)}"
        console.print(line, markup=False, highlight=False)
    for operation in each.operations:
        console.print(f"  {words.operation(operation)}", markup=False, highlight=False)


def _worth_a_row(each: Judgement) -> bool:
    return each.verdict != "no change" or each.metric in (*words.TIMED, "peak_memory")


def _lines(console: Console, what: str, lines: tuple[str, ...]) -> None:
    for line in lines:
        console.print(f"{what}: {line}", markup=False, highlight=False)


def _worst(found: Comparison) -> Verdict:
    return next((verdict for verdict in words.ORDER if found.of(verdict)), "no change")
