"""Levels of a figure over many runs: the values, and where a level changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import ruptures
from scipy import stats

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


@dataclass(frozen=True)
class History:
    """All lines of a folder of runs."""

    runs: tuple[Past, ...]
    left_out: int
    """Runs of other environments or workloads."""
    damaged: int
    """Folders that could not be read."""
    lines: tuple[Line, ...]


def change_points(values: Sequence[float]) -> list[int]:
    """Indices at which the level of a series changes.

    PELT (Killick, Fearnhead and Eckley 2012) from ruptures on a piecewise constant mean. The
    noise's variance is taken from the median absolute difference of neighbours, which changes of
    level hardly touch; each change must also pass Welch's test between its two levels.

    Args:
        values: Logs of positive figures, in order of time.
    """
    series = np.asarray(values, dtype=float)
    if series.size < 2 * LEAST_RUNS:
        return []
    steps = np.abs(np.diff(series))
    spread = float(np.median(steps)) / (0.6745 * math.sqrt(2))
    spread = max(spread, 1e-6)
    search = ruptures.KernelCPD(kernel="linear", min_size=LEAST_RUNS)
    cost = PENALTY * spread**2 * math.log(series.size)
    ends = search.fit(series.reshape(-1, 1)).predict(pen=cost)
    return _confirmed(series, [0, *ends])


def _confirmed(series: np.ndarray, edges: list[int]) -> list[int]:
    """Edges whose levels differ by enough and surely; a dropped edge joins its two levels."""
    kept = [edges[0]]
    for place, edge in enumerate(edges[1:-1], start=1):
        before, after = series[kept[-1] : edge], series[edge : edges[place + 1]]
        if abs(after.mean() - before.mean()) < math.log1p(LEAST_CHANGE):
            continue
        test = stats.ttest_ind(before, after, equal_var=False)
        if before.std() + after.std() == 0 or test.pvalue < SIGNIFICANCE:
            kept.append(edge)
    return kept[1:]
