"""The report's plots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

from research.precision import counts
from research.precision.cases import EFFECTS
from research.precision.decisions import Block, by_case

plt.rcParams.update({"svg.hashsalt": "precision", "font.size": 9, "axes.spines.top": False,
                     "axes.spines.right": False, "svg.fonttype": "none"})  # fmt: skip
TICKS = (-5, -2, -1, -0.5, 0, 0.5, 1, 2, 5)
COLOURS = ("#4c78a8", "#54a24b", "#eeca3b", "#f58518", "#e45756")


def effects(blocks: Sequence[Block], out: Path) -> None:
    """Errors of estimated effects, a row a case and a colour an injected share."""
    cases = by_case(blocks)
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.32 * max(len(cases), 1)))
    for row, chain in enumerate(cases.values()):
        for colour, effect in zip(COLOURS, (0.0, *EFFECTS), strict=True):
            errors = [100 * p.error for b in chain for p in b.pairs if p.effect == effect]
            offset = 0.12 * ((0.0, *EFFECTS).index(effect) - 2)
            axes.plot(errors, [row + offset] * len(errors), ".", color=colour, markersize=3,
                      alpha=0.6)  # fmt: skip
    axes.set_yticks(range(len(cases)), [", ".join(case) for case in cases])
    axes.invert_yaxis()
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xticks(TICKS, [f"{x:g}" for x in TICKS])
    axes.set_xlabel("estimate less injected effect, % (linear within ±1)")
    handles = [Line2D([], [], color=c, marker=".", linestyle="") for c in COLOURS]
    axes.legend(handles, ["A/A", *(f"{e:.0%}" for e in EFFECTS)], ncols=5, frameon=False,
                loc="lower right", bbox_to_anchor=(1, 1))  # fmt: skip
    _save(figure, out)


def called(blocks: Sequence[Block], rivals: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Share of decisions that call the effect, by injected effect, tfbench beside its rivals."""
    figure, axes = plt.subplots(figsize=(8, 3.6))
    lines: dict[str, list[tuple[float, float]]] = {}
    quiet = [b for b in blocks if (b.configuration, b.noise) == ("cpu-1", "quiet")]
    _, alarms, total, _ = counts.alarm_counts(quiet, 0.01)
    first = [(0.0, alarms, total), *((e, *counts.power(quiet, e)[:2]) for e in EFFECTS)]
    whole = [(e, *counts.guarded_counts(quiet, e, default=not e)[:2]) for e in (0.0, *EFFECTS)]
    for name, found in (("6 launches a stage", first), ("going on as it does", whole)):
        points = [(effect, hits / trials) for effect, hits, trials in found if trials]
        if points:
            lines[f"tfbench guard, cpu-1, quiet, {name}"] = points
    flags: dict[str, dict[float, list[bool]]] = {}
    for record in rivals:
        for rule, flag in record["flags"].items():
            cell = flags.setdefault(f"{record['rival']}: {rule}", {})
            cell.setdefault(record["effect"], []).append(flag)
    for name, cells in flags.items():
        lines[name] = [(e, sum(f) / len(f)) for e, f in sorted(cells.items())]
    for name, points in lines.items():
        ours = name.startswith("tfbench")
        red = "#f2a5a4" if "stage" in name else "#e45756"
        axes.plot([100 * e for e, _ in points], [100 * s for _, s in points], marker="o",
                  markersize=4, linewidth=2.5 if ours else 1, label=name, zorder=3 if ours else 2,
                  color=red if ours else None)  # fmt: skip
    axes.set_xlabel("injected slow-down, % (0: A/A, where a call is a false alarm)")
    axes.set_ylabel("called slower, %")
    axes.set_ylim(-3, 103)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, out)


def estimators(spreads: Mapping[str, Mapping[tuple[str, str, str], float]], out: Path) -> None:
    """Each estimator's sd ÷ that of the first, a dot a scenario and configuration."""
    names = list(spreads)
    figure, axes = plt.subplots(figsize=(8, 3.4))
    first = spreads[names[0]]
    for row, name in enumerate(names):
        ratios = [value / first[key] for key, value in spreads[name].items() if first[key]]
        axes.plot(ratios, [row] * len(ratios), ".", color=COLOURS[0], alpha=0.6)
        if ratios:
            middle = math.exp(sum(map(math.log, ratios)) / len(ratios))
            axes.plot([middle], [row], "|", color=COLOURS[4], markersize=14, markeredgewidth=2)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.axvline(1, color="0.6", linewidth=0.8)
    axes.set_xlabel(f"sd of one launch's effect ÷ that of the {names[0]}")
    _save(figure, out)


def _save(figure: Any, out: Path) -> None:
    figure.savefig(out, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
