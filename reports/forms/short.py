"""The report in the forms that GitHub limits: a job summary and a pull request's comment."""

from __future__ import annotations

from collections.abc import Callable

from bench.results.store import Run
from reports.facts.derive import facts_of
from reports.forms import markdown
from reports.tables.cells import Contents
from reports.tables.report import contents

JOB_SUMMARY_BYTES = 1024 * 1024
"""GitHub refuses a step's summary above 1 MiB."""
COMMENT_CHARACTERS = 65_536
"""GitHub refuses a comment above 65,536 characters."""
MARKER = "<!-- tfbench report -->"
"""First line of the comment, by which a later one finds and replaces it."""
_SHORT = frozenset({"effects", "training", "input", "controls", "not-run"})


def job_summary(run: Run, limit_bytes: int = JOB_SUMMARY_BYTES) -> str:
    """The report without plots, which a summary cannot hold; sections are dropped to fit.

    Args:
        run: The run.
        limit_bytes: Most bytes of UTF-8.
    """
    return _fitting(contents(facts_of(run)), lambda text: len(text.encode()) <= limit_bytes)


def comment(run: Run, limit: int = COMMENT_CHARACTERS) -> str:
    """Verdict, effect table and what else fits; the tables are folded.

    Args:
        run: The run.
        limit: Most characters.
    """
    what = contents(facts_of(run))
    short = Contents(
        what.name,
        what.subtitle,
        what.banner,
        what.headlines,
        what.advice,
        tuple(s for s in what.sections if s.name in _SHORT),
        opening=what.opening,
    )
    room = limit - len(MARKER) - 1
    return f"{MARKER}\n{_fitting(short, lambda text: len(text) <= room, folded=True)}"


def _fitting(what: Contents, fits: Callable[[str], bool], folded: bool = False) -> str:
    """The text with as many sections, from the first, as fit; it says what was left out."""
    sections = [s for s in what.sections if s.sentences or s.tables or s.code]
    for kept in range(len(sections), -1, -1):
        left = [s.title for s in sections[kept:]]
        text = markdown.render_short(what, sections[:kept], left, folded)
        if fits(text):
            return text
    # Not even the verdict fits: hundreds of warnings, say. The name and the cut are all.
    while not fits(text) and text:
        text = text[: len(text) * 3 // 4]
    return text
