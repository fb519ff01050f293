"""What a run ends with: what pays, what did not run and why, where the report is, what is next."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from reports.facts.advice import Advice
from reports.facts.measured import Facts
from reports.tables.cells import Contents, Table
from reports.tables.report import contents
from tfbench.screen.tables import say, show


def verdict(facts: Facts, console: Console) -> None:
    """Print the report's verdict: the same facts, for the screen.

    Args:
        facts: The run's.
        console: A terminal, or a log that gets plain lines.
    """
    what = contents(facts)
    for text in what.banner:
        say(console, f"Warning: {text}", "yellow")
    for text in what.opening:
        say(console, text)
    for table in effect_tables(what):
        show(table, console)
    for text in what.headlines:
        say(console, text)
    _advice(what.advice, console, len(facts.configurations) > 1)
    _not_run(facts, console)
    say(console, f"report: {facts.run.folder / 'report.html'} (as text: report.md)", whole=True)
    say(console, f"next: {next_command(facts.run.folder, what.advice)}", whole=True)


def effect_tables(what: Contents) -> list[Table]:
    """The effect tables that measured anything, with the rows that the run was asked for."""
    tables = [table for section in what.sections if section.name in ("effects", "claims")
              for table in section.tables]  # fmt: skip
    asked = [
        replace(table, rows=tuple(row for row in table.rows if row.status != "not run"))
        for table in tables
    ]
    return [table for table in asked if any(row.status == "ok" for row in table.rows)]


def next_command(folder: Path, found: tuple[Advice, ...]) -> str:
    """What to call next: take the best path away, choose a training path, or read all rows."""
    place = shlex.quote(str(folder))
    if any(each.purpose in ("latency", "size") and each.gains for each in found):
        return f"tfbench export {place} --out bundle"
    if any(each.purpose == "training" for each in found):
        return f"tfbench recommend {place} --kind train"
    return f"tfbench report {place} --export {place}/rows.csv"


def _advice(found: tuple[Advice, ...], console: Console, several: bool) -> None:
    for each in found:
        where = f" on {each.configuration}" if several else ""
        say(console, f"Best for {each.purpose}{where}: {each.sentence}")


def _not_run(facts: Facts, console: Console) -> None:
    rows = [m for m in facts.all if not m.ok]
    several = len(facts.configurations) > 1
    if rows:
        say(console, f"Not run ({len(rows)}):")
    alike: dict[tuple[str, str, str], list[str]] = {}
    for m in rows:
        where = f" on {m.configuration}" if several else ""
        alike.setdefault((where, m.effect.status, m.effect.reason), []).append(m.scenario)
    for (where, status, reason), ids in alike.items():
        say(console, f"  {', '.join(ids)}{where}: {status}: {reason}")
