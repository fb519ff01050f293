"""What a run measured of each scenario, gathered once for all forms of the report."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from bench.results import statistics
from bench.results.accuracy import accuracy_change
from bench.results.histogram import histogram_quantile
from bench.results.store import Run
from bench.results.values import Effect, Estimate, Launch, Scenario

PLAIN = {"infer": "infer/function", "train": "train/function"}
"""The plain model that the document's effect table compares with, and the plain loop."""
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Measured:
    """One scenario in one configuration: its effect and what only the launches know."""

    effect: Effect
    info: Scenario | None
    launches: tuple[Launch, ...]
    timed: tuple[Launch, ...]
    probe: Launch | None
    speedup: Estimate | None
    """Against its baseline."""
    root: str
    """The plain scenario at the end of its chain of baselines."""
    against_root: Estimate | None
    """Speed-up against the root."""
    latency: Estimate | None
    """Of one update or answer, ns; over launches."""
    accuracy_delta: Estimate | None
    """Accuracy minus the root's on the same test examples, in shares."""
    agreement: float | None
    """Share of test examples where it predicts the same class as the root."""
    file_factor: float | None
    """Root's file ÷ its own: above 1 is smaller."""
    gzip_factor: float | None
    """The same of the compressed files."""
    parameter_factor: float | None
    multiply_add_factor: float | None
    histogram: Mapping[str, int]
    """Of single steps, all launches together."""

    @property
    def scenario(self) -> str:
        """Its id."""
        return self.effect.scenario

    @property
    def configuration(self) -> str:
        """Where it ran."""
        return self.effect.configuration

    @property
    def ok(self) -> bool:
        """Whether it has figures."""
        return self.effect.status == "ok"

    @property
    def kind(self) -> str:
        """train, infer, input or serve."""
        return self.info.kind if self.info else self.scenario.split("/")[0]

    @property
    def family(self) -> str:
        """The module that it comes from: `litert`, `loops` and so on."""
        return self.info.module.rpartition(".")[2] if self.info else self.kind

    @property
    def samples(self) -> int:
        """Single steps behind the quantiles."""
        return sum(self.histogram.values())

    def quantile_ns(self, quantile: float) -> float | None:
        """A quantile of single steps, None without the samples that bound it with 95 %."""
        if quantile > 0.5 and self.samples < statistics.samples_for_quantile(quantile):
            return None
        return histogram_quantile(self.histogram, quantile)


class Facts:
    """A run's measurements by scenario and configuration.

    Args:
        run: The run as read from its folder.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.effects = run.effects

    @cached_property
    def all(self) -> tuple[Measured, ...]:
        """Every scenario and configuration of the run, in its order."""
        return tuple(self._measured(row) for row in self.effects.rows)

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Measured]:
        return {(m.scenario, m.configuration): m for m in self.all}

    def get(self, scenario: str, configuration: str) -> Measured | None:
        """One of them, None where it was not run."""
        return self._by_key.get((scenario, configuration))

    def of(self, kind: str, configuration: str | None = None) -> list[Measured]:
        """Those of a kind, in all configurations or one."""
        chosen = (m for m in self.all if m.kind == kind)
        return [m for m in chosen if configuration in (None, m.configuration)]

    @cached_property
    def configurations(self) -> tuple[str, ...]:
        """Configurations that have rows."""
        return tuple(dict.fromkeys(m.configuration for m in self.all))

    @cached_property
    def pareto(self) -> frozenset[tuple[str, str]]:
        """Inference rows that no other row of the configuration and root beats in all three.

        Compared are latency, compressed size and accuracy; rows that lack one are left out.
        """
        front = set()
        rows = [m for m in self.of("infer") if _criteria(m)]
        for m in rows:
            rivals = (x for x in rows if (x.configuration, x.root) == (m.configuration, m.root))
            if not any(dominates(_criteria(x), _criteria(m)) for x in rivals):
                front.add((m.scenario, m.configuration))
        return frozenset(front)

    def root_of(self, scenario: str) -> str:
        """The end of its chain of baselines (itself where it has none)."""
        seen = {scenario}
        while (info := self.run.scenarios.get(scenario)) and info.baseline:
            if info.baseline in seen:
                return scenario
            scenario = info.baseline
            seen.add(scenario)
        return scenario

    def ceilings(self, configuration: str) -> dict[str, Any]:
        """The machine's measured ceilings in a configuration; empty where none were measured."""
        found = self.run.facts.get("ceilings") or {}
        one = found.get(configuration) if isinstance(found, dict) else None
        return one if isinstance(one, dict) else {}

    def _measured(self, row: Effect) -> Measured:
        scenario, configuration = row.scenario, row.configuration
        everything = tuple(
            x
            for x in self.run.launches
            if (x.scenario, x.configuration) == (scenario, configuration)
            and x.role in ("baseline", "candidate")
            and not x.side
        )
        root = self.root_of(scenario)
        if row.status != "ok":
            return Measured(
                row, self.run.scenarios.get(scenario), everything, (), None, None, root,
                None, None, None, None, None, None, None, None, {},
            )  # fmt: skip
        timed = tuple(self.effects.timed(scenario, configuration))
        probe = self.effects.probe(scenario, configuration)
        base = self.effects.probe(root, configuration) if root != scenario else None
        step = (
            self.effects.log_ratio(scenario, row.baseline, configuration) if row.baseline else None
        )
        chain = self.effects.against(scenario, root, configuration) if row.baseline else None
        return Measured(
            effect=row,
            info=self.run.scenarios.get(scenario),
            launches=everything,
            timed=timed,
            probe=probe,
            speedup=statistics.as_speedup(step) if step else None,
            root=root,
            against_root=statistics.as_speedup(chain) if chain else None,
            latency=latency_over(timed),
            accuracy_delta=accuracy_change(base, probe),
            agreement=_agreement(base, probe),
            file_factor=_factor(base, probe, "artifact_bytes"),
            gzip_factor=_factor(base, probe, "artifact_gzip_bytes"),
            parameter_factor=_factor(base, probe, "parameters"),
            multiply_add_factor=_factor(base, probe, "multiply_adds"),
            histogram=merged(x.latency_histogram for x in timed),
        )


