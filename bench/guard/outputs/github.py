"""The comparison inside a GitHub job: the job's summary, and annotations at the source."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.guard.comparison.values import Comparison
from bench.guard.outputs import markdown, words
from bench.guard.outputs.files import Sources
from bench.results.text import harmless


def workflow_commands(found: Comparison, sources: Sources) -> list[str]:
    """GitHub's workflow commands: one a regression or open figure, at the scenario's source."""
    kinds = {"regression": "error", "inconclusive": "notice"}
    lines = []
    for each in words.in_order(found.judgements):
        if each.verdict not in kinds:
            continue
        where = ""
        if each.scenario in sources:
            path, number = sources[each.scenario]
            where = f"file={_property(path)},line={number},"
        title = _property(f"{words.TITLES[each.verdict]}: {each.where} {each.metric}")
        lines.append(f"::{kinds[each.verdict]} {where}title={title}::{_data(words.sentence(each))}")
    return lines


def on_github(
    found: Comparison,
    sources: Sources,
    environment: Mapping[str, str] | None = None,
    write_line: Callable[[str], None] = print,
) -> None:
    """Inside a GitHub job: append the job's summary and print annotations."""
    known = os.environ if environment is None else environment
    summary = known.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(found))
    if known.get("GITHUB_ACTIONS") == "true":
        for line in workflow_commands(found, sources):
            write_line(line)


def _data(text: str) -> str:
    return harmless(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
