"""The best scenario of a run under constraints, what each constraint costs, and how sure it is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.results.errors import UsageError
from bench.results.quantiles import normal_below, student
from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.advice import cost
from reports.facts.estimates import half_width
from reports.facts.limits import Limits, Loss
from reports.facts.measured import Facts, Measured, of_one_root

Goal = Literal["latency", "size", "memory", "cost"]
GOALS: tuple[Goal, ...] = ("latency", "size", "memory", "cost")
RUNNERS_UP = 3
_BATCHED = re.compile(r"-b\d+$")
"""A variant of batch size: no combination of techniques."""


@dataclass(frozen=True)
class Choice:
    """A scenario as a candidate."""

    measured: Measured
    goal: float
    """What is minimized; for latency the time relative to the plain model's."""
    sure_best: float | None
    """Chance that it is at least as good as the chosen one; None where that is not estimated."""
    sure_within: float
    """Chance that its accuracy loss is within the limit, from the paired interval; else 1."""


@dataclass(frozen=True)
class Recommendation:
    """The best, the runners-up, and what each constraint costs."""

    goal: Goal
    configuration: str
    best: Choice | None
    runners_up: tuple[Choice, ...]
    costs: tuple[str, ...]
    refused: int
    """Measured scenarios that a constraint rules out."""

    def text(self) -> str:
        """The recommendation as lines of plain text."""
        if self.best is None:
            return "\n".join(("No measured scenario satisfies all constraints.", *self.costs))
        lines = [f"Use {self.best.measured.scenario} on {self.configuration}: {_described(self)}"]
        lines.append(f"How sure: {_sure(self)}")
        for choice in self.runners_up:
            lines.append(f"Runner-up {choice.measured.scenario}: {_line(self.goal, choice)}")
        return "\n".join((*lines, *self.costs))


def recommend(
    facts: Facts,
    goal: Goal = "latency",
    limits: Limits | None = None,
    configuration: str | None = None,
    kind: str = "infer",
    price: float | None = None,
) -> Recommendation:
    """Choose among a run's measured scenarios.

    Args:
        facts: The run's measurements.
        goal: What to minimize.
        limits: What may not be exceeded.
        configuration: Where; None: the run's first that has such scenarios.
        kind: infer or train.
        price: Of an hour of the machine, for the goal cost.

    Raises:
        UsageError: The goal or the configuration is unknown.
    """
    if goal not in GOALS:
        raise UsageError(f"cannot minimize {goal!r}: use one of {', '.join(GOALS)}")
    limits = limits or Limits()
    rows = [m for m in facts.of(kind) if m.ok]
    where = configuration or next((m.configuration for m in rows), "")
    if configuration and configuration not in facts.configurations:
        known = ", ".join(facts.configurations)
        raise UsageError(f"the run has no configuration {configuration!r}: use one of {known}")
    pool = _comparable([m for m in rows if m.configuration == where], goal, kind)
    ranked = sorted((m for m in pool if _within(m, limits)), key=lambda m: _goal(m, goal, price))
    best = ranked[0] if ranked else None
    choices = [_choice(m, best, goal, limits, price) for m in ranked]
    return Recommendation(
        goal,
        where,
        choices[0] if choices else None,
        tuple(choices[1 : 1 + RUNNERS_UP]),
        tuple(_costs(pool, best, goal, limits, price)),
        len(pool) - len(ranked),
    )


def unmeasured(facts: Facts, known: Iterable[str], kind: str = "infer") -> list[str]:
    """Known scenarios that the run lacks and that combine or vary what did best in it.

    Promising are the ids that share a word with the three fastest (`int8` of
    `infer/litert-int8`), those that share most first.

    Args:
        facts: The run's measurements.
        known: All ids there are.
        kind: infer or train.
    """
    rows = [m for m in facts.of(kind) if m.ok and m.against_root is not None]
    rows.sort(key=lambda m: -_value(m.against_root))
    words = {word for m in rows[:3] for word in _words(m.scenario)}
    done = {m.scenario for m in facts.all}
    open_ = [
        one
        for one in known
        if one.startswith(f"{kind}/") and one not in done and not _BATCHED.search(one)
    ]
    shared = {one: len(words & _words(one)) for one in open_}
    return sorted((one for one in open_ if shared[one]), key=lambda one: -shared[one])


def _comparable(rows: Sequence[Measured], goal: Goal, kind: str) -> list[Measured]:
    """Rows whose goal is known; latency compares within one chain of baselines only."""
    if goal == "latency":
        rows = of_one_root(rows, kind)
    return [m for m in rows if math.isfinite(_goal(m, goal, 1.0))]


def _goal(m: Measured, goal: Goal, price: float | None) -> float:
    """What is minimized, in its unit; infinite where it is not known."""
    value: float | None
    if goal == "latency":
        value = 1 / m.against_root.value if m.against_root else None
        if m.scenario == m.root:
            value = 1.0
    elif goal == "size":
        value = m.gzip_bytes
    elif goal == "memory":
        value = m.effect.peak_memory_bytes
    else:
        per_s = m.effect.throughput_per_s
        value = (price or 1.0) / 3600 / per_s * 1e6 if per_s else None
    return math.inf if value is None else float(value)


