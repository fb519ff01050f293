"""The speed and Pareto plots as Vega-Lite charts, from the same facts as Matplotlib's."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.results.text import visible
from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.estimates import half_width
from reports.facts.measured import Facts, Measured
from reports.plots import speed, style, tradeoff
from reports.plots.drawn import NONE, Charts

if TYPE_CHECKING:
    import altair as alt

KINDS = ("train", "input", "infer", "serve")
POINTS = "points"
"""Name of the marks that answer to mouse and keyboard; `charts.js` looks for it."""
TITLE_WIDTH = 92
"""Characters of a line of the title."""
LINE, LETTER, STEP = 12, 0.015, 0.045
"""Of names in the Pareto plot: height of a line in pixels; width of a letter and height of a line
as shares of what the points span."""
_INK, _MUTED, _GRID = "var(--ink)", "var(--muted)", "var(--grid)"


def charts(facts: Facts) -> Charts:
    """The charts that the run has data for; none without the extra `interactive`."""
    try:
        import altair
        import vl_convert
    except ImportError:
        return NONE
    made = [pareto(facts), *(forest(facts, kind) for kind in KINDS)]
    specs = {name: _script(chart) for name, chart in (each for each in made if each)}
    if not specs:
        return NONE
    version = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    # the stub knows of no default for the snippet: `vegaEmbed` as a global
    library = vl_convert.javascript_bundle(vl_version=version)  # type: ignore[call-arg]
    return Charts(specs, library)


def pareto(facts: Facts) -> tuple[str, Any] | None:
    """Latency against loss of quality; the area of a point is its size, the front is filled."""
    import altair as alt

    found = tradeoff.compared(facts)
    if found is None:
        return None
    values: list[dict[str, Any]] = [
        {
            **_told(m),
            "x": m.effect.latency_ns,
            "y": tradeoff.loss(m),
            "bytes": m.gzip_bytes or 0,
            "front": m.scenario in found.front,
            "name": visible(style.shortened(m.scenario.partition("/")[2] or m.scenario, 26)),
        }
        # the largest below, so that none hides another from the mouse
        for m in sorted(found.rows, key=lambda m: -(m.gzip_bytes or 0))
    ]
    front = [each for each in values if each["front"]]
    for each, line in zip(front, _lines(front, values), strict=True):
        each["line"] = line
    base = alt.Chart(_data(values))
    x = alt.X(
        "x:Q",
        title="time an answer (median)",
        scale=alt.Scale(type="log", nice=False, padding=30),
        axis=alt.Axis(labelExpr=_time_labels(), values=_ticks([each["x"] for each in values])),
    )
    y = alt.Y("y:Q", title=tradeoff.unit(found.rows)[1], scale=alt.Scale(zero=False, padding=24))
    blue = alt.value(style.PALETTE[0])
    on = alt.datum.front
    points = base.mark_point(cursor="pointer", strokeWidth=1.2).encode(
        x=x,
        y=y,
        size=alt.Size("bytes:Q", legend=None, scale=alt.Scale(range=[40, 900])),
        stroke=alt.condition(on, blue, alt.value(_MUTED)),
        fill=alt.condition(on, blue, alt.value("transparent")),
        fillOpacity=alt.value(0.6),
        **_answers(found.rows),
    )
    names = [
        base.transform_filter(on & (alt.datum.line == line))
        .mark_text(align="left", dx=10, dy=-10 - LINE * line, fontSize=11)
        .encode(x=x, y=y, text="name:N")
        for line in sorted({each["line"] for each in front})
    ]
    layers = (points.properties(name=POINTS), *names)
    return "pareto", _finished(alt.layer(*layers), found.title, tradeoff.PARETO_NOTE, 320)


def _lines(named: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> list[int]:
    """How many lines above its point each name stands, so that names of neighbours do not cross."""
    wide = _span([math.log(p["x"]) for p in every])
    high = _span([float(p["y"]) for p in every])
    taken: list[tuple[float, float, float]] = []
    found = []
    for point in named:
        start, height = math.log(point["x"]) / wide, point["y"] / high
        end, line = start + len(point["name"]) * LETTER, 0
        while any(
            start < right and left < end and abs(height + line * STEP - other) < STEP
            for left, right, other in taken
        ):
            line += 1
        taken.append((start, end, height + line * STEP))
        found.append(line)
    return found


def _span(values: Sequence[float]) -> float:
    return max(values) - min(values) or 1.0


def forest(facts: Facts, kind: str) -> tuple[str, Any] | None:
    """Speed-ups with their intervals; rings: over the plain path, where the baseline is another."""
    import altair as alt

    rows, _ = speed.shown(facts, kind)
    if not rows:
        return None
    configurations = list(dict.fromkeys(visible(m.configuration) for m in rows))
    values = [
        {
            **_told(m),
            "x": _number(m.speedup),
            "low": m.speedup.low if m.speedup and half_width(m.speedup) else None,
            "high": m.speedup.high if m.speedup and half_width(m.speedup) else None,
            "ring": _number(m.against_root) if m.effect.baseline != m.root else None,
        }
        for m in rows
    ]
    ends = [each[name] or 1.0 for each in values for name in ("x", "low", "high", "ring")]
    families = list(dict.fromkeys(m.family for m in rows))
    order = [m.scenario for name in families for m in rows if m.family == name]
    base = alt.Chart(_data(values))
    y: dict[str, Any] = {"y": alt.Y("scenario:N", sort=[visible(one) for one in order], title=None)}
    if len(configurations) > 1:
        y["yOffset"] = alt.YOffset("configuration:N", sort=configurations)
    colour = alt.Color(
        "configuration:N",
        scale=alt.Scale(domain=configurations, range=list(style.PALETTE)),
        legend=alt.Legend(title=None, orient="top") if len(configurations) > 1 else None,
    )
    x = alt.X(
        "x:Q",
        title="speed-up (time of the other ÷ own time)",
        scale=alt.Scale(type="log", nice=False, padding=16),
        axis=alt.Axis(labelExpr="format(datum.value, '~g') + '×'", values=_ticks(ends)),
    )
    one = alt.Chart(_data([{"x": 1}])).mark_rule(color=_MUTED).encode(x=x)
    bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", color=colour, **y)
    points = base.mark_point(size=60, filled=True, opacity=1, cursor="pointer").encode(
        x=x, color=colour, **y, **_answers(rows)
    )
    layers = [one, bars.transform_filter("isValid(datum.low)")]
    if any(each["ring"] for each in values):
        rings = base.mark_point(size=70).encode(x=alt.X("ring:Q"), color=colour, **y)
        layers.append(rings.transform_filter("isValid(datum.ring)"))
    layers.append(points.properties(name=POINTS))
    height = alt.Step(16 + 10 * len(configurations), **{"for": "position"})
    title, told = speed.forest_title(rows, kind), speed.FOREST_NOTE
    return f"speedup-{kind}", _finished(alt.layer(*layers), title, told, height)


def _data(values: Sequence[Mapping[str, Any]]) -> alt.Data:
    import altair as alt

    return alt.Data(values=list(values))  # type: ignore[no-untyped-call]


def _told(m: Measured) -> dict[str, str]:
    """What a point says of its row, and the key of the row."""
    change = m.quality_change
    told = {
        "anchor": m.anchor,
        "scenario": m.scenario,
        "configuration": m.configuration,
        "speedup": figures.speedup(m.speedup) if m.speedup else figures.MISSING,
        "plain": figures.speedup(m.against_root) if m.against_root else figures.MISSING,
        "time": figures.duration(m.effect.latency_ns, half_width(m.latency)),
        "size": figures.size(m.gzip_bytes),
        "quality": figures.quality(m.quality),
        "change": figures.changed(m.quality, change) if m.quality and change else figures.MISSING,
    }
    said = ", ".join(f"{title} {told[name]}" for name, title in _shown([m]))
    return {n: visible(text) for n, text in (*told.items(), ("said", f"{m.scenario}, {said}"))}


def _shown(rows: Sequence[Measured]) -> Iterator[tuple[str, str]]:
    """Fields of a tooltip with their titles: those that some row has."""
    yield "configuration", "where"
    if any(m.speedup for m in rows):
        yield "speedup", "speed-up"
    if any(m.against_root for m in rows):
        yield "plain", "over the plain path"
    yield "time", "time"
    if any(m.gzip_bytes for m in rows):
        yield "size", "compressed size"
    found = next((m.quality for m in rows if m.quality), None)
    if found is not None:
        yield "quality", found.metric
    if any(m.quality_change for m in rows):
        yield "change", "change of it"


def _answers(rows: Sequence[Measured]) -> dict[str, Any]:
    """What a point tells under the mouse and to a screen reader."""
    import altair as alt

    fields = (("scenario", "scenario"), *_shown(rows))
    tooltip = [alt.Tooltip(f"{name}:N", title=visible(title)) for name, title in fields]
    return {"tooltip": tooltip, "description": alt.Description("said:N")}


def _finished(layers: Any, title: str, note: Sequence[str], height: Any) -> Any:
    """As wide as the page, in its colours."""
    import altair as alt

    head = alt.TitleParams(
        textwrap.wrap(visible(title), TITLE_WIDTH),
        subtitle=" · ".join(note),
        anchor="start",
        fontSize=15,
        color=_INK,
        subtitleColor=_MUTED,
    )
    chart = layers.properties(width="container", height=height, title=head)
    chart.autosize = alt.AutoSizeParams(type="fit-x", contains="padding")
    chart = chart.configure(background="transparent", font="system-ui, sans-serif", padding=8)
    chart = chart.configure_view(stroke=None)
    chart = chart.configure_legend(labelColor=_INK)
    chart = chart.configure_text(color=_INK)
    return chart.configure_axis(
        labelColor=_INK,
        titleColor=_MUTED,
        titleFontWeight="normal",
        gridColor=_GRID,
        domainColor=_GRID,
        tickColor=_GRID,
        labelLimit=260,
        labelFontSize=12,
        titleFontSize=12,
    )


def _ticks(values: Sequence[Any]) -> list[float]:
    """1, 2 and 5 of each decade of a logarithmic axis; the decades alone where they are many."""
    low, high = (math.floor(math.log10(end(values))) for end in (min, max))
    steps = (1, 2, 5) if high - low < 3 else (1,)
    return [step * 10.0**decade for decade in range(low, high + 2) for step in steps]


def _time_labels() -> str:
    """Vega's expression of a time in ns, in the unit that fits."""
    texts = [
        f"datum.value >= {scale:g} ? format(datum.value / {scale:g}, '~g') + ' {unit}'"
        for unit, scale in (("s", 1e9), ("ms", 1e6), ("µs", 1e3))
    ]
    return " : ".join([*texts, "format(datum.value, '~g') + ' ns'"])


def _number(item: Estimate | None) -> float | None:
    return item.value if item is not None and math.isfinite(item.value) else None


def _script(chart: Any) -> str:
    """JSON that no script element ends in."""
    spec = chart.to_dict(validate=True)
    return json.dumps(spec, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
