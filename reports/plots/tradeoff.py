"""Latency, size and accuracy together: which path gives up what."""

from __future__ import annotations

from matplotlib.axes import Axes

from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.facts.scale import SMALL_PP, TINY_PP
from reports.plots.style import (
    GRID,
    INK,
    MUTED,
    PALETTE,
    PAPER,
    Drawing,
    canvas,
    shortened,
    size_axis,
    source,
    time_axis,
)

MOST_NAMES = 16
"""Points that are all named; of more, only those on the front are."""


def size_accuracy(facts: Facts) -> Drawing | None:
    """Compressed size against accuracy loss; the bands are the document's tiny and small."""
    rows = _one_configuration(facts)
    rows = [m for m in rows if m.accuracy_delta and m.probe and m.probe.artifact_gzip_bytes]
    if not rows:
        return None
    small = [m for m in rows if _loss(m) <= TINY_PP] or rows
    best = min(small, key=_gzip)
    factor = figures.significant(best.gzip_factor or 1.0, 2)
    title = (
        f"{shortened(best.scenario)} is {factor}× smaller than {best.root} "
        f"and loses {figures.rounded(max(_loss(best), 0.0), 1)} pp"
    )
    note = source(
        facts.run,
        rows[0].configuration,
        "bars: 95 % interval, paired on the same test examples",
        f"bands: tiny (up to {TINY_PP:g} pp) and small (up to {SMALL_PP:g} pp)",
    )
    fig, (ax,) = canvas(title, note, 4.6, left_in=0.8, right_in=0.5)
    ax.axhspan(-100, TINY_PP, color=PALETTE[2], alpha=0.10, linewidth=0)
    ax.axhspan(TINY_PP, SMALL_PP, color=PALETTE[4], alpha=0.12, linewidth=0)
    front = {scenario for scenario, _ in facts.pareto}
    for m in rows:
        item = m.accuracy_delta
        assert item is not None  # filtered above
        colour = PALETTE[0] if m.scenario in front else MUTED
        ax.plot([_gzip(m)] * 2, [-100 * item.high, -100 * item.low], color=colour, linewidth=1.2)
        ax.plot([_gzip(m)], [_loss(m)], marker="o", color=colour, linestyle="none")
    ends = [-100 * x for m in rows if (e := m.accuracy_delta) for x in (e.low, e.high)]
    losses = [_loss(m) for m in rows]
    reach = [x for x in ends if min(losses) - 1.5 <= x <= max(losses) + 1.5]
    _limits(ax, [_gzip(m) for m in rows], losses + reach)
    size_axis(ax.xaxis)
    name_points(ax, [(_gzip(m), _loss(m), m.scenario) for m in rows])
    ax.set_xlabel("compressed size of the deployed artifact")
    ax.set_ylabel("accuracy loss, percentage points")
    return Drawing("size-accuracy", title, fig)


def pareto(facts: Facts) -> Drawing | None:
    """Latency against accuracy loss, the area of a point its size; the front is joined."""
    rows = _one_configuration(facts)
    rows = [m for m in rows if m.effect.latency_ns and m.probe and m.effect.accuracy is not None]
    rows = [m for m in rows if m.accuracy_delta or not m.effect.baseline]
    if len(rows) < 2:
        return None
    front = [m for m in rows if (m.scenario, m.configuration) in facts.pareto]
    title = (
        f"{len(front)} of {len(rows)} inference paths are worth choosing: no other is faster, "
        "smaller and more accurate"
        if front
        else f"The trade-off of {len(rows)} inference paths"
    )
    note = source(
        facts.run,
        rows[0].configuration,
        "area: compressed size",
        "filled: on the front over latency, size and accuracy",
    )
    fig, (ax,) = canvas(title, note, 4.6, left_in=0.8, right_in=0.5)
    largest = max(_gzip(m) for m in rows) or 1
    for m in rows:
        on = m in front
        ax.scatter(
            [_latency(m)],
            [_loss(m)],
            s=30 + 500 * _gzip(m) / largest,
            facecolor=PALETTE[0] if on else "none",
            edgecolor=PALETTE[0] if on else MUTED,
            alpha=0.65 if on else 0.9,
            linewidths=1,
        )
    _limits(ax, [_latency(m) for m in rows], [_loss(m) for m in rows])
    time_axis(ax.xaxis)
    named = rows if len(rows) <= MOST_NAMES else front or rows[:MOST_NAMES]
    name_points(ax, [(_latency(m), _loss(m), m.scenario) for m in named])
    ax.set_xlabel("time an answer (median)")
    ax.set_ylabel("accuracy loss, percentage points")
    return Drawing("pareto", title, fig)


