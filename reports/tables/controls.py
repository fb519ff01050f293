"""The run's controls: the baseline against itself, and with a known slow-down injected."""

from __future__ import annotations

import math

from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.estimates import half_width
from reports.facts.measured import Control, Facts
from reports.tables.cells import Cell, Field, Table, label, table_of
from reports.tables.parts import number


def control_sentences(facts: Facts) -> tuple[str, ...]:
    """`noise floor ±0.4 % (infer/function), an injected 5 % was measured as 5.1 % ± 0.4 % (...)`.

    A sentence for each configuration; the baselines of all kinds in each.
    """
    found = facts.controls
    if not found:
        return ("This run had no controls: its noise floor is not known.",)
    said = []
    for configuration in dict.fromkeys(c.configuration for c in found):
        own = [c for c in found if c.configuration == configuration]
        same = [c for c in own if not c.injected]
        parts = []
        if same:
            floors = _listed([f"{_floor(c.effect)} ({c.baseline})" for c in same])
            parts.append(f"noise floor {floors}")
        if slow := [c for c in own if c.injected]:
            measured = _listed([f"{as_percent(c.effect)} ({c.baseline})" for c in slow])
            put = figures.significant(100 * slow[0].injected, 2)
            parts.append(f"an injected {put} % was measured as {measured}")
        failed = sum(not c.passed for c in own)
        if failed:
            parts.append(f"{failed} of {len(own)} controls missed the truth: distrust the figures")
        said.append(f"{configuration}: {', '.join(parts)}.")
    return tuple(said)


def controls_table(facts: Facts) -> Table:
    """Every control with its truth and what was measured."""
    return table_of(
        "controls",
        "Controls",
        (
            Field("configuration", lambda c: label(c.configuration)),
            Field("baseline", lambda c: label(c.baseline)),
            Field("injected", _injected, True),
            Field("measured", lambda c: Cell(as_percent(c.effect), c.effect.value), True,
                  "95 % interval over launches"),
            Field("launches", lambda c: number(c.effect.launches, str), True),
            Field("passed",
                  lambda c: Cell("yes", tone="good") if c.passed else Cell("no", tone="bad")),
        ),
        facts.controls,
    )  # fmt: skip


def _injected(c: Control) -> Cell:
    return Cell(f"{figures.significant(100 * c.injected, 2)} %", c.injected)


def noise_floor(effect: Estimate) -> float:
    """How far the baseline may seem to differ from itself: the interval's farther end."""
    return max(abs(math.expm1(effect.low)), abs(math.expm1(effect.high)))


def _floor(effect: Estimate) -> str:
    floor = noise_floor(effect)
    if not math.isfinite(floor):
        return "unknown"
    return f"±{figures.rounded(100 * floor, _decimals(floor))} %"


def _listed(items: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(x for x in (", ".join(items[:-1]), items[-1]) if x)


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
