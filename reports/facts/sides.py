"""Two sides of a comparison: their times, effects and cost against each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from bench.results import statistics
from bench.results.quantiles import student
from bench.results.values import Estimate
from reports.facts.cost import per_million
from reports.facts.measured import Facts, Measured

DRIFT = 0.10
"""Relative drift between two times of a shared machine, which no interval of one run holds: two
absolute figures are distinguishable only beyond it. Effects need no such allowance."""


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


def scenarios_of(sides: Sequence[Side]) -> list[str]:
    """Scenarios with figures on at least one side, in the order of the runs."""
    return list(dict.fromkeys(m.scenario for s in sides for m in s.facts.all if s.get(m.scenario)))


def latency_ratio(first: Side, other: Side, scenario: str) -> Estimate | None:
    """First's time ÷ other's: live where both took turns, else Welch's interval over launches."""
    if first.facts is other.facts:
        live = first.facts.across.get((scenario, first.configuration, other.configuration))
        if live is not None:
            return live
    a, b = first.get(scenario), other.get(scenario)
    if a is None or b is None:
        return None
    return welch(_logs(a), _logs(b))


def welch(one: Sequence[float], two: Sequence[float]) -> Estimate:
    """exp(mean of one - mean of two) with Welch's 95 % interval (unequal variances)."""
    count = min(len(one), len(two))
    if count < 2:
        value = float(np.mean(one) - np.mean(two))
        return Estimate(math.exp(value), 0.0, math.inf, count)
    value, error, freedom = statistics.apart(one, two)
    reach = student(freedom, 0.975) * error if error else 0.0
    return Estimate(math.exp(value), math.exp(value - reach), math.exp(value + reach), count)


def effect_change(first: Side, other: Side, scenario: str) -> Estimate | None:
    """Other's speed-up ÷ first's: whether the technique does more there, with its interval."""
    a, b = first.get(scenario), other.get(scenario)
    if a is None or b is None or a.effect.baseline != b.effect.baseline:
        return None
    la, lb = a.log_ratio, b.log_ratio
    if la is None or lb is None:
        return None
    back = Estimate(-la.value, -la.high, -la.low, la.launches)
    return statistics.as_speedup(statistics.chained(back, lb))


def cost_per_million(side: Side, m: Measured) -> float | None:
    """Money for a million examples: price an hour ÷ examples an hour."""
    return per_million(side.price, m)


def _logs(m: Measured) -> list[float]:
    return [math.log(median(t.step_ns for t in x.turns) / x.updates_per_step) for x in m.timed]
