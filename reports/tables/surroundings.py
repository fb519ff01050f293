"""Where and how a run was made, what did not run and why, and how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bench.results.store import Run
from reports.facts.figures import flat
from reports.facts.measured import Facts
from reports.tables.cells import Cell, Field, Table, Tone, label, table_of
from reports.tables.parts import measured_table, scenario_cell

_TONES: dict[str, Tone] = {"unsupported": "muted", "failed": "bad", "timeout": "bad"}


def facts_table(name: str, title: str, facts: Mapping[str, Any]) -> Table:
    """Nested facts as two columns."""
    fields: tuple[Field[tuple[str, str]], ...] = (
        Field("what", lambda item: Cell(item[0])),
        Field("value", lambda item: Cell(item[1])),
    )
    return table_of(name, title, fields, flat(facts))


def moment(value: Any) -> str:
    """A Unix time as a date and time in UTC; text stays as it is."""
    if not isinstance(value, (int, float)):
        return str(value or "")
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def environment_table(run: Run) -> Table:
    """The machine, its software, and the ceilings measured at the time of the run."""
    found = dict(run.facts.get("environment") or {})
    for configuration, ceilings in (run.facts.get("ceilings") or {}).items():
        found[f"ceilings of {configuration}"] = ceilings
    return facts_table("environment", "Environment", found)


def settings_table(run: Run) -> Table:
    """What was asked for: settings, workload, configurations, git state."""
    wanted = {
        "started": moment(run.facts.get("started")),
        "ended": moment(run.facts.get("ended")),
        **(run.facts.get("settings") or {}),
        "workload": run.facts.get("workload"),
        "git": run.facts.get("git"),
    }
    for configuration in run.facts.get("configurations") or []:
        wanted[f"configuration {configuration.get('name', '')}"] = {
            key: value for key, value in configuration.items() if key != "name"
        }
    return facts_table("settings", "Settings and workload", wanted)


def not_run_table(facts: Facts) -> Table:
    """Rows without figures, each with its reason."""
    return measured_table(
        "not-run",
        "What did not run, and why",
        (
            Field("scenario", scenario_cell),
            Field("configuration", lambda m: label(m.configuration)),
            Field("outcome",
                  lambda m: Cell(m.effect.status, tone=_TONES.get(m.effect.status, "bad"))),
            Field("reason", lambda m: Cell(m.effect.reason)),
        ),
        [m for m in facts.all if not m.ok],
    )  # fmt: skip


def warnings_table(facts: Facts) -> Table:
    """Each warning with the rows that carry it."""
    said: dict[str, list[str]] = {}
    for m in facts.all:
        for warning in m.effect.warnings:
            if warning not in facts.run.effects.run_warnings:
                said.setdefault(warning, []).append(m.scenario)
    fields: tuple[Field[tuple[str, list[str]]], ...] = (
        Field("warning", lambda item: Cell(item[0])),
        Field("rows", lambda item: Cell(", ".join(dict.fromkeys(item[1])))),
    )
    return table_of("warnings", "Warnings", fields, said.items())


def reproduce(run: Run) -> str:
    """The commands that make the run and its report again."""
    command = run.facts.get("command") or "tfbench run"
    text = shlex.join(command) if isinstance(command, list) else str(command)
    lines = [text, f"tfbench report {shlex.quote(run.name)}"]
    git = run.facts.get("git")
    if isinstance(git, Mapping) and (commit := git.get("commit")):
        lines.insert(0, f"git checkout {commit}")
    return "\n".join(lines)
