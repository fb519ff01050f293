"""A folder of many runs: each figure over time, and where its level changes."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.results import statistics
from bench.results.errors import StoreError, UsageError
from bench.results.quantiles import student_below
from bench.results.store import read_facts, runs_below
from reports.facts.environments import equality

LEAST_RUNS = 5
"""Runs on each side of a change: fewer are not a level."""
LEAST_CHANGE = 0.01
"""Changes below 1 % are not reported: layout of a process's memory makes as much."""
PENALTY = 3.0
"""Cost of a change in units of variance · ln(runs): the Bayesian criterion's 2 for a level and its
place, and one more because noise between runs is not quite independent."""
SIGNIFICANCE = 0.001


@dataclass(frozen=True)
class Past:
    """What the history needs of one run: no launches, so that a thousand runs load in seconds."""

    name: str
    started_s: float
    key: str
    """Equal for runs whose environments and workloads are equal."""
    rows: dict[tuple[str, str], tuple[float | None, float | None]]
    """(scenario, configuration) → speed-up against its baseline, time of a step in ns."""


@dataclass(frozen=True)
class Change:
    """A change of level of one line."""

    scenario: str
    configuration: str
    metric: str
    """`speed-up` or `time`."""
    run: str
    """First run of the new level."""
    at_s: float
    before: float
    after: float
    index: int
    """Of that run on the line."""

    @property
    def ratio(self) -> float:
        """After ÷ before."""
        return self.after / self.before


@dataclass(frozen=True)
class Line:
    """One scenario and configuration over the runs."""

    scenario: str
    configuration: str
    metric: str
    runs: tuple[Past, ...]
    values: tuple[float, ...]
    changes: tuple[Change, ...]

    @property
    def level(self) -> tuple[float, ...]:
        """Values since the last change."""
        return self.values[self.changes[-1].index if self.changes else 0 :]


@dataclass(frozen=True)
class History:
    """All lines of a folder of runs."""

    runs: tuple[Past, ...]
    left_out: int
    """Runs of other environments or workloads."""
    damaged: int
    """Folders that could not be read."""
    lines: tuple[Line, ...]


def history(folder: Path, every_environment: bool = False) -> History:
    """Read all runs below a folder; keep those whose environment equals the newest one's.

    Raises:
        UsageError: There is none.
    """
    paths = runs_below(folder)
    loaded = [_past(path) for path in paths]
    runs = sorted((p for p in loaded if p is not None), key=lambda p: (p.started_s, p.name))
    if not runs:
        raise UsageError(f"{folder} holds no runs: give the folder that holds the runs' folders")
    kept = runs if every_environment else [p for p in runs if p.key == runs[-1].key]
    return History(tuple(kept), len(runs) - len(kept), len(paths) - len(runs), tuple(_lines(kept)))


def _past(folder: Path) -> Past | None:
    try:
        facts = read_facts(folder)
        rows = dict(_rows(folder / "effects.csv"))
    except (StoreError, OSError, ValueError, KeyError, TypeError):
        return None
    return Past(folder.name, _seconds(facts.get("started")), equality(facts), rows)


def _rows(path: Path) -> Iterator[tuple[tuple[str, str], tuple[float | None, float | None]]]:
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["status"] == "ok":
                speed, time = row["speedup"], row["latency_ns"]
                yield (
                    (row["scenario"], row["configuration"]),
                    (float(speed) if speed else None, float(time) if time else None),
                )


def _lines(runs: Sequence[Past]) -> Iterator[Line]:
    keys = dict.fromkeys(key for run in runs for key in run.rows)
    counts = Counter(key for run in runs for key in run.rows)
    for key in keys:
        for place, metric in enumerate(("speed-up", "time")):
            points = [(r, v) for r in runs if key in r.rows and (v := r.rows[key][place])]
            if len(points) < 2 or counts[key] < 2:
                continue
            own, values = zip(*points, strict=True)
            yield Line(*key, metric, own, values, tuple(_found(key, metric, own, values)))


def _found(
    key: tuple[str, str], metric: str, runs: Sequence[Past], values: Sequence[float]
) -> Iterator[Change]:
    logs = np.log(np.asarray(values))
    edges = [0, *change_points(logs.tolist()), len(values)]
    for before, at, after in zip(edges, edges[1:], edges[2:], strict=False):
        yield Change(
            *key,
            metric,
            runs[at].name,
            runs[at].started_s,
            math.exp(float(np.median(logs[before:at]))),
            math.exp(float(np.median(logs[at:after]))),
            at,
        )


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return 0.0


def change_points(values: Sequence[float]) -> list[int]:
    """Indices at which the level of a series changes.

    Those of the piecewise constant mean with the least squares and cost of changes. The noise's
    variance is taken from the median absolute difference of neighbours, which changes of level
    hardly touch; each change must also pass Welch's test between its two levels.

    Args:
        values: Logs of positive figures, in order of time.
    """
    series = np.asarray(values, dtype=float)
    if series.size < 2 * LEAST_RUNS:
        return []
    steps = np.abs(np.diff(series))
    spread = float(np.median(steps)) / (0.6745 * math.sqrt(2))
    spread = max(spread, 1e-6)
    return _confirmed(series, levels(series, PENALTY * spread**2 * math.log(series.size)))


def levels(series: np.ndarray, penalty: float) -> list[int]:
    """Edges, 0 and the length among them, of the levels that explain a series best.

    The sum of squares about the levels' means, and the penalty for each change, is the least there
    is: optimal partitioning (Jackson et al. 2005), each level at least LEAST_RUNS long.
    """
    count = series.size
    centred = series - series.mean()  # cumulated sums of large figures would lose the differences
    sums = np.concatenate(([0.0], np.cumsum(centred)))
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))
    least = np.full(count + 1, np.inf)
    least[0] = -penalty  # the first level is no change
    start_of = np.zeros(count + 1, dtype=int)
    for end in range(LEAST_RUNS, count + 1):
        starts = np.arange(end - LEAST_RUNS + 1)
        inside = squares[end] - squares[starts]
        inside -= (sums[end] - sums[starts]) ** 2 / (end - starts)
        totals = least[starts] + inside + penalty
        start_of[end] = int(np.argmin(totals))
        least[end] = totals[start_of[end]]
    edges = [count]
    while edges[-1]:
        edges.append(int(start_of[edges[-1]]))
    return edges[::-1]


def _confirmed(series: np.ndarray, edges: list[int]) -> list[int]:
    """Edges whose levels differ by enough and surely; a dropped edge joins its two levels."""
    kept = [edges[0]]
    for place, edge in enumerate(edges[1:-1], start=1):
        before, after = series[kept[-1] : edge], series[edge : edges[place + 1]]
        if abs(after.mean() - before.mean()) < math.log1p(LEAST_CHANGE):
            continue
        value, error, freedom = statistics.apart(after.tolist(), before.tolist())
        if error == 0 or 2 * student_below(freedom, -abs(value) / error) < SIGNIFICANCE:
            kept.append(edge)
    return kept[1:]
