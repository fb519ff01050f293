"""What to use: the run's answer first, for latency, size, training and input."""

from __future__ import annotations

from dataclasses import dataclass

from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import Facts, Measured, of_one_root

ALLOWED_LOSS_PERCENT = 1.0
"""Quality that a recommended technique may lose (`tfbench recommend` asks): percentage points of
accuracy, percent of other metrics."""


@dataclass(frozen=True)
class Advice:
    """One answer of the verdict."""

    purpose: str
    scenario: str
    configuration: str
    figure: str
    """The number that decides, for a headline."""
    sentence: str
    gains: bool = True
    """Whether something is better than the plain form."""


def advice(facts: Facts, configuration: str) -> list[Advice]:
    """What to use for latency, size, training and input in a configuration."""
    answers = (
        _fastest(facts, configuration, "latency", "infer"),
        _smallest(facts, configuration),
        _fastest(facts, configuration, "training", "train"),
        _fastest(facts, configuration, "input", "input"),
    )
    return [answer for answer in answers if answer is not None]


def acceptable(m: Measured) -> bool:
    """Whether it loses no more quality than allowed, or has none to lose (input pipelines)."""
    if m.kind == "input" or not m.effect.baseline:
        return True
    loss = m.loss_percent()
    return loss is not None and loss <= ALLOWED_LOSS_PERCENT


def _candidates(facts: Facts, configuration: str, kind: str) -> list[Measured]:
    rows = [m for m in facts.of(kind, configuration) if m.ok and m.effect.latency_ns is not None]
    return [m for m in of_one_root(rows, kind) if acceptable(m)]


def _fastest(facts: Facts, configuration: str, purpose: str, kind: str) -> Advice | None:
    rows = _candidates(facts, configuration, kind)
    ranked = sorted(
        (m for m in rows if m.against_root is not None),
        key=lambda m: -_value(m.against_root),
    )
    if not ranked:
        return None
    best = ranked[0]
    item, root = best.against_root, best.root
    assert item is not None  # kept by the filter above
    if item.value <= 1 or (not distinguishable(item) and half_width(item) is not None):
        return _keep(facts, configuration, purpose, root, "faster", len(ranked))
    took = figures.duration(best.effect.latency_ns, half_width(best.latency))
    unit = {"infer": "an answer", "train": "an update"}.get(kind, "a batch")
    sentence = (
        f"{best.scenario}: {took} {unit}, {figures.speedup(item)} the speed of {root}"
        f"{_behind(best)}{_rivals(ranked)}."
    )
    return Advice(purpose, best.scenario, configuration, f"{_short(item)}× faster", sentence)


def _smallest(facts: Facts, configuration: str) -> Advice | None:
    rows = _candidates(facts, configuration, "infer")
    sized = [m for m in rows if _bytes(m) and m.gzip_factor]
    if not sized:
        return None
    best = min(sized, key=_bytes)
    factor = best.gzip_factor or 1.0
    if factor <= 1:
        return _keep(facts, configuration, "size", best.root, "smaller", len(sized))
    text = figures.significant(factor, 2)
    speed = best.against_root
    at = f", at {figures.speedup(speed)} its speed" if speed is not None else ""
    sentence = (
        f"{best.scenario}: {figures.size(_bytes(best))} compressed "
        f"({figures.size(best.effect.size_bytes)} as a file), {text}× smaller than {best.root}"
        f"{at}{_behind(best)}."
    )
    return Advice("size", best.scenario, configuration, f"{text}× smaller", sentence)


def _keep(
    facts: Facts, configuration: str, purpose: str, root: str, word: str, tried: int
) -> Advice:
    m = facts.get(root, configuration)
    took = f" ({figures.duration(m.effect.latency_ns, half_width(m.latency))})" if m else ""
    others = "the other path" if tried == 1 else f"{tried} other paths"
    sentence = f"{root}{took}: none of {others} was measurably {word} within the allowed loss."
    if tried == 1:
        sentence = f"{root}{took}: the one other path was not measurably {word}."
    return Advice(purpose, root, configuration, "keep the plain form", sentence, gains=False)


def cost(m: Measured) -> str:
    """What it costs in quality, in words; empty where that is not known."""
    if m.quality is not None and m.quality_change is not None:
        return f"{m.quality.metric} {figures.changed(m.quality, m.quality_change)}"
    if m.disagreement is not None and m.scenario != m.root:
        return f"answers differ from {m.root}'s by {figures.percent(m.disagreement)}"
    return ""


def _behind(m: Measured) -> str:
    return f", {cost(m)}" if cost(m) else ""


def _rivals(ranked: list[Measured]) -> str:
    """Runners-up whose intervals overlap the best one's: the choice between them is open."""
    best = ranked[0].against_root
    if best is None or half_width(best) is None:
        return "; in a single launch, so the order is not sure"
    close = [
        m.scenario
        for m in ranked[1:]
        if m.against_root is not None and m.against_root.high >= best.low
    ]
    if not close:
        return ""
    names = ", ".join(close[:3]) + (f" and {len(close) - 3} more" if len(close) > 3 else "")
    return f"; not distinguishable from {names}"


def _short(item: Estimate) -> str:
    half = half_width(item)
    if half is None:
        return figures.significant(item.value, 2)
    return figures.rounded(item.value, min(figures.decimals_for(half), 2))


def _value(item: Estimate | None) -> float:
    return item.value if item is not None else 0.0


def _bytes(m: Measured) -> int:
    return m.gzip_bytes or 0
