"""The report as one HTML file that loads nothing: tables, plots, style and script are inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import jinja2
from markupsafe import Markup

from bench.results.text import visible
from reports.facts.measured import Facts
from reports.forms.markdown import TEMPLATES
from reports.plots.drawn import GRID, INK, MUTED, NONE, PAPER, Charts, Plot
from reports.tables.cells import Contents
from reports.tables.details import SPARK_HEIGHT, SPARK_WIDTH, Detail
from reports.tables.report import contents, overview

LARGEST_BYTES = 3_000_000
"""Of a page with charts; a larger one keeps the plots, without a library beside them."""
_THEMED = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--grid)", PAPER: "var(--paper)"}
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_ID = re.compile(r'(\bid="|href="#|url\(#)')
_ROOT = re.compile(r"<svg ([^>]*)>")
_INDENT = re.compile(r"\s*\n\s*")
_DIGITS = re.compile(r"(\d\.\d{2})\d+")
"""Behind a hundredth of a point, which nobody sees."""
_SIZE = re.compile(r'(?:width|height)="[\d.]+pt" ?')


def render(
    what: Contents,
    plots: Mapping[str, Sequence[Plot]],
    found: Sequence[Detail],
    charts: Charts = NONE,
) -> str:
    """The whole page.

    Args:
        what: The report's contents.
        plots: Plots by section, already written as SVG.
        found: What each row opens to.
        charts: What stands for some of the plots where scripts run.
    """
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            report=what,
            plots=plots,
            charts=charts,
            details=found,
            configurations=list(dict.fromkeys(d.configuration for d in found)),
            spark=(SPARK_WIDTH, SPARK_HEIGHT),
        )
    )
    if charts.specs and len(page.encode()) > LARGEST_BYTES:
        return render(what, plots, found)
    return page


def run_table(facts: Facts) -> str:
    """A run as one table, for a notebook."""
    template = environment().get_template("table.html.j2")
    what = contents(facts)
    return template.render(name=what.name, subtitle=what.subtitle, table=overview(facts))


def environment() -> jinja2.Environment:
    """Templates where every value is escaped for HTML unless it was marked."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    env.filters |= {"inline": inline, "lines": lines, "script": Markup}
    return env


def inline(plot: Plot) -> Markup:
    """A plot's SVG for a page with others: ids of its own, colours of the page's theme."""
    text = _METADATA.sub("", _PROLOGUE.sub("", plot.svg.read_text(encoding="utf-8"), count=1))
    text = _ID.sub(lambda m: f"{m.group(1)}{plot.name}-", text)
    text = _ROOT.sub(lambda m: f"<svg {_SIZE.sub('', m.group(1))} aria-hidden='true'>", text, 1)
    for colour, variable in _THEMED.items():
        text = text.replace(colour, variable)
    parts = re.split(r"(<[^<>]*>)", text)  # tags at odd places, and what is written between them
    parts[1::2] = [_DIGITS.sub(r"\1", _INDENT.sub(" ", tag)) for tag in parts[1::2]]
    parts[::2] = [_INDENT.sub("", words) if not words.strip() else words for words in parts[::2]]
    return Markup("".join(parts))  # written by matplotlib, which escapes the text in it


def lines(text: str) -> Markup:
    """Captured output with its line breaks, everything else escaped."""
    return Markup("\n").join(visible(line) for line in text.splitlines())
