"""The report as Markdown that renders on GitHub; whatever came from a run is shown as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from bench.results.text import visible
from reports.plots.drawn import Plot
from reports.tables.cells import Cell, Contents, Section, Table

TEMPLATES = Path(__file__).parents[1] / "templates"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!^])")
_PLAIN = re.compile(r"[\w/.,:+ ()%-]+", re.ASCII)
_LINK = re.compile(r"(?i)(https?)://|\bwww\.|@")


def escaped(value: Any) -> str:
    """Text in which Markdown finds nothing to interpret; strings already marked pass.

    Breaks links, mentions and emphasis; control and direction characters become visible.
    """
    if isinstance(value, Markup):
        return str(value)
    text = visible(str(value)).replace("&", "&amp;")
    text = _SPECIAL.sub(r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;")
    return _LINK.sub(lambda m: m.group(0)[:-1] + "&#" + str(ord(m.group(0)[-1])) + ";", text)


def code(text: str) -> Markup:
    """Inline code where the text is a plain id or path; anything else as escaped text."""
    flat = visible(text)
    return Markup(f"`{flat}`" if _PLAIN.fullmatch(flat) else escaped(flat))


def cell(item: Cell) -> Markup:
    """A cell's text; what is missing stays a dash."""
    text = code(item.text) if item.code else Markup(escaped(item.text))
    return Markup(f"{text} ({escaped(item.sub)})") if item.sub else text


def fence(text: str) -> Markup:
    """A block of code whose fence is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    marks = "`" * max(3, longest + 1)
    return Markup(f"{marks}\n{text}\n{marks}")


def table(item: Table) -> Markup:
    """A table in GitHub's form, numbers to the right."""
    lines: list[list[str]] = [
        [escaped(c.name) for c in item.columns],
        ["--:" if c.number else "---" for c in item.columns],
        *([str(cell(c)) for c in row.cells] for row in item.rows),
    ]
    return Markup("\n".join("| " + " | ".join(line) + " |" for line in lines))


def render(what: Contents, plots: Mapping[str, Sequence[Plot]]) -> str:
    """The whole report."""
    text = environment().get_template("report.md.j2").render(report=what, plots=plots)
    return _tidy(text)


def render_short(
    what: Contents, sections: Sequence[Section], left: Sequence[str], folded: bool
) -> str:
    """The verdict and some sections without plots.

    Args:
        what: The report's contents.
        sections: Those to show.
        left: Titles of those that were left out.
        folded: Whether sections after the first are folded.
    """
    template = environment().get_template("short.md.j2")
    return _tidy(template.render(report=what, sections=sections, left=left, folded=folded))


def environment() -> jinja2.Environment:
    """Templates where every value is escaped for Markdown unless it was marked."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        finalize=escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    env.filters |= {"cell": cell, "code": code, "table": table, "fence": fence}
    env.tests["filled"] = _filled
    return env


def _tidy(text: str) -> str:
    """At most one empty line in a row, and one newline at the end."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _filled(section: Section) -> bool:
    return bool(section.sentences or section.tables or section.code)
