"""A folder of many runs as trend lines, written as page, text and table."""

from __future__ import annotations

from pathlib import Path

from bench.results.files import as_csv, replace_text
from reports.facts.history import History, history
from reports.forms import html, markdown
from reports.forms.illustrated import Drawn, files, illustrated
from reports.tables.history import contents


def write_history(folder: Path, out: Path, every_environment: bool = False) -> list[Path]:
    """Write history.md, history.html, history.csv and plots/ of a folder of runs.

    Args:
        folder: Holds the runs' folders.
        out: Where to; made where it does not exist.
        every_environment: Put runs of unequal environments on one line, too.

    Returns:
        The files written.

    Raises:
        UsageError: The folder holds no run.
    """
    found = history(folder, every_environment)
    out.mkdir(parents=True, exist_ok=True)
    what, drawn = illustrated(contents(found), lambda: _draw(found, out / "plots"))
    replace_text(out / "history.md", markdown.render(what, drawn))
    replace_text(out / "history.html", html.render(what, drawn, []))
    replace_text(out / "history.csv", _csv(found))
    return [*(out / f"history.{ending}" for ending in ("md", "html", "csv")), *files(drawn)]


def _draw(found: History, folder: Path) -> Drawn:
    from reports.plots import trend
    from reports.plots.style import save, styled

    folder.mkdir(exist_ok=True)
    with styled():
        drawings = [d for metric in ("speed-up", "time") if (d := trend.lines(found, metric))]
    return {"changes": [save(drawing, folder) for drawing in drawings]}


def _csv(found: History) -> str:
    header = ("scenario", "configuration", "figure", "run", "started", "value", "changed")
    return as_csv(
        header,
        (
            (line.scenario, line.configuration, line.metric, run.name, run.started_s, value, int(
                any(c.index == index for c in line.changes)
            ))
            for line in found.lines
            for index, (run, value) in enumerate(zip(line.runs, line.values, strict=True))
        ),
    )  # fmt: skip
