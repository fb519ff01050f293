"""Runs side by side: other machines, configurations or software, and what travels between them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from scipy import stats

from bench.results import statistics
from bench.results.store import read_run, replace_text
from bench.results.values import Estimate
from reports import figures, html, markdown
from reports.cells import Cell, Column, Row, Section, Table, Tone, label, missing
from reports.contents import Contents
from reports.environments import differences, differences_table, unfair
from reports.measured import Facts, Measured, half_width
from reports.plots import heat
from reports.plots.style import Plot, save, styled
from reports.tables import latency_cell
from reports.why import ceiling_share

DRIFT = 0.10
"""Relative drift between two times of a shared machine, which no interval of one run holds: two
absolute figures count as told apart only beyond it. Effects need no such allowance."""


@dataclass(frozen=True)
class Side:
    """One configuration of one run: a column of the comparison."""

    name: str
    facts: Facts
    configuration: str
    price: float | None = None
    """Of an hour, in the user's money."""

    def get(self, scenario: str) -> Measured | None:
        """A scenario's row where it has figures."""
        m = self.facts.get(scenario, self.configuration)
        return m if m is not None and m.ok else None


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


def all_sides(runs: Sequence[Facts], prices: Sequence[float] = ()) -> list[Side]:
    """Every configuration of every run, named so that no two are alike."""
    found: list[Side] = []
    for number, facts in enumerate(runs):
        name = facts.run.name
        if sum(other.run.name == name for other in runs) > 1:
            name = f"{name} ({number + 1})"
        for configuration in facts.configurations:
            several = len(facts.configurations) > 1
            title = f"{name}, {configuration}" if several else name
            found.append(Side(title, facts, configuration, prices[number] if prices else None))
    return found


def contents(sides: Sequence[Side]) -> Contents:
    """What the comparison says."""
    runs = list({id(s.facts.run): s.facts.run for s in sides}.values())
    found = differences(runs)
    scenarios = _scenarios(sides)
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


def latency_ratio(first: Side, other: Side, scenario: str) -> Estimate | None:
    """First's time ÷ other's: live where both took turns, else Welch's interval over launches."""
    if first.facts is other.facts:
        across = first.facts.effects.across()
        live = across.get((scenario, first.configuration, other.configuration))
        if live is not None:
            return statistics.as_speedup(live)
    a, b = first.get(scenario), other.get(scenario)
    if a is None or b is None:
        return None
    return welch(_logs(a), _logs(b))


def welch(one: Sequence[float], two: Sequence[float]) -> Estimate:
    """exp(mean of one - mean of two) with Welch's 95 % interval (unequal variances)."""
    x, y = np.asarray(one), np.asarray(two)
    value = float(x.mean() - y.mean())
    count = int(min(x.size, y.size))
    if count < 2:
        return Estimate(math.exp(value), 0.0, math.inf, count)
    vx, vy = float(x.var(ddof=1)) / x.size, float(y.var(ddof=1)) / y.size
    error = math.sqrt(vx + vy)
    if error == 0:
        return Estimate(math.exp(value), math.exp(value), math.exp(value), count)
    freedom = (vx + vy) ** 2 / (vx**2 / (x.size - 1) + vy**2 / (y.size - 1))
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Estimate(math.exp(value), math.exp(value - reach), math.exp(value + reach), count)


def effect_change(first: Side, other: Side, scenario: str) -> Estimate | None:
    """Other's speed-up ÷ first's: whether the technique does more there, with its interval."""
    a, b = first.get(scenario), other.get(scenario)
    if a is None or b is None or a.effect.baseline != b.effect.baseline:
        return None
    if not a.effect.baseline:
        return None
    la = first.facts.effects.log_ratio(scenario, a.effect.baseline, first.configuration)
    lb = other.facts.effects.log_ratio(scenario, b.effect.baseline, other.configuration)
    if la is None or lb is None:
        return None
    back = Estimate(-la.value, -la.high, -la.low, la.launches)
    return statistics.as_speedup(statistics.chained(back, lb))


def as_csv(sides: Sequence[Side]) -> str:
    """One row a scenario and side, raw values."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(
        ["scenario", "side", "latency_ns", "speedup_against_first", "low", "high",
         "speedup", "effect_ratio", "effect_ratio_low", "effect_ratio_high",
         "ceiling_share", "cost_per_million"]
    )  # fmt: skip
    for scenario in _scenarios(sides):
        for side in sides:
            m = side.get(scenario)
            if m is None:
                continue
            ratio = latency_ratio(sides[0], side, scenario) if side is not sides[0] else None
            change = effect_change(sides[0], side, scenario) if side is not sides[0] else None
            row = [
                scenario, side.name, m.effect.latency_ns, *_triple(ratio), m.effect.speedup,
                *_triple(change), _share(side, scenario), cost_per_million(side, m),
            ]  # fmt: skip
            writer.writerow(["" if x is None else x for x in row])
    return buffer.getvalue()


def cost_per_million(side: Side, m: Measured) -> float | None:
    """Money for a million examples: price an hour ÷ examples an hour."""
    if side.price is None or not m.effect.throughput_per_s:
        return None
    return side.price / 3600 / m.effect.throughput_per_s * 1e6


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
        shares = [_share(side, scenario) for side in sides]
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


def _scenarios(sides: Sequence[Side]) -> list[str]:
    """Scenarios with figures on at least one side, in the order of the runs."""
    return list(dict.fromkeys(m.scenario for s in sides for m in s.facts.all if s.get(m.scenario)))


def _share(side: Side, scenario: str) -> float | None:
    ceilings: Mapping[str, float] = side.facts.ceilings(side.configuration)
    if side.get(scenario) is None or not ceilings:
        return None
    return ceiling_share(side.facts.effects, scenario, side.configuration, ceilings)


def _logs(m: Measured) -> list[float]:
    return [math.log(median(t.step_ns for t in x.turns) / x.updates_per_step) for x in m.timed]


def _some(table: Table) -> tuple[Table, ...]:
    return (table,) if table.rows else ()


def _triple(item: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if item is None else (item.value, item.low, item.high)


def _plots(sides: Sequence[Side], folder: Path) -> list[Plot]:
    folder.mkdir(exist_ok=True)
    names = [side.name for side in sides]
    scenarios = _scenarios(sides)
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
