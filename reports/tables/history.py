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
    Column,
    Contents,
    Row,
    Section,
    Table,
    Tone,
    filled,
    label,
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
    return Table(
        "changes",
        "Changes, the newest first",
        (
            Column("scenario"),
            Column("configuration"),
            Column("figure"),
            Column("since"),
            Column("run"),
            Column("before", True),
            Column("after", True),
            Column("change", True),
        ),
        tuple(
            Row(
                (
                    label(c.scenario),
                    label(c.configuration),
                    Cell(c.metric),
                    Cell(_date(c.at_s), c.at_s),
                    label(c.run),
                    Cell(_figure(c.metric, c.before), c.before),
                    Cell(_figure(c.metric, c.after), c.after),
                    Cell(f"{figures.signed(100 * (c.ratio - 1), 1)} %", c.ratio, tone=_tone(c)),
                ),
                c.scenario,
            )
            for c in changes
        ),
    )


def _latest(found: History) -> Table:
    rows = []
    for line in found.lines:
        if line.metric != "speed-up":
            continue
        level = line.values[line.changes[-1].index if line.changes else 0 :]
        middle = math.exp(float(np.median(np.log(level))))
        cells = (
            label(line.scenario),
            label(line.configuration),
            Cell(f"{len(line.values):,}", float(len(line.values))),
            Cell(_figure("speed-up", middle), middle),
            Cell(f"{len(level):,}", float(len(level))),
            Cell(_figure("speed-up", line.values[-1]), line.values[-1]),
        )
        rows.append(Row(cells, line.scenario))
    return Table(
        "levels",
        "Present levels",
        (
            Column("scenario"),
            Column("configuration"),
            Column("runs", True),
            Column("level", True, "median speed-up since the last change"),
            Column("runs at it", True),
            Column("newest", True),
        ),
        tuple(rows),
    )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def _figure(metric: str, value: float) -> str:
    if metric == "speed-up":
        return f"{figures.significant(value, 3)}×"
    return figures.duration(value, value * 0.005)


def _tone(change: Change) -> Tone:
    better = change.ratio > 1 if change.metric == "speed-up" else change.ratio < 1
    return "good" if better else "bad"
