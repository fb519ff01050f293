"""Runs side by side: other machines, configurations or software, and what travels between them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.results.files import as_csv, replace_text
from bench.results.store import read_run
from bench.results.values import Estimate
from reports.facts.derive import facts_of
from reports.facts.sides import (
    Side,
    all_sides,
    cost_per_million,
    effect_change,
    latency_ratio,
    scenarios_of,
)
from reports.forms import html, markdown
from reports.forms.illustrated import Drawn, files, illustrated
from reports.tables.comparison import contents


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
    sides = all_sides([facts_of(read_run(f)) for f in folders], prices)
    out.mkdir(parents=True, exist_ok=True)
    what, drawn = illustrated(contents(sides), lambda: _draw(sides, out / "plots"))
    replace_text(out / "compare.md", markdown.render(what, drawn))
    replace_text(out / "compare.html", html.render(what, drawn, []))
    replace_text(out / "compare.csv", _csv(sides))
    return [*(out / f"compare.{ending}" for ending in ("md", "html", "csv")), *files(drawn)]


def _csv(sides: Sequence[Side]) -> str:
    """One row a scenario and side, raw values."""
    header = (
        "scenario", "side", "latency_ns", "speedup_against_first", "low", "high",
        "speedup", "effect_ratio", "effect_ratio_low", "effect_ratio_high",
        "ceiling_share", "cost_per_million",
    )  # fmt: skip
    rows = []
    for scenario in scenarios_of(sides):
        for side in sides:
            m = side.get(scenario)
            if m is None:
                continue
            ratio = latency_ratio(sides[0], side, scenario) if side is not sides[0] else None
            change = effect_change(sides[0], side, scenario) if side is not sides[0] else None
            rows.append([
                scenario, side.name, m.effect.latency_ns, *_triple(ratio), m.effect.speedup,
                *_triple(change), m.ceiling_share, cost_per_million(side, m),
            ])  # fmt: skip
    return as_csv(header, rows)


def _triple(item: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if item is None else (item.value, item.low, item.high)


def _draw(sides: Sequence[Side], folder: Path) -> Drawn:
    from reports.plots import heat
    from reports.plots.style import save, styled

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
    return {"effects": [save(drawing, folder) for drawing in drawings if drawing is not None]}