def by_family(rows: Iterable[Measured]) -> list[Measured]:
    """Rows with those of a family together, families in order of appearance."""
    groups: dict[str, list[Measured]] = {}
    for m in rows:
        groups.setdefault(m.family, []).append(m)
    return [m for group in groups.values() for m in group]


def examples_per_unit(m: Measured) -> float:
    """Examples in one update or answer."""
    return m.timed[0].examples_per_step / m.timed[0].updates_per_step


def latency_over(timed: Sequence[Launch]) -> Estimate | None:
    """Time of one update or answer, ns: the launches' medians, with the spread between them.

    The value is the median over launches (as in effects.csv); the interval is the t-interval of
    the launches' median turns, moved to it: it says how far another launch may lie, and decides
    how many digits are shown.
    """
    values = [median(t.step_ns for t in x.turns) / x.updates_per_step for x in timed]
    if not values:
        return None
    mean = statistics.over_launches(values)
    value = median(values)
    shift = value - mean.value
    return Estimate(value, mean.low + shift, mean.high + shift, mean.launches)


def merged(histograms: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Histograms added up."""
    total: Counter[str] = Counter()
    for one in histograms:
        total.update(one)
    return dict(total)


def dominates(one: tuple[float, ...] | None, other: tuple[float, ...] | None) -> bool:
    """Whether one is at least as good in everything and better in something (less is better)."""
    if one is None or other is None:
        return False
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def half_width(item: Estimate | None) -> float | None:
    """Of its interval; None where it has none."""
    if item is None or item.launches < 2 or not math.isfinite(item.high - item.low):
        return None
    return (item.high - item.low) / 2


def told_apart(item: Estimate | None) -> bool:
    """Whether a factor's interval excludes 1."""
    return half_width(item) is not None and item is not None and not item.low <= 1 <= item.high


def _criteria(m: Measured) -> tuple[float, ...] | None:
    size = m.probe.artifact_gzip_bytes if m.probe else None
    accuracy = m.effect.accuracy
    if m.effect.latency_ns is None or size is None or accuracy is None:
        return None
    return (m.effect.latency_ns, float(size), -accuracy)


def _agreement(base: Launch | None, own: Launch | None) -> float | None:
    if base is None or own is None or not base.predictions:
        return None
    if len(base.predictions) != len(own.predictions):
        return None
    same = sum(a == b for a, b in zip(base.predictions, own.predictions, strict=True))
    return same / len(base.predictions)


def _factor(base: Launch | None, own: Launch | None, name: str) -> float | None:
    if base is None or own is None:
        return None
    whole, part = getattr(base, name), getattr(own, name)
    return whole / part if whole and part else None
