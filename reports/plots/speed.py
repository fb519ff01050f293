"""Speed-ups with their intervals, by family, and the launches behind them."""

from __future__ import annotations

import math

from matplotlib.axes import Axes

from bench.results.effects import log_ratio
from reports.facts import figures
from reports.facts.measured import Facts, Measured, half_width, told_apart
from reports.plots.style import (
    MARKERS,
    MUTED,
    PALETTE,
    Drawing,
    canvas,
    factor_axis,
    label_room,
    legend_above,
    shortened,
    source,
)

ROW_IN = 0.24
EACH_IN = 0.09
"""Added to a row for each further configuration."""
NAMES = {"infer": "Inference", "train": "Training", "input": "Input", "serve": "Serving"}


def forest(facts: Facts, kind: str) -> Drawing | None:
    """Speed-up of each scenario of a kind against its baseline, grouped by family."""
    rows = [m for m in facts.of(kind) if m.ok and m.speedup is not None]
    if not rows:
        return None
    families: dict[str, list[str]] = {}
    for m in rows:
        ids = families.setdefault(m.family, [])
        if m.scenario not in ids:
            ids.append(m.scenario)
    places, labels, y = _places(facts, rows, families)
    height = 1.2 + (ROW_IN + EACH_IN * (len(facts.configurations) - 1)) * y
    left = label_room([text for _, text in labels])
    title = forest_title(rows, kind)
    note = source(facts.run, "dot: effect, bar: 95 % interval over launches", "right of 1×: faster")
    several = len(facts.configurations) > 1
    fig, (ax,) = canvas(title, note, height, left, right_in=0.9, legend=several)
    for number, configuration in enumerate(facts.configurations):
        own = [m for m in rows if m.configuration == configuration]
        shift = (number - (len(facts.configurations) - 1) / 2) * 0.34
        _dots(ax, own, places, shift, number, configuration)
    ax.axvline(1, color=MUTED, linewidth=1)
    ax.set_xscale("log")
    _room(ax, rows)
    factor_axis(ax.xaxis)
    ax.set_yticks([place for place, _ in labels], [text for _, text in labels])
    ax.set_ylim(y - 0.3, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    for place, text in labels:
        if text in families:
            ax.get_yticklabels()[labels.index((place, text))].set_fontweight("bold")
    ax.set_xlabel("speed-up against its baseline (time of the baseline ÷ own time)")
    if len(facts.configurations) > 1:
        legend_above(ax)
    return Drawing(f"speedup-{kind}", title, fig)


def forest_title(rows: list[Measured], kind: str) -> str:
    """What the forest plot shows: the largest gain and how many lose."""
    name = NAMES.get(kind, kind)
    sure = [m for m in rows if told_apart(m.speedup)]
    if not sure:
        return f"{name}: no technique can be told apart from its baseline"
    best = max(sure, key=lambda m: m.speedup.value if m.speedup else 0.0)
    slower = len({m.scenario for m in sure if m.speedup and m.speedup.value < 1})
    total = len({m.scenario for m in rows})
    assert best.speedup is not None  # rows without a speed-up are not shown
    lost = f"; {slower} of {total} {'is' if slower == 1 else 'are'} slower" if slower else ""
    if best.speedup.value <= 1:
        return f"{name}: nothing is faster than its baseline{lost}"
    change = figures.change(best.speedup)
    than = shortened(best.effect.baseline)
    return f"{name}: {shortened(best.scenario)} is {change} than {than}{lost}"


def launches(facts: Facts, kind: str = "infer") -> Drawing | None:
    """Each launch's own effect as a point, so that instability shows."""
    points = []
    for m in facts.of(kind):
        if not m.ok or m.speedup is None:
            continue
        values = launch_effects(facts, m)
        if len(values) > 1:
            centre = sum(values) / len(values)
            points.append((m, [100 * math.expm1(v - centre) for v in values]))
    if not points:
        return None
    names = list(dict.fromkeys(m.scenario for m, _ in points))
    spread = {m.scenario: max(map(abs, values)) for m, values in points}
    worst = max(spread, key=lambda name: spread[name])
    title = (
        f"{NAMES.get(kind, kind)}: launches agree within "
        f"±{figures.significant(spread[worst], 2)} %; the widest is {shortened(worst)}"
    )
    note = source(facts.run, "each point: one launch's effect, as its distance from the mean")
    fig, (ax,) = canvas(
        title,
        note,
        1.2 + ROW_IN * len(names),
        label_room([shortened(n) for n in names]),
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
            color=PALETTE[number % len(PALETTE)],
            marker=MARKERS[number % len(MARKERS)],
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
        legend_above(ax)
    return Drawing(f"launches-{kind}", title, fig)


def launch_effects(facts: Facts, m: Measured) -> list[float]:
    """ln(time ÷ baseline's) of each launch that both took part in."""
    base = [
        x for x in facts.effects.timed(m.effect.baseline, m.configuration) if x.role == "baseline"
    ]
    pairs = (log_ratio(base, [x]) for x in m.timed if x.role == "candidate")
    return [pair.value for pair in pairs if pair is not None]


def _places(
    facts: Facts, rows: list[Measured], families: dict[str, list[str]]
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
    ax: Axes,
    rows: list[Measured],
    places: dict[str, float],
    shift: float,
    number: int,
    name: str,
) -> None:
    colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number % len(MARKERS)]
    for at, m in enumerate(rows):
        item = m.speedup
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
        ax.annotate(
            figures.factor(item),
            (high, y),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            size=7.5,
            color=MUTED,
        )


def _room(ax: Axes, rows: list[Measured]) -> None:
    values = [v for m in rows if m.speedup for v in (m.speedup.value,)]
    ends = [v for m in rows if half_width(m.speedup) for v in (m.speedup.low, m.speedup.high)]  # type: ignore[union-attr]
    low, high = min([*values, *ends, 1.0]), max([*values, *ends, 1.0])
    margin = max((high / low) ** 0.06, 1.05)
    ax.set_xlim(low / margin, high * margin)
