"""What a comparison of runs says: effects, figures, ceilings and cost, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from bench.results.store import Run
from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.environments import MEANING, Difference, differences, unfair
from reports.facts.estimates import half_width
from reports.facts.measured import Measured
from reports.facts.sides import (
    DRIFT,
    Side,
    cost_per_million,
    effect_change,
    latency_ratio,
    scenarios_of,
)
from reports.tables.cells import (
    Cell,
    Column,
    Contents,
    Row,
    Section,
    Table,
    Tone,
    filled,
    label,
    missing,
)
from reports.tables.parts import latency_cell, number


def contents(sides: Sequence[Side]) -> Contents:
    """What the comparison says."""
    runs = list({id(s.facts.run): s.facts.run for s in sides}.values())
    found = differences(runs)
    scenarios = scenarios_of(sides)
    tables = [_figures(sides, scenarios)]
    ceilings = _by_side(
        "ceilings",
        "Operations a second, as a share of the peak that the machine reached in the same run",
        sides,
        scenarios,
        lambda _, m: m.ceiling_share,
        figures.percent,
    )
    cost = _by_side(
        "cost",
        "Money for a million examples, at the prices an hour that were given",
        sides,
        scenarios,
        cost_per_million,
        lambda x: figures.significant(x, 2),
    )
    return Contents(
        " against ".join(s.name for s in sides),
        "Ratios are against the first; effects travel between machines better than latencies.",
        tuple(unfair(found)),
        _headlines(sides, scenarios),
        (),
        (
            Section("effects", "Each technique's effect", tables=(_effects(sides, scenarios),)),
            Section("figures", "Figures", tables=filled(tables)),
            Section("ceilings", "Against each machine's ceilings", tables=filled([ceilings])),
            Section("cost", "Cost", tables=filled([cost])),
            Section("environment", "Environments", tables=(differences_table(runs, found),)),
        ),
        "Comparison",
    )


def _figures(sides: Sequence[Side], scenarios: Sequence[str]) -> Table:
    columns = [Column("scenario"), Column(f"time in {sides[0].name}", True)]
    for side in sides[1:]:
        columns += [Column(f"time in {side.name}", True), Column("speed-up", True)]
        columns += [Column("distinguishable")]
    rows = []
    for scenario in scenarios:
        first = sides[0].get(scenario)
        cells = [label(scenario), latency_cell(first) if first else missing("no figure")]
        for side in sides[1:]:
            m = side.get(scenario)
            ratio = latency_ratio(sides[0], side, scenario)
            cells += [latency_cell(m) if m else missing("no figure"), _factor(ratio, DRIFT)]
            cells += [Cell(_said(ratio, DRIFT))]
        rows.append(Row(tuple(cells), scenario))
    note = (
        "Absolute figures of two times count as distinguishable only beyond a drift of "
        f"{100 * DRIFT:.0f} %, unless both took turns with one another."
    )
    return Table("figures", "Time of an answer, update or batch", tuple(columns), tuple(rows),
                 notes=(note,))  # fmt: skip


def _effects(sides: Sequence[Side], scenarios: Sequence[str]) -> Table:
    columns = [Column("scenario"), Column("against")]
    columns += [Column(side.name, True) for side in sides]
    columns += [Column(f"{s.name} ÷ {sides[0].name}", True) for s in sides[1:]]
    rows = []
    for scenario in scenarios:
        found = [side.get(scenario) for side in sides]
        baseline = next((m.effect.baseline for m in found if m and m.effect.baseline), "")
        if not baseline:
            continue
        cells = [label(scenario), label(baseline)]
        cells += [_factor(m.speedup if m else None) for m in found]
        cells += [_factor(effect_change(sides[0], side, scenario)) for side in sides[1:]]
        rows.append(Row(tuple(cells), scenario))
    return Table(
        "effects", "Speed-up against its baseline, on each side", tuple(columns), tuple(rows)
    )


def _by_side(
    name: str,
    title: str,
    sides: Sequence[Side],
    scenarios: Sequence[str],
    figure: Callable[[Side, Measured], float | None],
    form: Callable[[float], str],
) -> Table:
    """One figure of each scenario on each side, where some side has it."""
    rows = []
    for scenario in scenarios:
        found = [figure(s, m) if (m := s.get(scenario)) else None for s in sides]
        if any(value is not None for value in found):
            rows.append(Row((label(scenario), *(number(x, form) for x in found)), scenario))
    columns = (Column("scenario"), *(Column(side.name, True) for side in sides))
    return Table(name, title, columns, tuple(rows))


def _headlines(sides: Sequence[Side], scenarios: Sequence[str]) -> tuple[str, ...]:
    said = []
    for side in sides[1:]:
        ratios = [r for s in scenarios if (r := latency_ratio(sides[0], side, s)) is not None]
        changes = [c for s in scenarios if (c := effect_change(sides[0], side, s)) is not None]
        if not ratios:
            said.append(f"{side.name} shares no measured scenario with {sides[0].name}.")
            continue
        middle = figures.significant(median(r.value for r in ratios), 2)
        faster = sum(_said(r, DRIFT) == "faster" for r in ratios)
        slower = sum(_said(r, DRIFT) == "slower" for r in ratios)
        text = (
            f"{side.name} is {middle}× as fast as {sides[0].name} in the median of "
            f"{len(ratios)} scenarios: {faster} faster, {slower} slower, "
            f"{len(ratios) - faster - slower} not distinguishable."
        )
        if changes:
            other = sum(_said(c) != "no" for c in changes)
            text += f" {other} of {len(changes)} techniques have another effect there."
        said.append(text)
    return tuple(said)


def _factor(item: Estimate | None, allowance: float = 0.0) -> Cell:
    if item is None:
        return missing()
    tones: dict[str, Tone] = {"faster": "good", "slower": "bad"}
    tone = tones.get(_said(item, allowance), "")
    return Cell(figures.factor(item), item.value, tone=tone, sub=figures.interval(item))


def _said(item: Estimate | None, allowance: float = 0.0) -> str:
    """`faster`, `slower` or `no`: where the interval lies beyond the allowance."""
    if item is None or half_width(item) is None:
        return "no"
    if item.low > 1 + allowance:
        return "faster"
    return "slower" if item.high < 1 / (1 + allowance) else "no"


def differences_table(runs: Sequence[Run], found: Sequence[Difference]) -> Table:
    """Each difference with its value in each run and what it means."""
    return Table(
        "differences",
        "What differs",
        (Column("what"), *(Column(run.name) for run in runs), Column("which means")),
        tuple(
            Row(
                (
                    Cell(d.name),
                    *(Cell(value or "not said") for value in d.values),
                    Cell(MEANING[d.kind], tone=_tone(d.kind)),
                )
            )
            for d in found
        ),
        notes=() if found else ("Nothing that the runs recorded differs.",),
    )


def _tone(kind: str) -> Tone:
    return "bad" if kind == "work" else "warn" if kind == "state" else ""
