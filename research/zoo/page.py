"""Writes docs/zoo.md from the runs of the zoo."""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from bench.results.store import read_run
from bench.results.values import Effect
from reports.facts import figures
from reports.facts.advice import cost
from reports.facts.derive import facts_of
from reports.facts.measured import Facts, Measured
from research.zoo.models import MODELS, Model
from research.zoo.running import MARK

FOLDERS = re.compile(r"(?<!\S)/\S*/")
"""In front of a file's name: where it lay on the machine of the run."""


@dataclass(frozen=True)
class Visit:
    """What came of one model."""

    model: Model
    rows: tuple[Effect, ...]
    best: str
    """The fastest inference path and what it brings, in words."""
    line: str
    """What its task was taken for."""
    mark: Mapping[str, Any]
    """How the zoo ran it (`running.MARK`)."""
    facts: Mapping[str, Any]
    """Of `run.json`."""

    @property
    def ok(self) -> int:
        """Rows with figures."""
        return sum(row.status == "ok" for row in self.rows)

    @property
    def unsupported(self) -> int:
        """Rows with a reason in their place."""
        return sum(row.status == "unsupported" for row in self.rows)

    @property
    def reasons(self) -> list[tuple[str, list[str]]]:
        """Each reason with the scenarios that have it, the most frequent first."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.rows:
            if row.status == "unsupported":
                found[FOLDERS.sub("", row.reason)].append(row.scenario)
        return sorted(found.items(), key=lambda item: -len(item[1]))


def visited(models: Sequence[Model], out: Path) -> list[Visit]:
    """Models that were run, in their order."""
    return [visit(m, out / m.name) for m in models if _is_whole(out / m.name)]


def _is_whole(folder: Path) -> bool:
    """Whether a run has ended: one that was killed has no mark, one that could not begin no run."""
    return (folder / MARK).exists() and (folder / "run.json").exists()


def visit(model: Model, folder: Path) -> Visit:
    """What one run says."""
    run = read_run(folder)
    facts = facts_of(run)
    mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
    line = str(run.facts.get("workload", {}).get("line", ""))
    return Visit(model, tuple(run.effects.rows), best(facts), line, mark, run.facts)


def best(facts: Facts) -> str:
    """The inference path that is surely fastest against the plain one, and its other effects.

    By the interval's lower end: of two launches many estimates are large by chance.
    """
    rows = [m for m in facts.of("infer") if m.ok and m.against_root is not None]
    if not rows:
        return "–"
    return _described(max(rows, key=lambda m: m.against_root.low if m.against_root else 0.0))


def _described(row: Measured) -> str:
    words = [f"`{row.scenario}` {figures.speedup(row.against_root)}"]
    if row.file_factor:
        words.append(f"file ÷{figures.significant(row.file_factor, 2)}")
    return ", ".join(x for x in (*words, cost(row)) if x)


def markdown(visits: Sequence[Visit]) -> str:
    """The page."""
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    page = environment.get_template("page.md.j2")
    shared, own = reasons(visits)
    failed = [
        (each.model.name, row.scenario, FOLDERS.sub("", row.reason))
        for each in visits
        for row in each.rows
        if row.status not in ("ok", "unsupported")
    ]
    return page.render(visits=visits, shared=shared, own=own, failed=failed, how=how(visits))


def reasons(
    visits: Sequence[Visit],
) -> tuple[list[tuple[str, list[str]]], list[tuple[str, str, list[str]]]]:
    """Reasons that hold for every model, and (model, reason, scenarios) of the others."""
    counts: dict[str, set[str]] = defaultdict(set)
    scenarios: dict[str, list[str]] = {}
    for each in visits:
        for reason, ids in each.reasons:
            counts[reason].add(each.model.name)
            scenarios.setdefault(reason, ids)
    everywhere = [r for r, names in counts.items() if len(visits) > 1 and len(names) == len(visits)]
    own = [
        (each.model.name, reason, ids)
        for each in visits
        for reason, ids in each.reasons
        if reason not in everywhere
    ]
    return [(reason, scenarios[reason]) for reason in everywhere], own


def how(visits: Sequence[Visit]) -> list[str]:
    """Where and by which commands the runs were made."""
    machines = {
        f"{facts.get('cpu', 'unknown processor')}, {facts.get('cores', '?')} cores"
        for each in visits
        for facts in [each.facts.get("environment", {})]
    }
    names = [each.model.name for each in visits]
    every = len(names) == len(MODELS)
    command = shlex.join(["nox", "-s", "zoo", *([] if every else ["--", *names])])
    minutes = ", ".join(f"{v.model.name} {v.mark['seconds'] / 60:.1f}" for v in visits)
    left = [model.name for model in MODELS if model.name not in names]
    return [
        f"Made by `{command}`.",
        *sorted(f"On {each}." for each in machines),
        f"Minutes: {minutes}.",
        *([f"Not run: {', '.join(left)}."] if left else []),
    ]
