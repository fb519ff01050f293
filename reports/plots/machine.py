"""Against the machine: arithmetic and memory ceilings, and what a step waits for."""

from __future__ import annotations

import numpy as np

from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.plots import style
from reports.plots.drawn import INK, MUTED
from reports.plots.labels import beside, name_points, rows_axis
from reports.plots.style import shortened

COMPUTE = {
    "int8_op_per_s": "int8",
    "bfloat16_flop_per_s": "bfloat16",
    "float32_flop_per_s": "float32",
}
MEMORY = {"l2_memory_bytes_per_s": "L2", "dram_memory_bytes_per_s": "DRAM"}

_COLOURS = {name: style.PALETTE[number] for number, name in enumerate(COMPUTE.values())}


def roofline(facts: Facts) -> style.Drawing | None:
    """Operations a second over operations a byte, below the ceilings measured in the same run."""
    for configuration in facts.configurations:
        ceilings = facts.ceilings(configuration)
        rows = [m for m in facts.all if m.configuration == configuration and m.operations_per_s]
        if rows and any(ceilings.get(key) for key in COMPUTE):
            return _roofline(facts, configuration, ceilings, rows)
    return None


def _roofline(
    facts: Facts,
    configuration: str,
    ceilings: dict[str, float],
    rows: list[Measured],
) -> style.Drawing:
    best = max(rows, key=lambda m: m.ceiling_share or 0.0)
    title = (
        f"{shortened(best.scenario)} comes closest to the machine's limits: "
        f"{figures.percent(best.ceiling_share, 0)} of its {best.precision} peak"
        if best.ceiling_share
        else "Operations a second of each path, below the machine's ceilings"
    )
    note = style.source(
        facts.run, configuration, "operations and bytes counted, ceilings measured in the run"
    )
    fig, (ax,) = style.canvas(title, note, 4.6, left_in=0.9, right_in=1.4)
    points = [(m.operations_per_byte or 0.0, m.operations_per_s or 0.0, m) for m in rows]
    low, high = min(x for x, _, _ in points) / 3, max(x for x, _, _ in points) * 3
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(low, high)
    tops = [ceilings[k] for k in COMPUTE if ceilings.get(k)]
    ax.set_ylim(min(y for _, y, _ in points) / 3, max(tops) * 2)
    for number, (key, name) in enumerate(COMPUTE.items()):
        if ceilings.get(key):
            ax.axhline(ceilings[key], color=style.PALETTE[number], linewidth=1.4)
            text = f" {name} peak"
            ax.annotate(
                text, (high, ceilings[key]), va="center", size=8, color=style.PALETTE[number]
            )
    xs = np.geomspace(low, high, 50)
    for dash, (key, name) in zip(("--", "-"), MEMORY.items(), strict=True):
        if not ceilings.get(key):
            continue
        ys = xs * ceilings[key]
        shown = ys <= max(tops)
        if shown.any():
            ax.plot(xs[shown], ys[shown], dash, color=MUTED, linewidth=1.2, label=name)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower right", title="memory")
    for x, y, m in points:
        ax.scatter([x], [y], s=24, color=_COLOURS.get(m.precision, INK), zorder=3)
    style.count_axis(ax.xaxis)
    style.count_axis(ax.yaxis)
    leaders = sorted(points, key=lambda point: -point[1])[:12]
    name_points(ax, [(x, y, m.scenario) for x, y, m in leaders])
    ax.set_xlabel("operations a byte of memory traffic")
    ax.set_ylabel("operations a second")
    return style.Drawing("roofline", title, fig)


def waterfall(facts: Facts) -> style.Drawing | None:
    """A training step's time with each input pipeline: computing, and waiting for input."""
    rows = [(m, *m.input_step_ns) for m in facts.first("input") if m.input_step_ns is not None]
    if not rows:
        return None
    rows.sort(key=lambda row: -(row[1] + row[2]))
    worst, best = rows[0], rows[-1]
    title = (
        f"A training step waits {_share(worst)} of its time for {shortened(worst[0].scenario)}, "
        f"{_share(best)} for {shortened(best[0].scenario)}"
    )
    note = style.source(
        facts.run, rows[0][0].configuration, "median over launches, one update a step"
    )
    labels = [shortened(row[0].scenario) for row in rows]
    fig, (ax,) = style.canvas(
        title, note, 1.4 + 0.26 * len(rows), style.label_room(labels), right_in=0.7, legend=True
    )
    places = list(range(len(rows)))
    compute, waiting = [row[1] for row in rows], [row[2] for row in rows]
    ax.barh(places, compute, height=0.6, color=style.PALETTE[0], label="computes")
    ax.barh(
        places, waiting, left=compute, height=0.6, color=style.PALETTE[1], label="waits for input"
    )
    for place, row in zip(places, rows, strict=True):
        beside(ax, _share(row), row[1] + row[2], place)
    rows_axis(ax, labels)
    style.time_axis(ax.xaxis, log=False)
    ax.set_xlabel("time of a training step")
    style.legend_above(ax)
    return style.Drawing("input-waterfall", title, fig)


def _share(row: tuple[Measured, float, float]) -> str:
    return figures.percent(row[2] / (row[1] + row[2]), 0)
