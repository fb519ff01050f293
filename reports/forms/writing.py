"""Writes a run's report into its folder, from nothing but that folder."""

from __future__ import annotations

from pathlib import Path

from bench.results.files import replace_text
from bench.results.store import read_run
from reports import plots
from reports.facts.derive import facts_of
from reports.forms import html, markdown
from reports.plots.interactive import charts
from reports.tables.details import details
from reports.tables.report import contents


def write(folder: Path) -> list[Path]:
    """Write report.md, report.html and plots/ into a run's folder.

    The same launches give the same bytes.

    Args:
        folder: A run's folder, with run.json and launches.jsonl.

    Returns:
        The files written.

    Raises:
        StoreError: It is no run's folder, or cannot be written.
        UsageError: It holds links.
    """
    facts = facts_of(read_run(folder))
    what = contents(facts)
    drawn = plots.draw(facts, folder / "plots")
    replace_text(folder / "report.md", markdown.render(what, drawn))
    replace_text(folder / "report.html", html.render(what, drawn, details(facts), charts(facts)))
    files = [folder / "report.md", folder / "report.html"]
    return files + [f for found in drawn.values() for p in found for f in (p.png, p.svg)]
