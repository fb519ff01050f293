"""Against the machine: arithmetic and memory ceilings, and what a step waits for."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

import numpy as np

from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.facts.why import arithmetic_precision, ceiling_share
from reports.plots.style import (
    INK,
    MUTED,
    PALETTE,
    Drawing,
    canvas,
    count_axis,
    label_room,
    legend_above,
    shortened,
    source,
    time_axis,
)
from reports.plots.tradeoff import name_points

COMPUTE = {
    "int8_op_per_s": "int8",
    "bfloat16_flop_per_s": "bfloat16",
    "float32_flop_per_s": "float32",
}
MEMORY = {"l2_memory_bytes_per_s": "L2", "dram_memory_bytes_per_s": "DRAM"}

_COLOURS = {name: PALETTE[number] for number, name in enumerate(COMPUTE.values())}


@dataclass(frozen=True)
class Point:
    """A path on the roofline."""

    scenario: str
    intensity: float
    """Operations a byte."""
    rate: float
    """Operations a second."""
    precision: str
    """Number type of most of its products."""
    share: float | None
    """Of that type's peak."""


def roofline(facts: Facts) -> Drawing | None:
    """Operations a second over operations a byte, below the ceilings measured in the same run."""
    for configuration in facts.configurations:
        ceilings = facts.ceilings(configuration)
        points = [p for m in facts.all if (p := _point(facts, m, configuration)) is not None]
        if points and any(ceilings.get(key) for key in COMPUTE):
            return _roofline(facts, configuration, ceilings, points)
    return None


def _point(facts: Facts, m: Measured, configuration: str) -> Point | None:
    if m.configuration != configuration or m.probe is None or not m.effect.latency_ns:
        return None
    operations = m.probe.probes.get("flops_per_step")
    moved = m.probe.probes.get("bytes_per_step")
    if not operations or not moved:
        return None
    seconds = m.effect.latency_ns * 1e-9 * m.timed[0].updates_per_step
    ceilings = facts.ceilings(configuration)
    share = ceiling_share(facts.effects, m.scenario, configuration, ceilings)
    precision = arithmetic_precision(m.probe.proof)
    return Point(m.scenario, operations / moved, operations / seconds, precision, share)


def _roofline(
    facts: Facts,
    configuration: str,
    ceilings: dict[str, float],
    points: list[Point],
) -> Drawing:
    best = max(points, key=lambda p: p.share or 0.0)
    title = (
        f"{shortened(best.scenario)} comes closest to the machine's limits: "
        f"{figures.percent(best.share, 0)} of its {best.precision} peak"
        if best.share
        else "Operations a second of each path, below the machine's ceilings"
    )
    note = source(
        facts.run, configuration, "operations and bytes counted, ceilings measured in the run"
    )
    fig, (ax,) = canvas(title, note, 4.6, left_in=0.9, right_in=1.4)
    low = min(p.intensity for p in points) / 3
    high = max(p.intensity for p in points) * 3
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(low, high)
    tops = [ceilings[k] for k in COMPUTE if ceilings.get(k)]
    ax.set_ylim(min(p.rate for p in points) / 3, max(tops) * 2)
    for number, (key, name) in enumerate(COMPUTE.items()):
        if ceilings.get(key):
            ax.axhline(ceilings[key], color=PALETTE[number], linewidth=1.4)
            text = f" {name} peak"
            ax.annotate(text, (high, ceilings[key]), va="center", size=8, color=PALETTE[number])
    xs = np.geomspace(low, high, 50)
    for style, (key, name) in zip(("--", "-"), MEMORY.items(), strict=True):
        if not ceilings.get(key):
            continue
        ys = xs * ceilings[key]
        shown = ys <= max(tops)
        if shown.any():
            ax.plot(xs[shown], ys[shown], style, color=MUTED, linewidth=1.2, label=name)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower right", title="memory")
    for precision in dict.fromkeys(p.precision for p in points):
        own = [p for p in points if p.precision == precision]
        xs_, ys_ = [p.intensity for p in own], [p.rate for p in own]
        ax.scatter(xs_, ys_, s=24, color=_COLOURS.get(precision, INK), zorder=3)
    count_axis(ax.xaxis)
    count_axis(ax.yaxis)
    leaders = sorted(points, key=lambda p: -p.rate)[:12]
    name_points(ax, [(p.intensity, p.rate, p.scenario) for p in leaders])
    ax.set_xlabel("operations a byte of memory traffic")
    ax.set_ylabel("operations a second")
    return Drawing("roofline", title, fig)


def waterfall(facts: Facts) -> Drawing | None:
    """A training step's time with each input pipeline: computing, and waiting for input."""
    configuration = next((m.configuration for m in facts.of("input") if m.ok), "")
    rows = [
        (m, *parts)
        for m in facts.of("input", configuration)
        if m.ok and (parts := _parts(m)) is not None
    ]
    if not rows:
        return None
    rows.sort(key=lambda row: -(row[1] + row[2]))
    worst, best = rows[0], rows[-1]
    title = (
        f"A training step waits {_share(worst)} of its time for {shortened(worst[0].scenario)}, "
        f"{_share(best)} for {shortened(best[0].scenario)}"
    )
    note = source(facts.run, configuration, "median over launches, one update a step")
    labels = [shortened(row[0].scenario) for row in rows]
    fig, (ax,) = canvas(
        title, note, 1.4 + 0.26 * len(rows), label_room(labels), right_in=0.7, legend=True
    )
    places = list(range(len(rows)))
    compute, waiting = [row[1] for row in rows], [row[2] for row in rows]
    ax.barh(places, compute, height=0.6, color=PALETTE[0], label="computes")
    ax.barh(places, waiting, left=compute, height=0.6, color=PALETTE[1], label="waits for input")
    for place, row in zip(places, rows, strict=True):
        ax.annotate(
            _share(row),
            (row[1] + row[2], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            size=7.5,
            color=MUTED,
        )
    ax.set_yticks(places, labels)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    time_axis(ax.xaxis, log=False)
    ax.set_xlabel("time of a training step")
    legend_above(ax)
    return Drawing("input-waterfall", title, fig)


def _parts(m: Measured) -> tuple[float, float] | None:
    """Time of a training step on a cached batch, and what the pipeline adds to it, ns."""
    cached = [x.probes.get("training_step_cached_ns") for x in m.timed]
    whole = [x.probes.get("training_step_with_input_ns") for x in m.timed]
    if not cached or None in cached or None in whole:
        return None
    base = median(float(x) for x in cached if x is not None)
    total = median(float(x) for x in whole if x is not None)
    return base, max(0.0, total - base)


def _share(row: tuple[Measured, float, float]) -> str:
    return figures.percent(row[2] / (row[1] + row[2]), 0)