def _within(m: Measured, limits: Limits) -> bool:
    """Whether its point figures satisfy all limits; one that is not known does not."""
    return all(ok for _, ok in _checks(m, limits))


def _checks(m: Measured, limits: Limits) -> list[tuple[str, bool]]:
    loss = limits.loss
    found: list[tuple[str, float | None, float | None]] = [
        ("accuracy loss", m.loss_percent(loss is not None and loss.relative),
         loss.percent if loss else None),
        ("size", m.effect.size_bytes, limits.size_bytes),
        ("memory", m.effect.peak_memory_bytes, limits.memory_bytes),
        ("latency", m.effect.latency_ns, limits.latency_ns),
    ]  # fmt: skip
    return [
        (name, value is not None and value <= most + 1e-9)
        for name, value, most in found
        if most is not None
    ]


def _choice(
    m: Measured, best: Measured | None, goal: Goal, limits: Limits, price: float | None
) -> Choice:
    sure: float | None = None
    if goal == "latency" and best is not None and best is not m:
        sure = chance_faster(m.against_root, best.against_root)
    return Choice(m, _goal(m, goal, price), sure, _chance_within(m, limits.loss))


def chance_faster(one: Estimate | None, other: Estimate | None) -> float | None:
    """Chance that one's speed-up exceeds the other's, from both intervals (normal, in logs)."""
    if one is None or other is None or half_width(one) is None or half_width(other) is None:
        return None
    spread = math.hypot(_log_sd(one), _log_sd(other))
    gap = math.log(one.value / other.value)
    return normal_below(gap / spread) if spread else float(gap > 0)


def _log_sd(item: Estimate) -> float:
    """Standard error of the log, from a 95 % t-interval over its launches."""
    reach = (math.log(item.high) - math.log(item.low)) / 2
    return reach / student(max(item.launches - 1, 1), 0.5 + item.confidence / 2)


def _chance_within(m: Measured, most: Loss | None) -> float:
    item = m.gain(most.relative) if most else None
    if most is None or item is None:
        return 1.0
    sd = (item.high - item.low) / 2 / 1.96
    margin = most.percent / 100 + item.value
    return normal_below(margin / sd) if sd else float(margin >= 0)


def _costs(
    pool: Sequence[Measured],
    best: Measured | None,
    goal: Goal,
    limits: Limits,
    price: float | None,
) -> list[str]:
    """What the goal would be without each constraint, one at a time."""
    said = []
    for name, field in (
        ("accuracy loss", "loss"),
        ("size", "size_bytes"),
        ("memory", "memory_bytes"),
        ("latency", "latency_ns"),
    ):
        if getattr(limits, field) is None:
            continue
        free = Limits(**{**limits.__dict__, field: None})
        freed = [m for m in pool if _within(m, free)]
        first = min(freed, key=lambda m: _goal(m, goal, price), default=None)
        if first is None:
            said.append(f"Without the limit on {name}, still nothing satisfies the others.")
        elif best is None:
            said.append(f"Without the limit on {name}: {first.scenario}.")
        elif first is best:
            said.append(f"The limit on {name} costs nothing.")
        else:
            factor = _goal(best, goal, price) / _goal(first, goal, price)
            said.append(
                f"The limit on {name} costs {figures.significant(factor, 2)}× in {goal}: "
                f"without it, {first.scenario}."
            )
    return said


def _described(found: Recommendation) -> str:
    assert found.best is not None  # asked by the caller
    return _line(found.goal, found.best)


def _line(goal: Goal, choice: Choice) -> str:
    m = choice.measured
    parts = [figures.duration(m.effect.latency_ns, half_width(m.latency))]
    if m.against_root is not None:
        parts.append(f"{figures.speedup(m.against_root)} the speed of {m.root}")
    if m.effect.size_bytes:
        parts.append(f"{figures.size(m.effect.size_bytes)} as a file")
    if goal == "size" and m.gzip_bytes:
        parts.append(f"{figures.size(m.gzip_bytes)} compressed")
    if cost(m):
        parts.append(cost(m))
    if goal == "memory":
        parts.append(f"peak memory {figures.size(m.effect.peak_memory_bytes)}")
    if goal == "cost":
        parts.append(f"{figures.significant(choice.goal, 2)} for a million examples")
    return ", ".join(parts)


def _sure(found: Recommendation) -> str:
    assert found.best is not None  # asked by the caller
    said = []
    rivals = [c for c in found.runners_up if c.sure_best is not None]
    if rivals:
        most = max(rivals, key=lambda c: c.sure_best or 0.0)
        chance = figures.percent(1 - (most.sure_best or 0.0), 0)
        said.append(f"{chance} that it is faster than {most.measured.scenario}")
    if found.best.sure_within < 1:
        said.append(
            f"{figures.percent(found.best.sure_within, 0)} that its accuracy loss is within the "
            "limit"
        )
    return ", ".join(said) or "the only candidate, or the figure is exact"


def _words(scenario: str) -> set[str]:
    return set(scenario.partition("/")[2].split("-"))


def _value(item: Estimate | None) -> float:
    return item.value if item is not None else 0.0
