"""Trend lines of many runs, with their changes of level."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from reports.plots import style
from reports.plots.drawn import GRID, MUTED
from reports.plots.style import shortened

if TYPE_CHECKING:
    from reports.facts.history import History, Line

MOST_LINES = 80
BAND = 0.42
"""Half of a line's height, in rows, that its largest deviation takes."""


def lines(found: History, metric: str) -> style.Drawing | None:
    """One row a scenario and configuration: its deviation from its first level, changes marked."""
    chosen = [x for x in found.lines if x.metric == metric]
    chosen.sort(key=lambda x: -_largest(x))
    shown = chosen[:MOST_LINES]
    if not shown:
        return None
    changes = [c for line in chosen for c in line.changes]
    name = "Speed-ups" if metric == "speed-up" else "Times"
    if changes:
        worst = max(changes, key=lambda c: abs(math.log(c.ratio)))
        title = (
            f"{name}: {len(changes)} changes of level in {len(found.runs)} runs; the largest is "
            f"{shortened(worst.scenario)}'s, {100 * (worst.ratio - 1):+.0f} %"
        )
    else:
        title = f"{name}: no change of level in {len(found.runs)} runs"
    scale = max(0.05, *(float(np.percentile(np.abs(_deviation(x)), 99)) for x in shown))
    note = (
        f"a row is ±{100 * scale / BAND / 2:.0f} % high · grey: each run, colour: level, "
        "mark: change of level · equal environments only"
        if not found.left_out
        else f"a row is ±{100 * scale / BAND / 2:.0f} % high · grey: each run, colour: level, "
        f"mark: change of level · {found.left_out} runs of other environments left out"
    )
    several = len({x.configuration for x in shown}) > 1
    labels = [
        shortened(f"{x.scenario} {x.configuration}" if several else x.scenario) for x in shown
    ]
    fig, (ax,) = style.canvas(
        title, note, 1.2 + 0.26 * len(shown), style.label_room(labels), right_in=0.8
    )
    order = {run.name: place for place, run in enumerate(found.runs)}
    for row, line in enumerate(shown):
        xs = np.array([order[run.name] for run in line.runs])
        ys = row - np.clip(_deviation(line) / scale, -1, 1) * BAND
        ax.axhline(row, color=GRID, linewidth=0.5)
        ax.plot(xs, ys, color=MUTED, alpha=0.6, linewidth=0.5)
        edges = [0, *(c.index for c in line.changes), len(ys)]
        for start, end in pairwise(edges):
            level = float(np.median(ys[start:end]))
            ax.plot(xs[[start, end - 1]], [level, level], color=style.PALETTE[0], linewidth=1.8)
        marks = [c.index for c in line.changes]
        if marks:
            ax.plot(xs[marks], [row] * len(marks), "v", color=style.PALETTE[1], markersize=5)
            total = math.prod(c.ratio for c in line.changes)
            ax.annotate(
                f"{100 * (total - 1):+.0f} %",
                (1.01, row),
                xycoords=("axes fraction", "data"),
                size=7.5,
                va="center",
            )
    ax.set_yticks(range(len(shown)), labels)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, max(len(found.runs) - 1, 1))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("run, in order of time")
    return style.Drawing(f"history-{metric}", title, fig)


def _deviation(line: Line) -> np.ndarray:
    """Log deviation of each run from the median of the first level."""
    logs = np.log(np.asarray(line.values))
    first = line.changes[0].index if line.changes else len(logs)
    deviation: np.ndarray = logs - np.median(logs[:first])
    return deviation


def _largest(line: Line) -> float:
    return max((abs(math.log(c.ratio)) for c in line.changes), default=0.0)
