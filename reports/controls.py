"""The run's controls: the baseline against itself, and with a known slow-down injected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.results.effects import log_ratio
from bench.results.store import Run
from bench.results.values import Estimate, Launch
from reports import figures
from reports.cells import Cell, Column, Row, Table, label
from reports.measured import half_width

ALLOWANCE = 0.0025
"""Bias of one process's memory layout that no control can rule out, as a log ratio."""


@dataclass(frozen=True)
class Control:
    """One control as measured."""

    configuration: str
    group: str
    injected: float
    """Slow-down put into the step, as a share; 0 for the baseline against itself."""
    effect: Estimate
    """ln(time ÷ baseline's time)."""

    @property
    def good(self) -> bool:
        """Whether the interval holds the truth, up to the allowance."""
        truth = math.log1p(self.injected)
        return self.effect.low - ALLOWANCE <= truth <= self.effect.high + ALLOWANCE


def controls(run: Run) -> list[Control]:
    """All controls of a run, those without a slow-down first."""
    keys: dict[tuple[str, str, str], list[Launch]] = {}
    baselines: dict[tuple[str, str], list[Launch]] = {}
    for launch in run.launches:
        if launch.outcome != "ok" or launch.purpose != "timing" or launch.side:
            continue
        if launch.role == "baseline":
            baselines.setdefault((launch.configuration, launch.group), []).append(launch)
        elif launch.role.startswith("control"):
            keys.setdefault((launch.role, launch.configuration, launch.group), []).append(launch)
    found = []
    for (role, configuration, group), launches in sorted(keys.items()):
        effect = log_ratio(baselines.get((configuration, group), []), launches)
        share = injected(run, launches[0]) if role == "control-slow" else 0.0
        if effect is not None and share is not None:
            found.append(Control(configuration, group, share, effect))
    return found


def injected(run: Run, launch: Launch) -> float | None:
    """The slow-down that a control was given, None where the run does not say."""
    settings = run.facts.get("settings") or {}
    own = (run.facts.get("controls") or {}).get(launch.configuration) or {}
    for place in (launch.proof, launch.probes, own, settings):
        for name in ("slowdown", "injected"):
            value = place.get(name) if hasattr(place, "get") else None
            if isinstance(value, (int, float)):
                return float(value)
    return None


def control_sentences(run: Run) -> tuple[str, ...]:
    """`noise floor ±0.4 %, an injected 5 % was measured as 5.1 % ± 0.4 %`, a configuration each."""
    found = controls(run)
    if not found:
        return ("This run had no controls: its noise floor is not known.",)
    said = []
    for configuration in dict.fromkeys(c.configuration for c in found):
        own = [c for c in found if c.configuration == configuration]
        same = [c for c in own if not c.injected]
        parts = []
        if same:
            floor = max(noise_floor(c.effect) for c in same)
            shown = figures.rounded(100 * floor, _decimals(floor))
            parts.append(f"noise floor ±{shown} %" if math.isfinite(floor) else "no noise floor")
        for c in own:
            if c.injected:
                parts.append(
                    f"an injected {figures.significant(100 * c.injected, 2)} % was measured as "
                    f"{as_percent(c.effect)}"
                )
        failed = sum(not c.good for c in own)
        if failed:
            parts.append(f"{failed} of {len(own)} controls missed the truth: distrust the figures")
        said.append(f"{configuration}: {', '.join(parts)}.")
    return tuple(said)


def controls_table(run: Run) -> Table | None:
    """Every control with its truth and what was measured."""
    found = controls(run)
    if not found:
        return None
    return Table(
        "controls",
        "Controls",
        (
            Column("configuration"),
            Column("baseline"),
            Column("injected", True),
            Column("measured", True, "95 % interval over launches"),
            Column("launches", True),
            Column("holds the truth"),
        ),
        tuple(
            Row(
                (
                    label(c.configuration),
                    label(c.group),
                    Cell(f"{figures.significant(100 * c.injected, 2)} %", c.injected),
                    Cell(as_percent(c.effect), c.effect.value),
                    Cell(str(c.effect.launches), float(c.effect.launches)),
                    Cell("yes", tone="good") if c.good else Cell("no", tone="bad"),
                )
            )
            for c in found
        ),
    )


def noise_floor(effect: Estimate) -> float:
    """How far the baseline may seem to differ from itself: the interval's farther end."""
    return max(abs(math.expm1(effect.low)), abs(math.expm1(effect.high)))


def as_percent(effect: Estimate) -> str:
    """A log ratio as a slow-down: `+5.1 % ± 0.4 %`."""
    value, half = math.expm1(effect.value), half_width(effect)
    if half is None:
        return f"{figures.signed(100 * value, 1)} % (one launch)"
    reach = half * math.exp(effect.value)
    decimals = min(_decimals(reach), 3)
    return f"{figures.signed(100 * value, decimals)} % ± {figures.rounded(100 * reach, decimals)} %"


def _decimals(share: float) -> int:
    return min(figures.decimals_for(100 * share), 2)
