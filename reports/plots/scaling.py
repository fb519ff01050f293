"""What grows: throughput with the batch, time with the number of steps, memory with the path."""

from __future__ import annotations

import re

import numpy as np

from reports.facts import figures
from reports.facts.estimates import distinguishable
from reports.facts.measured import PLAIN, Facts, Measured
from reports.plots import style
from reports.plots.drawn import MUTED
from reports.plots.labels import beside, rows_axis
from reports.plots.style import shortened

_BATCHED = re.compile(r"^(?P<stem>.+?)-(?:b|batch-?)(?P<batch>\d+)$")
MOST_LINES = 7


def batches(facts: Facts, kind: str) -> style.Drawing | None:
    """Throughput over the batch size, a line for each path that ran at several."""
    rows = facts.first(kind)
    lines: dict[str, dict[float, float]] = {}
    for m in rows:
        if m.effect.throughput_per_s:
            match = _BATCHED.match(m.scenario)
            stem = match["stem"] if match else m.scenario
            lines.setdefault(stem, {})[m.examples_per_unit] = m.effect.throughput_per_s
    chosen = {stem: dict(sorted(x.items())) for stem, x in lines.items() if len(x) > 2}
    if not chosen:
        return None
    ranked = sorted(chosen, key=lambda stem: -max(chosen[stem].values()))[:MOST_LINES]
    best = chosen[ranked[0]]
    top = max(best, key=lambda batch: best[batch])
    name = style.NAMES.get(kind, kind)
    gain = figures.significant(best[top] / next(iter(best.values())), 2)
    title = (
        f"{name}: {shortened(ranked[0])} answers {gain}× the examples a second "
        f"at batch {top:g} of those at batch {next(iter(best)):g}"
    )
    if kind == "train":
        title = title.replace(" answers ", " trains on ")
    note = style.source(facts.run, rows[0].configuration, "median over launches")
    fig, (ax,) = style.canvas(title, note, 3.8, left_in=0.9, right_in=2.2)
    for number, stem in enumerate(ranked):
        xs, ys = list(chosen[stem]), list(chosen[stem].values())
        colour, marker = (
            style.PALETTE[number % len(style.PALETTE)],
            style.MARKERS[number % len(style.MARKERS)],
        )
        ax.plot(xs, ys, color=colour, marker=marker, markersize=5, label=shortened(stem, 26))
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    sizes = sorted({x for stem in ranked for x in chosen[stem]})
    ax.set_xticks(sizes, [f"{x:g}" for x in sizes])
    ax.minorticks_off()
    style.count_axis(ax.yaxis)
    ax.set_xlabel("batch size")
    ax.set_ylabel("examples a second")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return style.Drawing(f"batch-{kind}", title, fig)


def break_even(facts: Facts, kind: str = "train") -> style.Drawing | None:
    """Time after N updates, the first one with its compilation; rings mark where it pays off."""
    root, rows = _payers(facts, kind)
    if root is None or not rows:
        return None
    paying = [m for m in rows if (m.effect.break_even_steps or 0) >= 1]
    first = min(paying, key=lambda m: m.effect.break_even_steps or 0) if paying else None
    name = style.NAMES.get(kind, kind)
    if first is None:
        title = f"{name}: no longer first step ever pays off against {root.scenario}"
    else:
        steps = figures.whole(first.effect.break_even_steps)
        title = f"{name}: {first.scenario} makes up for its first step after {steps} updates"
    note = style.source(
        facts.run, root.configuration, "ring: overtakes its baseline", "both scales logarithmic"
    )
    fig, (ax,) = style.canvas(title, note, 3.9, left_in=0.9, right_in=2.2)
    farthest = max((m.effect.break_even_steps or 0 for m in paying), default=1000)
    steps_axis = np.geomspace(1, max(1000.0, min(farthest * 10, 1e7)), 200)
    for number, m in enumerate([root, *rows]):
        colour = MUTED if m is root else style.PALETTE[(number - 1) % len(style.PALETTE)]
        dash = "--" if m is root else "-"
        label = shortened(m.scenario, 26)
        ax.plot(steps_axis, _total_ns(m, steps_axis), dash, color=colour, label=label)
        at = m.effect.break_even_steps
        if m in paying and at and at <= steps_axis[-1]:
            y = float(_total_ns(m, np.array([at]))[0])
            ax.plot([at], [y], marker="o", markerfacecolor="white", color=colour)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(steps_axis[0], steps_axis[-1])
    style.time_axis(ax.yaxis)
    style.count_axis(ax.xaxis)
    ax.set_xlabel("updates")
    ax.set_ylabel("time since the first update began")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return style.Drawing(f"break-even-{kind}", title, fig)


def _payers(facts: Facts, kind: str) -> tuple[Measured | None, list[Measured]]:
    """The plain path, and those compared with it whose difference is sure."""
    for configuration in facts.configurations:
        root = facts.get(PLAIN.get(kind, ""), configuration)
        if root is None or not root.ok or root.effect.first_step_s is None:
            continue
        rows = [
            m
            for m in facts.of(kind, configuration)
            if m.ok
            and m.effect.baseline == root.scenario
            and m.effect.first_step_s is not None
            and distinguishable(m.speedup)
            and m.examples_per_unit == root.examples_per_unit
        ]
        rows.sort(key=lambda m: -(m.speedup.value if m.speedup else 0.0))
        return root, rows[:MOST_LINES]
    return None, []


def _total_ns(m: Measured, steps: np.ndarray) -> np.ndarray:
    first = (m.effect.first_step_s or 0.0) * 1e9
    return first + (steps - 1) * (m.effect.latency_ns or 0.0)


def memory(facts: Facts, kind: str) -> style.Drawing | None:
    """Peak memory that each path adds to its process."""
    rows = [m for m in facts.first(kind) if m.effect.peak_memory_bytes]
    if len(rows) < 2:
        return None
    rows.sort(key=_peak)
    least, most = rows[0], rows[-1]
    name = style.NAMES.get(kind, kind)
    title = (
        f"{name}: {shortened(least.scenario)} adds {figures.size(_peak(least))} "
        f"to its process, {shortened(most.scenario)} {figures.size(_peak(most))}"
    )
    note = style.source(
        facts.run, rows[0].configuration, "growth of the resident set, in a pass apart from timing"
    )
    labels = [shortened(m.scenario) for m in rows]
    fig, (ax,) = style.canvas(
        title, note, 1.3 + 0.22 * len(rows), style.label_room(labels), right_in=0.9
    )
    places = range(len(rows))
    ax.barh(places, [_peak(m) for m in rows], height=0.62, color=style.PALETTE[0], alpha=0.85)
    for place, m in zip(places, rows, strict=True):
        beside(ax, figures.size(_peak(m)), _peak(m), place)
    rows_axis(ax, labels)
    style.size_axis(ax.xaxis, log=False)
    ax.set_xlabel("peak memory, above that of the empty process")
    return style.Drawing(f"memory-{kind}", title, fig)


def _peak(m: Measured) -> int:
    return m.effect.peak_memory_bytes or 0
