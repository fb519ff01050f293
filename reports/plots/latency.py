"""Distributions of single steps, and how each path warmed up."""

from __future__ import annotations

import math
from statistics import median

import numpy as np

from bench.results.histogram import BUCKETS_PER_LOG, histogram_quantile
from reports.facts import figures
from reports.facts.measured import Facts, Measured, of_one_root
from reports.plots import style
from reports.plots.drawn import INK, MUTED
from reports.plots.style import shortened


def distributions(facts: Facts) -> style.Drawing | None:
    """Latency of single answers, one ridge a scenario, with p50 and p99 marked."""
    configuration = next((m.configuration for m in facts.of("infer") if m.samples), None)
    rows = [m for m in facts.of("infer", configuration) if m.ok and m.samples]
    if not rows:
        return None
    rows = of_one_root(rows)
    rows.sort(key=lambda m: m.effect.latency_ns or 0.0)
    title = _tail_title(rows)
    marks = "line: p50, tick: p99 where the samples bound it"
    note = style.source(facts.run, str(configuration), marks, "single answers of all launches")
    labels = [shortened(m.scenario) for m in rows]
    fig, (ax,) = style.canvas(title, note, 1.3 + 0.34 * len(rows), style.label_room(labels))
    ax.set_xscale("log")
    ends = [e for m in rows for e in _ends(m)]
    ax.set_xlim(min(ends) / 1.1, max(ends) * 1.1)
    width = max(0.01, math.log(max(ends) / min(ends)) / 220)
    for number, m in enumerate(rows):
        _ridge(ax, m, number, style.PALETTE[number % len(style.PALETTE)], width)
    style.time_axis(ax.xaxis)
    ax.set_yticks(range(len(rows)), labels)
    ax.set_ylim(len(rows) - 0.6, -1.0)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("time of one answer")
    return style.Drawing("latency", title, fig)


def _tail_title(rows: list[Measured]) -> str:
    fastest = rows[0]
    took = figures.duration(fastest.quantile_ns(0.5), (fastest.quantile_ns(0.5) or 0) * 0.01)
    text = f"{shortened(fastest.scenario)} answers in {took}"
    tails = [
        ((m.quantile_ns(0.99) or 0) / (m.quantile_ns(0.5) or 1), m)
        for m in rows
        if m.quantile_ns(0.99) is not None
    ]
    if tails:
        ratio, worst = max(tails, key=lambda pair: pair[0])
        tail = figures.significant(ratio, 2)
        text += f"; the longest tail is {shortened(worst.scenario)}'s, p99 at {tail}× its median"
    return text


def _ends(m: Measured) -> tuple[float, float]:
    low = histogram_quantile(m.histogram, 0.005) or 1.0
    high = histogram_quantile(m.histogram, 0.99) or low
    return low, high


def _ridge(ax: object, m: Measured, place: int, colour: str, width: float) -> None:
    low, high = _ends(m)
    edges = np.arange(math.log(low) - 2 * width, math.log(high) + 2 * width, width)
    logs = np.array([int(b) / BUCKETS_PER_LOG for b in m.histogram])
    counts, edges = np.histogram(logs, edges, weights=list(m.histogram.values()))
    heights = 0.85 * counts / max(counts.max(), 1)
    ax.stairs(  # type: ignore[attr-defined]
        place - heights, np.exp(edges), baseline=place, fill=True, color=colour, alpha=0.55
    )
    p50, p99 = m.quantile_ns(0.5), m.quantile_ns(0.99)
    if p50:
        ax.plot([p50, p50], [place, place - 0.85], color=INK, linewidth=1.2)  # type: ignore[attr-defined]
    if p99:
        ax.plot([p99, p99], [place, place - 0.3], color=INK, linewidth=1.2)  # type: ignore[attr-defined]


def warm_up(facts: Facts) -> style.Drawing | None:
    """Turns of the warm-up of the first launch; the ring marks the point taken as steady."""
    chosen = [m for m in facts.all if m.ok and len(m.timed[0].warmup_turns) > 2]
    configuration = chosen[0].configuration if chosen else ""
    rows = [m for m in chosen if m.configuration == configuration]
    if not rows:
        return None
    rows.sort(key=_drop, reverse=True)
    shown = rows[:6]
    launches = [x for m in facts.all if m.ok and m.configuration == configuration for x in m.timed]
    unsteady, total = sum(not x.steady for x in launches), len(launches)
    first = shown[0]
    title = (
        f"{shortened(first.scenario)} needs its warm-up most: it begins at "
        f"{figures.significant(_drop(first), 2)}× its steady time; "
        + (f"{unsteady} of {total} launches were not steady" if unsteady else "all became steady")
    )
    note = style.source(
        facts.run, configuration, "first launch of each", "ring: the point taken as steady"
    )
    fig, (ax,) = style.canvas(title, note, 3.6, left_in=0.8, right_in=2.1)
    for number, m in enumerate(shown):
        turns, steady = m.timed[0].warmup_turns, _steady_ns(m)
        xs = np.cumsum([t.elapsed_ns for t in turns])
        ys = [t.step_ns / steady for t in turns]
        colour = style.PALETTE[number % len(style.PALETTE)]
        ax.plot(xs, ys, color=colour, linewidth=1.4, label=shortened(m.scenario, 26))
        face = "none" if m.timed[0].steady else "white"
        mark = "o" if m.timed[0].steady else "x"
        ax.plot(xs[-1:], ys[-1:], marker=mark, color=colour, markerfacecolor=face)
    ax.axhline(1, color=MUTED, linewidth=1)
    ax.set_xscale("log")
    style.time_axis(ax.xaxis)
    ax.set_xlabel("time of warming up")
    ax.set_ylabel("time a step ÷ its steady time")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return style.Drawing("warm-up", title, fig)


def _steady_ns(m: Measured) -> float:
    return median(t.step_ns for t in m.timed[0].turns)


def _drop(m: Measured) -> float:
    return m.timed[0].warmup_turns[0].step_ns / _steady_ns(m)
