"""The history's contents: changes of level, and the present levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from reports.facts import figures
from reports.facts.history import Change, History
from reports.tables.cells import (
    Cell,
    Contents,
    Field,
    Section,
    Table,
    Tone,
    filled,
    label,
    table_of,
)


def contents(found: History) -> Contents:
    """What the history says."""
    changes = sorted((c for line in found.lines for c in line.changes), key=lambda c: -c.at_s)
    first, last = found.runs[0], found.runs[-1]
    said = [
        f"{len(found.runs)} runs from {_date(first.started_s)} to {_date(last.started_s)}, "
        f"{len(found.lines)} lines, {len(changes)} changes of level."
    ]
    if found.left_out:
        said.append(
            f"{found.left_out} runs of other environments or workloads are left out: "
            "their figures do not compare."
        )
    banner = (f"{found.damaged} folders could not be read.",) if found.damaged else ()
    tables = (_changes(changes), _latest(found))
    return Contents(
        last.name,
        "Changes of level by PELT; speed-ups against the baseline of the same run do not drift "
        "with the machine, times do.",
        banner,
        tuple(said),
        (),
        (Section("changes", "Changes of level", tables=filled(tables)),),
        "History up to",
    )


def _changes(changes: Sequence[Change]) -> Table:
    return table_of(
        "changes",
        "Changes, the newest first",
        (
            Field("scenario", lambda c: label(c.scenario)),
            Field("configuration", lambda c: label(c.configuration)),
            Field("figure", lambda c: Cell(c.metric)),
            Field("since", lambda c: Cell(_date(c.at_s), c.at_s)),
            Field("run", lambda c: label(c.run)),
            Field("before", lambda c: Cell(_figure(c.metric, c.before), c.before), True),
            Field("after", lambda c: Cell(_figure(c.metric, c.after), c.after), True),
            Field("change", _change, True),
        ),
        changes,
        opens=lambda c: (c.scenario,),
    )


def _change(c: Change) -> Cell:
    return Cell(f"{figures.signed(100 * (c.ratio - 1), 1)} %", c.ratio, tone=_tone(c))


def _latest(found: History) -> Table:
    return table_of(
        "levels",
        "Present levels",
        (
            Field("scenario", lambda x: label(x.scenario)),
            Field("configuration", lambda x: label(x.configuration)),
            Field("runs", lambda x: _count(x.values), True),
            Field("level", lambda x: _speedup(_middle(x.level)), True,
                  "median speed-up since the last change"),
            Field("runs at it", lambda x: _count(x.level), True),
            Field("newest", lambda x: _speedup(x.values[-1]), True),
        ),
        [line for line in found.lines if line.metric == "speed-up"],
        opens=lambda x: (x.scenario,),
    )  # fmt: skip


def _count(values: Sequence[float]) -> Cell:
    return Cell(f"{len(values):,}", float(len(values)))


def _middle(values: Sequence[float]) -> float:
    return math.exp(float(np.median(np.log(values))))


def _speedup(value: float) -> Cell:
    return Cell(_figure("speed-up", value), value)


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _figure(metric: str, value: float) -> str:
    if metric == "speed-up":
        return f"{figures.significant(value, 3)}×"
    return figures.duration(value, value * 0.005)


def _tone(change: Change) -> Tone:
    better = change.ratio > 1 if change.metric == "speed-up" else change.ratio < 1
    return "good" if better else "bad"
