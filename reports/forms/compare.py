"""Runs side by side: other machines, configurations or software, and what travels between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.results.store import read_run, replace_text
from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.measured import Facts, half_width
from reports.facts.sides import (
    DRIFT,
    Side,
    all_sides,
    cost_per_million,
    effect_change,
    latency_ratio,
    scenarios_of,
    share_of_ceiling,
)
from reports.forms import html, markdown
from reports.forms.contents import Contents
from reports.plots import heat
from reports.plots.style import Plot, save, styled
from reports.tables.cells import Cell, Column, Row, Section, Table, Tone, label, missing
from reports.tables.environments import differences, differences_table, unfair
from reports.tables.inference import latency_cell


def write_comparison(
    folders: Sequence[Path], out: Path, prices: Sequence[float] = ()
) -> list[Path]:
    """Compare runs; write compare.md, compare.html, compare.csv and plots/ into a folder.

    Args:
        folders: The runs' folders; the first is what the others are compared with.
        out: Made where it does not exist; its own earlier files are replaced.
        prices: Of an hour of each run's machine, in the order of the folders; empty: not known.

    Returns:
        The files written.

    Raises:
        StoreError: One is no run's folder.
        ValueError: There are other numbers of prices than of runs.
    """
    if prices and len(prices) != len(folders):
        raise ValueError(f"{len(prices)} prices for {len(folders)} runs: give one for each")
    sides = all_sides([Facts(read_run(f)) for f in folders], prices)
    out.mkdir(parents=True, exist_ok=True)
    what = contents(sides)
    plots = {"effects": _plots(sides, out / "plots")}
    replace_text(out / "compare.md", markdown.render(what, plots))
    replace_text(out / "compare.html", html.render(what, plots, []))
    replace_text(out / "compare.csv", as_csv(sides))
    files = [out / f"compare.{ending}" for ending in ("md", "html", "csv")]
    return files + [f for p in plots["effects"] for f in (p.png, p.svg)]


def contents(sides: Sequence[Side]) -> Contents:
    """What the comparison says."""
    runs = list({id(s.facts.run): s.facts.run for s in sides}.values())
    found = differences(runs)
    scenarios = scenarios_of(sides)
    tables = [_figures(sides, scenarios)]
    ceilings = _ceilings(sides, scenarios)
    cost = _cost(sides, scenarios)
    return Contents(
        " against ".join(s.name for s in sides),
        "Ratios are against the first; effects travel between machines better than latencies.",
        tuple(unfair(found)),
        _headlines(sides, scenarios),
        (),
        (
            Section("effects", "Each technique's effect", tables=(_effects(sides, scenarios),)),
            Section("figures", "Figures", tables=tuple(t for t in tables if t.rows)),
            Section("ceilings", "Against each machine's ceilings", tables=_some(ceilings)),
            Section("cost", "Cost", tables=_some(cost)),
            Section("environment", "Environments", tables=(differences_table(runs, found),)),
        ),
        "Comparison",
    )


def as_csv(sides: Sequence[Side]) -> str:
    """One row a scenario and side, raw values."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["scenario", "side", "latency_ns", "speedup_against_first", "low", "high",
         "speedup", "effect_ratio", "effect_ratio_low", "effect_ratio_high",
         "ceiling_share", "cost_per_million"]
    )  # fmt: skip
    for scenario in scenarios_of(sides):
        for side in sides:
            m = side.get(scenario)
            if m is None:
                continue
            ratio = latency_ratio(sides[0], side, scenario) if side is not sides[0] else None
            change = effect_change(sides[0], side, scenario) if side is not sides[0] else None
            row = [
                scenario, side.name, m.effect.latency_ns, *_triple(ratio), m.effect.speedup,
                *_triple(change), share_of_ceiling(side, scenario), cost_per_million(side, m),
            ]  # fmt: skip
            writer.writerow(["" if x is None else x for x in row])
    return buffer.getvalue()


# --- tables -------------------------------------------------------------------------------------


def _figures(sides: Sequence[Side], scenarios: Sequence[str]) -> Table:
    columns = [Column("scenario"), Column(f"time in {sides[0].name}", True)]
    for side in sides[1:]:
        columns += [Column(f"time in {side.name}", True), Column("speed-up", True)]
        columns += [Column("told apart")]
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
        "Absolute figures of two times count as told apart only beyond a drift of "
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


def _ceilings(sides: Sequence[Side], scenarios: Sequence[str]) -> Table:
    rows = []
    for scenario in scenarios:
        shares = [share_of_ceiling(side, scenario) for side in sides]
        if any(share is not None for share in shares):
            cells = [missing() if x is None else Cell(figures.percent(x), x) for x in shares]
            rows.append(Row((label(scenario), *cells), scenario))
    return Table(
        "ceilings",
        "Operations a second, as a share of the peak that the machine reached in the same run",
        (Column("scenario"), *(Column(side.name, True) for side in sides)),
        tuple(rows),
    )


def _cost(sides: Sequence[Side], scenarios: Sequence[str]) -> Table:
    rows = []
    for scenario in scenarios:
        costs = [cost_per_million(s, m) if (m := s.get(scenario)) else None for s in sides]
        if any(cost is not None for cost in costs):
            cells = [missing() if x is None else Cell(figures.significant(x, 2), x) for x in costs]
            rows.append(Row((label(scenario), *cells), scenario))
    return Table(
        "cost",
        "Money for a million examples, at the prices an hour that were given",
        (Column("scenario"), *(Column(side.name, True) for side in sides)),
        tuple(rows),
    )


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
            f"{len(ratios) - faster - slower} not told apart."
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


def _some(table: Table) -> tuple[Table, ...]:
    return (table,) if table.rows else ()


def _triple(item: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if item is None else (item.value, item.low, item.high)


def _plots(sides: Sequence[Side], folder: Path) -> list[Plot]:
    folder.mkdir(exist_ok=True)
    names = [side.name for side in sides]
    scenarios = scenarios_of(sides)
    speedups = {
        s: [m.speedup.value if (m := side.get(s)) and m.speedup else None for side in sides]
        for s in scenarios
    }
    times = {
        s: [m.effect.latency_ns if (m := side.get(s)) else None for side in sides]
        for s in scenarios
    }
    with styled():
        drawings = [heat.effects(names, speedups), heat.slopes(names, times)]
    return [save(drawing, folder) for drawing in drawings if drawing is not None]
