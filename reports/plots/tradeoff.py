"""Latency, size and quality together: which path gives up what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports.facts import figures
from reports.facts.measured import Facts, Measured, of_one_root
from reports.facts.scale import SMALL_PP, TINY_PP
from reports.plots import style
from reports.plots.drawn import MUTED
from reports.plots.labels import name_points
from reports.plots.style import shortened

PARETO_NOTE = ("area: compressed size", "filled: on the front over latency, size and quality")
MOST_NAMES = 16
"""Points that are all named; of more, only those on the front are."""


def size_accuracy(facts: Facts) -> style.Drawing | None:
    """Compressed size against loss of quality; the bands: tiny and small losses."""
    rows = [m for m in of_one_root(facts.first("infer")) if m.gain() and m.gzip_bytes]
    if not rows:
        return None
    small = [m for m in rows if loss(m) <= TINY_PP] or rows
    best = min(small, key=_gzip)
    factor = figures.significant(best.gzip_factor or 1.0, 2)
    title = (
        f"{shortened(best.scenario)} is {factor}× smaller than {best.root} "
        f"and loses {figures.rounded(max(loss(best), 0.0), 1)} {unit(rows)[0]}"
    )
    note = style.source(
        facts.run,
        rows[0].configuration,
        "bars: 95 % interval, paired on the same test examples",
        f"bands: tiny (up to {TINY_PP:g} {unit(rows)[0]}) and small (up to {SMALL_PP:g})",
    )
    fig, (ax,) = style.canvas(title, note, 4.6, left_in=0.8, right_in=0.5)
    ax.axhspan(-100, TINY_PP, color=style.PALETTE[2], alpha=0.10, linewidth=0)
    ax.axhspan(TINY_PP, SMALL_PP, color=style.PALETTE[4], alpha=0.12, linewidth=0)
    front = {scenario for scenario, _ in facts.pareto}
    for m in rows:
        item = m.gain()
        assert item is not None  # filtered above
        colour = style.PALETTE[0] if m.scenario in front else MUTED
        ax.plot([_gzip(m)] * 2, [-100 * item.high, -100 * item.low], color=colour, linewidth=1.2)
        ax.plot([_gzip(m)], [loss(m)], marker="o", color=colour, linestyle="none")
    ends = [-100 * x for m in rows if (e := m.gain()) for x in (e.low, e.high)]
    losses = [loss(m) for m in rows]
    reach = [x for x in ends if min(losses) - 1.5 <= x <= max(losses) + 1.5]
    _limits(ax, [_gzip(m) for m in rows], losses + reach)
    style.size_axis(ax.xaxis)
    name_points(ax, [(_gzip(m), loss(m), m.scenario) for m in rows])
    ax.set_xlabel("compressed size of the deployed artifact")
    ax.set_ylabel(unit(rows)[1])
    return style.Drawing("size-accuracy", title, fig)


@dataclass(frozen=True)
class Tradeoff:
    """Inference paths by latency, loss of quality and size."""

    title: str
    rows: tuple[Measured, ...]
    front: frozenset[str]
    """Ids of those that no other beats in all three."""


def compared(facts: Facts) -> Tradeoff | None:
    """What the Pareto plot shows, None where there are not two paths to compare."""
    rows = [m for m in of_one_root(facts.first("infer")) if m.effect.latency_ns and m.quality]
    rows = [m for m in rows if m.gain() or not m.effect.baseline]
    if len(rows) < 2:
        return None
    front = {m.scenario for m in rows if (m.scenario, m.configuration) in facts.pareto}
    title = (
        f"{len(front)} of {len(rows)} inference paths are worth choosing: no other is faster, "
        "smaller and better"
        if front
        else f"The trade-off of {len(rows)} inference paths"
    )
    return Tradeoff(title, tuple(rows), frozenset(front))


def pareto(facts: Facts) -> style.Drawing | None:
    """Latency against loss of quality, the area of a point its size; the front is joined."""
    found = compared(facts)
    if found is None:
        return None
    title, rows = found.title, list(found.rows)
    front = [m for m in rows if m.scenario in found.front]
    note = style.source(
        facts.run,
        rows[0].configuration,
        *PARETO_NOTE,
    )
    fig, (ax,) = style.canvas(title, note, 4.6, left_in=0.8, right_in=0.5)
    largest = max(_gzip(m) for m in rows) or 1
    for m in rows:
        on = m in front
        ax.scatter(
            [_latency(m)],
            [loss(m)],
            s=30 + 500 * _gzip(m) / largest,
            facecolor=style.PALETTE[0] if on else "none",
            edgecolor=style.PALETTE[0] if on else MUTED,
            alpha=0.65 if on else 0.9,
            linewidths=1,
        )
    _limits(ax, [_latency(m) for m in rows], [loss(m) for m in rows])
    style.time_axis(ax.xaxis)
    named = rows if len(rows) <= MOST_NAMES else front or rows[:MOST_NAMES]
    name_points(ax, [(_latency(m), loss(m), m.scenario) for m in named])
    ax.set_xlabel("time an answer (median)")
    ax.set_ylabel(unit(rows)[1])
    return style.Drawing("pareto", title, fig)


def _limits(ax: Axes, xs: list[float], losses: list[float]) -> None:
    ax.set_xscale("log")
    ax.set_xlim(min(xs) / 1.5, max(xs) * 1.6)
    low, high = min([*losses, -0.5]), max([*losses, 1.0])
    room = 0.12 * (high - low)
    ax.set_ylim(low - room, high + room)


def loss(m: Measured) -> float:
    """Of quality, in the unit of `unit`."""
    return m.loss_percent() or 0.0


def unit(rows: Sequence[Measured]) -> tuple[str, str]:
    """Unit of a loss, and the axis's label."""
    found = next((m.quality for m in rows if m.quality), None)
    name = found.metric if found else "accuracy"
    if found is None or found.is_share:
        return "pp", f"{name} loss, percentage points"
    return "%", f"loss of {name}, % of the plain model's"


def _gzip(m: Measured) -> int:
    return m.gzip_bytes or 0


def _latency(m: Measured) -> float:
    return m.effect.latency_ns or 0.0
