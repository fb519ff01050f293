"""Writes a run's report into its folder, from nothing but that folder."""

from __future__ import annotations

from pathlib import Path

from bench.results.files import replace_text
from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.facts.measured import Facts
from reports.forms import html, markdown
from reports.forms.illustrated import Drawn, files, illustrated
from reports.plots.drawn import NONE, Charts
from reports.tables.details import details
from reports.tables.report import contents


def write(folder: Path) -> list[Path]:
    """Write report.md, report.html and, with the extra `plots`, plots/ into a run's folder.

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
    what, drawn = illustrated(contents(facts), lambda: _draw(facts, folder / "plots"))
    page = html.render(what, drawn, details(facts), _charts(facts) if drawn else NONE)
    replace_text(folder / "report.md", markdown.render(what, drawn))
    replace_text(folder / "report.html", page)
    return [folder / "report.md", folder / "report.html", *files(drawn)]


def _draw(facts: Facts, folder: Path) -> Drawn:
    from reports.plots.drawing import draw

    return draw(facts, folder)


def _charts(facts: Facts) -> Charts:
    from reports.plots.interactive import charts

    return charts(facts)