def name_points(ax: Axes, points: list[tuple[float, float, str]]) -> None:
    """Label points, each where its label hides least of what was placed before."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # the axes were made on one
    width, height = figure.get_size_inches() * 72
    box = ax.get_position()
    alike = len({text.partition("/")[0] for _, _, text in points}) == 1
    taken: list[tuple[float, float, float, float]] = []
    spots = [ax.transData.transform((x, y)) * 72 / figure.dpi for x, y, _ in points]
    taken += [(sx - 4, sy - 4, sx + 4, sy + 4) for sx, sy in spots]
    for (sx, sy), (x, y, text) in zip(spots, points, strict=True):
        label = shortened((text.partition("/")[2] or text) if alike else text, 26)
        wide, high = len(label) * 4.4, 8.0
        best = None
        for dx, dy in _offsets(wide):
            area = (sx + dx, sy + dy - high / 2, sx + dx + wide, sy + dy + high / 2)
            outside = (
                max(0.0, box.x0 * width - area[0])
                + max(0.0, area[2] - width + 4)
                + 4 * max(0.0, box.y0 * height - area[1])
                + 4 * max(0.0, area[3] - box.y1 * height)
            )
            cost = sum(_overlap(area, other) for other in taken) + 20 * outside
            cost += 0.2 * (abs(dx) if dx > 0 else abs(dx + wide)) + 0.3 * abs(dy)
            if best is None or cost < best[0]:
                best = (cost, dx, dy, area)
        assert best is not None  # there is at least one offset
        taken.append(best[3])
        far = abs(best[2]) > 14
        ax.annotate(
            label,
            (x, y),
            xytext=(best[1], best[2]),
            textcoords="offset points",
            size=7.5,
            color=INK,
            va="center",
            arrowprops={"arrowstyle": "-", "color": GRID, "linewidth": 0.8} if far else None,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )


def _offsets(wide: float) -> list[tuple[float, float]]:
    steps = [0.0]
    for k in range(1, 13):
        steps += [k * 9.0, k * -9.0]
    return [(dx, dy) for dy in steps for dx in (8.0, -8.0 - wide, -wide / 2)]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _one_configuration(facts: Facts) -> list[Measured]:
    """Inference rows of the first configuration that share the commonest root."""
    for configuration in facts.configurations:
        rows = [m for m in facts.of("infer", configuration) if m.ok]
        if rows:
            roots = [m.root for m in rows]
            root = max(dict.fromkeys(roots), key=roots.count)
            return [m for m in rows if m.root == root]
    return []


def _limits(ax: Axes, xs: list[float], losses: list[float]) -> None:
    ax.set_xscale("log")
    ax.set_xlim(min(xs) / 1.5, max(xs) * 1.6)
    low, high = min([*losses, -0.5]), max([*losses, 1.0])
    room = 0.12 * (high - low)
    ax.set_ylim(low - room, high + room)


def _loss(m: Measured) -> float:
    return -100 * m.accuracy_delta.value if m.accuracy_delta else 0.0


def _gzip(m: Measured) -> int:
    return (m.probe.artifact_gzip_bytes if m.probe else None) or 0


def _latency(m: Measured) -> float:
    return m.effect.latency_ns or 0.0
