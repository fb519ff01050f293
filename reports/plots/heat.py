"""Plots of a comparison: effects as a heat map, latencies as slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import TwoSlopeNorm

from reports.facts import figures
from reports.plots import style
from reports.plots.drawn import GRID, INK
from reports.plots.style import shortened

Values = Mapping[str, Sequence[float | None]]
MOST_SLOPES = 40


def effects(names: Sequence[str], speedups: Values) -> style.Drawing | None:
    """Each technique's speed-up on each side: blue is faster than its baseline, red slower."""
    rows = {s: v for s, v in speedups.items() if any(x is not None for x in v)}
    if not rows:
        return None
    table = np.array([[math.log2(x) if x else np.nan for x in values] for values in rows.values()])
    spread = {
        s: max(known) / min(known)
        for s, v in rows.items()
        if len(known := [x for x in v if x is not None]) > 1
    }
    if spread:
        most = max(spread, key=lambda s: spread[s])
        factor = figures.significant(spread[most], 2)
        title = f"{shortened(most)}'s effect differs most: {factor}× between the sides"
    else:
        title = "Speed-up of each technique against its baseline"
    labels = [shortened(s) for s in rows]
    left = style.label_room(labels)
    note = "colour: speed-up against its baseline, in doublings"
    height = 1.5 + 0.26 * len(rows)
    fig, (ax,) = style.canvas(title, note, height, left, bottom_in=0.6, legend=True)
    reach = max(1.0, float(np.nanmax(np.abs(table))))
    norm = TwoSlopeNorm(0, -reach, reach)
    ax.imshow(table, aspect="auto", cmap="RdBu", norm=norm, interpolation="nearest")
    for y, values in enumerate(rows.values()):
        for x, value in enumerate(values):
            if value is not None:
                dark = abs(math.log2(value)) > 0.6 * reach
                text = f"{figures.significant(value, 3)}×"
                ax.text(x, y, text, ha="center", va="center", size=8,
                        color="white" if dark else INK)  # fmt: skip
    ax.set_xticks(range(len(names)), [shortened(n, 30) for n in names])
    ax.xaxis.tick_top()
    ax.set_yticks(range(len(rows)), labels)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    return style.Drawing("effects-heat", title, fig)


def slopes(names: Sequence[str], times: Values) -> style.Drawing | None:
    """Latency of each scenario on each side, joined by a line."""
    rows = {s: v for s, v in times.items() if sum(x is not None for x in v) > 1}
    if not rows or len(names) < 2:
        return None
    ratios = {s: v[0] / v[-1] for s, v in rows.items() if v[0] and v[-1]}
    if ratios:
        best = max(ratios, key=lambda s: ratios[s])
        worst = min(ratios, key=lambda s: ratios[s])
        title = (
            f"From {shortened(names[0], 24)} to {shortened(names[-1], 24)}: "
            f"{shortened(best)} gains most ({figures.significant(ratios[best], 2)}×), "
            f"{shortened(worst)} least ({figures.significant(ratios[worst], 2)}×)"
        )
    else:
        title = "Latency of each scenario on each side"
    shown = dict(list(rows.items())[:MOST_SLOPES])
    note = "median time of an answer, update or batch"
    height = 2 + 0.17 * len(shown)
    fig, (ax,) = style.canvas(title, note, height, left_in=0.9, right_in=2.4, bottom_in=0.6)
    ax.set_yscale("log")
    places = range(len(names))
    for number, values in enumerate(shown.values()):
        known = [(x, v) for x, v in zip(places, values, strict=True) if v is not None]
        colour = style.PALETTE[number % len(style.PALETTE)]
        ax.plot(*zip(*known, strict=True), color=colour, marker="o", markersize=4, linewidth=1.3)
    ax.set_xlim(-0.1, len(names) - 1 + 0.1)
    style.time_axis(ax.yaxis)
    low, high = (math.log(v) for v in ax.get_ylim())
    ends = sorted((next(v for v in reversed(row) if v is not None), s) for s, row in shown.items())
    step = 0.15 / (fig.get_figheight() - 1.3) * (high - low)
    at = -math.inf
    for value, scenario in ends:  # from below, each at least a line above the one before
        at = max(math.log(value), at + step)
        ax.annotate(
            shortened(scenario, 30),
            (len(names) - 1, value),
            xytext=(len(names) - 1 + 0.14, math.exp(at)),
            size=7.5,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": GRID, "linewidth": 0.7},
        )
    ax.set_xticks(list(places), [shortened(n, 30) for n in names])
    ax.grid(axis="x", visible=False)
    return style.Drawing("latency-slopes", title, fig)
