"""Speed-ups with their intervals, by family, and the launches behind them."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import PLAIN, Facts, Measured
from reports.plots import style
from reports.plots.drawn import MUTED
from reports.plots.labels import rows_axis
from reports.plots.style import shortened

FOREST_NOTE = (
    "dot: own effect, against its baseline, bar: 95 % interval over launches",
    "ring: over the plain path",
    "right of 1×: faster",
)
ROW_IN = 0.24
EACH_IN = 0.09
"""Added to a row for each further configuration."""
OWN_AT, PLAIN_AT = 8, 64
"""Where the two columns of figures begin, in points to the right of the plot."""


def shown(facts: Facts, kind: str) -> tuple[list[Measured], dict[str, list[str]]]:
    """Rows of a kind that have a speed-up, and their ids by family."""
    rows = [m for m in facts.of(kind) if m.ok and m.speedup is not None]
    families: dict[str, list[str]] = {}
    for m in rows:
        ids = families.setdefault(m.family, [])
        if m.scenario not in ids:
            ids.append(m.scenario)
    return rows, families


def forest(facts: Facts, kind: str) -> style.Drawing | None:
    """Speed-up of each scenario of a kind, grouped by family.

    Its own effect, against its baseline, as a dot with its interval; where that baseline is not the
    plain path, the speed over the plain path as a ring beside it.
    """
    rows, families = shown(facts, kind)
    if not rows:
        return None
    places, labels, y = _places(rows, families)
    count = len(facts.configurations)
    height = 1.4 + (ROW_IN + EACH_IN * (count - 1)) * y
    left = style.label_room([text for _, text in labels])
    note = style.source(facts.run, *FOREST_NOTE)
    fig, (ax,) = style.canvas(
        forest_title(rows, kind), note, height, left, right_in=1.75, legend=True
    )
    for number, configuration in enumerate(facts.configurations):
        own = [m for m in rows if m.configuration == configuration]
        shift = (number - (count - 1) / 2) * 0.34
        _dots(ax, own, places, shift, number, configuration if count > 1 else "own effect")
    ax.axvline(1, color=MUTED, linewidth=1)
    ax.set_xscale("log")
    _room(ax, rows)
    style.factor_axis(ax.xaxis)
    rows_axis(ax, [text for _, text in labels])
    for tick, (_, text) in zip(ax.get_yticklabels(), labels, strict=True):
        if text in families:
            tick.set_fontweight("bold")
    ax.set_ylim(y - 0.3, -1.2)
    _figure(ax, "own effect", OWN_AT, -0.9, bold=True)
    _figure(ax, "over plain", PLAIN_AT, -0.9, bold=True)
    ax.set_xlabel("speed-up (time of the other ÷ own time)")
    style.legend_above(ax)
    return style.Drawing(f"speedup-{kind}", forest_title(rows, kind), fig)


def forest_title(rows: list[Measured], kind: str) -> str:
    """What the forest plot shows: the largest gain, and how many lose.

    Over the plain model or loop; of other kinds, where the plain path only has nothing to do, over
    the baseline.
    """
    name = style.NAMES.get(kind, kind)
    plain = kind in PLAIN
    usual = [m for m in rows if m.root == PLAIN.get(kind, m.root)] or rows
    gains = {m.anchor: m.against_root if plain else m.speedup for m in usual}
    sure = [m for m in usual if distinguishable(gains[m.anchor])]
    lost = {m.scenario for m in rows if distinguishable(m.speedup) and _value(m.speedup) < 1}
    total = len({m.scenario for m in rows})
    slower = f"; slower than its baseline: {len(lost)} of {total}" if lost else ""
    other = "the plain path" if plain else "its baseline"
    best = max(sure, key=lambda m: _value(gains[m.anchor]), default=None)
    gain = gains[best.anchor] if best else None
    if best is None or gain is None:
        return f"{name}: no technique is distinguishable from {other}{slower}"
    if gain.value <= 1:
        return f"{name}: nothing is faster than {other}{slower}"
    over, baseline = best.root if plain else best.effect.baseline, best.effect.baseline
    text = f"{shortened(best.scenario)} is {figures.change(gain)} than {shortened(over)}"
    if baseline != over and best.speedup is not None:
        text += f" ({figures.change(best.speedup)} than {shortened(baseline)})"
    return f"{name}: {text}{slower}"


def launches(facts: Facts, kind: str = "infer") -> style.Drawing | None:
    """Each launch's own effect as a point, so that instability shows."""
    points = []
    for m in facts.of(kind):
        if not m.ok or m.speedup is None:
            continue
        values = m.launch_effects
        if len(values) > 1:
            centre = sum(values) / len(values)
            points.append((m, [100 * math.expm1(v - centre) for v in values]))
    if not points:
        return None
    names = list(dict.fromkeys(m.scenario for m, _ in points))
    spread = {m.scenario: max(map(abs, values)) for m, values in points}
    worst = max(spread, key=lambda name: spread[name])
    title = (
        f"{style.NAMES.get(kind, kind)}: launches agree within "
        f"±{figures.significant(spread[worst], 2)} %; the widest is {shortened(worst)}"
    )
    note = style.source(facts.run, "each point: one launch's effect, as its distance from the mean")
    fig, (ax,) = style.canvas(
        title,
        note,
        1.2 + ROW_IN * len(names),
        style.label_room([shortened(n) for n in names]),
        legend=len(facts.configurations) > 1,
    )
    for number, configuration in enumerate(facts.configurations):
        shift = (number - (len(facts.configurations) - 1) / 2) * 0.26
        own = [(m, v) for m, v in points if m.configuration == configuration]
        ax.scatter(
            [v for _, values in own for v in values],
            [names.index(m.scenario) + shift for m, values in own for _ in values],
            s=16,
            alpha=0.75,
            linewidths=0,
            color=style.PALETTE[number % len(style.PALETTE)],
            marker=style.MARKERS[number % len(style.MARKERS)],
            label=configuration,
        )
    reach = max(0.5, 1.1 * max(spread.values()))
    ax.set_xlim(-reach, reach)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(range(len(names)), [shortened(n) for n in names])
    ax.set_ylim(len(names) - 0.3, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("distance from the mean effect, %")
    if len(facts.configurations) > 1:
        style.legend_above(ax)
    return style.Drawing(f"launches-{kind}", title, fig)


def _places(
    rows: list[Measured], families: dict[str, list[str]]
) -> tuple[dict[str, float], list[tuple[float, str]], int]:
    places: dict[str, float] = {}
    labels: list[tuple[float, str]] = []
    y = 0
    for name, ids in families.items():
        if len(families) > 1:
            labels.append((y, name))
            y += 1
        for one in ids:
            places[one] = y
            labels.append((y, shortened(one)))
            y += 1
    return places, labels, y


def _dots(
    ax: Axes, rows: list[Measured], places: dict[str, float], shift: float, number: int, name: str
) -> None:
    colour, marker = (
        style.PALETTE[number % len(style.PALETTE)],
        style.MARKERS[number % len(style.MARKERS)],
    )
    rings: dict[str, Estimate] = {}
    for at, m in enumerate(rows):
        item, plain = m.speedup, m.against_root
        assert item is not None  # rows without one were left out
        sure = half_width(item) is not None
        low, high = (item.low, item.high) if sure else (item.value, item.value)
        y = places[m.scenario] + shift
        ax.plot([low, high], [y, y], color=colour, linewidth=2, solid_capstyle="butt")
        ax.plot(
            [item.value],
            [y],
            marker=marker,
            color=colour,
            markersize=5,
            markerfacecolor=colour if sure else "none",
            linestyle="none",
            label=name if at == 0 else None,
        )
        _figure(ax, figures.factor(item), OWN_AT, y)
        if plain is not None:
            _figure(ax, figures.factor(plain), PLAIN_AT, y)
            if m.effect.baseline != m.root:
                rings[m.scenario] = plain
    ax.plot(
        [item.value for item in rings.values()],
        [places[scenario] + shift for scenario in rings],
        marker=marker,
        color=colour,
        markersize=6,
        markerfacecolor="none",
        linestyle="none",
        label="over the plain path" if number == 0 and rings else None,
    )


def _figure(ax: Axes, text: str, points: int, y: float, bold: bool = False) -> None:
    """A figure in one of the columns to the right of the plot."""
    ax.annotate(
        text,
        (1, y),
        xycoords=("axes fraction", "data"),
        xytext=(points, 0),
        textcoords="offset points",
        va="center",
        size=7.5,
        color=MUTED,
        weight="bold" if bold else "normal",
    )


def _room(ax: Axes, rows: list[Measured]) -> None:
    values = [_value(item) for m in rows for item in (m.speedup, m.against_root) if item]
    ends = [e for m in rows if half_width(x := m.speedup) and x for e in (x.low, x.high)]
    low, high = min([*values, *ends, 1.0]), max([*values, *ends, 1.0])
    margin = max((high / low) ** 0.06, 1.05)
    ax.set_xlim(low / margin, high * margin)


def _value(item: Estimate | None) -> float:
    return item.value if item is not None else 0.0
