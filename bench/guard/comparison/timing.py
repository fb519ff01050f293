"""Timed metrics of one subject: its launches on both sides become evidence, then a judgement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.guard.comparison.launcher import Pair, Subject
from bench.guard.comparison.values import Judgement, Metric, Verdict
from bench.guard.rule import decide
from bench.guard.rule.decide import Limit
from bench.guard.rule.evidence import Evidence, change
from bench.results.effects import launch_effect
from bench.results.values import Launch

LEAST_FIRST_STEP_S = 0.01
"""First steps shorter than this on both sides are not judged: nobody waits for them."""


def timed(kind: str) -> tuple[Metric, ...]:
    """The timed metrics of a kind of path."""
    return ("latency", "cpu_time") if kind == "command" else ("latency", "first_step")


@dataclass
class Series:
    """The launches of one subject in one stage."""

    subject: Subject
    limits: dict[Metric, Limit]
    pairs: list[Pair] = field(default_factory=list)
    seconds: float = 0.0
    _known: dict[tuple[Metric, int], Evidence | None] = field(default_factory=dict)
    _values: dict[Metric, list[tuple[float, int]]] = field(default_factory=dict)
    """Each good launch's value and start order."""
    _seen: dict[Metric, int] = field(default_factory=dict)

    @property
    def launches(self) -> int:
        """Launches of the group so far, failed ones too."""
        return len(self.pairs)

    @property
    def cost_s(self) -> float:
        """Seconds that one launch of both sides takes."""
        return self.seconds / len(self.pairs) if self.pairs else 0.0

    @property
    def good(self) -> list[Pair]:
        """Launches that both sides took turns in."""
        return [(b, h) for b, h in self.pairs if b.outcome == h.outcome == "ok" and h.turns]

    @property
    def metrics(self) -> list[Metric]:
        """The guarded metrics that this subject has figures of."""
        return [m for m in self.limits if self.evidence(m) is not None]

    def evidence(self, metric: Metric) -> Evidence | None:
        """What the launches show of a metric; None where there are too few."""
        key = metric, len(self.pairs)
        if key not in self._known:
            self._known[key] = self._evidence(metric)
        return self._known[key]

    def _evidence(self, metric: Metric) -> Evidence | None:
        values, seen = self._values.setdefault(metric, []), self._seen.get(metric, 0)
        for base, head in self.pairs[seen:]:
            good = base.outcome == head.outcome == "ok" and head.turns
            value = log_ratio(metric, base, head) if good else None
            if value is not None:
                values.append((value, int(head.start_order < base.start_order)))
        self._seen[metric] = len(self.pairs)
        if metric == "first_step" and not _long_enough(self.good):
            return None
        return Evidence.of([value for value, _ in values], [order for _, order in values])

    def sharp_enough(self, level: float) -> bool:
        """Whether every guarded metric would show a change as large as its margin."""
        metrics = self.metrics
        if self.launches < decide.LOOKS[0] or ("latency" in self.limits) > ("latency" in metrics):
            return False
        return all(decide.sharp_enough(self.evidence(m), self.limits[m], level) for m in metrics)

    def still_needed(self, level: float) -> int:
        """Launches that the widest metric still needs, one disturbed launch left aside."""
        return max(
            (decide.still_needed(self._guess(m), self.limits[m], level) for m in self.metrics),
            default=decide.LOOKS[0],
        )

    def signs(self, level: float) -> dict[Metric, decide.Sign]:
        """The metrics that this stage says changed."""
        found: dict[Metric, decide.Sign] = {}
        for metric in self.metrics:
            evidence = self.evidence(metric)
            if evidence is not None:
                sign = decide.sign(evidence, self.limits[metric], level)
                if sign:
                    found[metric] = sign
        return found

    def slower(self, level: float) -> bool:
        """Whether this stage says that a metric got worse."""
        return "slower" in self.signs(level).values()

    def p_slower(self) -> float:
        """The smallest one-sided p of a metric being worse at all; 1 without launches.

        Of the evidence or of the guess, whichever is more suspicious: it decides who is next.
        """
        found = [look(metric) for metric in self.metrics for look in (self.evidence, self._guess)]
        return min((e.p_slower() for e in found if e is not None), default=1.0)

    def _guess(self, metric: Metric) -> Evidence | None:
        """A robust estimate, for deciding who is launched next."""
        known = self.evidence(metric)
        return Evidence.guess([value for value, _ in self._values[metric]]) or known


def log_ratio(metric: Metric, base: Launch, head: Launch) -> float | None:
    """One launch's ln(head ÷ base) of a timed metric."""
    if metric == "first_step":
        if not base.first_step_s or not head.first_step_s:
            return None
        return math.log(head.first_step_s / base.first_step_s)
    if metric == "cpu_time":
        before, after = (launch.probes.get("cpu_ns") for launch in (base, head))
        return math.log(after / before) if before and after else None
    return launch_effect(base, head)


def judge(
    metric: Metric, screen: Series, confirm: Series | None, level: float, out_of_time: bool
) -> Judgement:
    """The verdict on one timed metric.

    Args:
        metric: One of `timed`.
        screen: The first stage.
        confirm: Launches from newly started processes, where the screen flagged this metric.
            Their estimate is the one reported: that of the screen is biased, having been chosen.
        level: α of each stage.
        out_of_time: Whether the budget ended before this subject had what it needed.
    """
    limit = screen.limits[metric]
    flagged = screen.signs(level).get(metric, "")
    used = confirm if confirm is not None and confirm.evidence(metric) is not None else screen
    evidence = used.evidence(metric)
    assert evidence is not None, "judged without launches"
    again = decide.sign(evidence, limit, level) if used is confirm else ""
    verdict: Verdict = "inconclusive"
    reason = ""
    if flagged and again == flagged:
        verdict = "regression" if flagged == "slower" else "improved"
    elif decide.unchanged(evidence, limit) and (not flagged or used is confirm):
        verdict = "no change"
        if flagged:
            reason = f"the screen said {flagged}; fresh launches did not"
    elif flagged and used is screen:
        reason = f"{flagged} in the screen; no time was left to confirm it on fresh launches"
    elif flagged:
        reason = f"{flagged} in the screen; fresh launches did not show it as clearly"
    needed = decide.still_needed(evidence, limit, level) if verdict == "inconclusive" else None
    if verdict == "inconclusive" and not reason:
        reason = _why_open(evidence, limit, needed, out_of_time)
    allowance = math.log1p(limit.allowance)
    return Judgement(
        screen.subject.id,
        screen.subject.configuration.name,
        metric,
        verdict,
        reason,
        change(evidence.theta),
        change(evidence.bound(0.025)),
        change(evidence.bound(0.975)),
        *_typical(metric, used.good),
        unit="s" if metric == "first_step" else "ns",
        limit=limit.margin,
        allowance=limit.allowance,
        launches=screen.launches + (confirm.launches if confirm is not None else 0),
        needed=needed or None,
        visible=change(evidence.visible(level, allowance)),
        noise=change(evidence.deviation),
        confirmed=bool(flagged and again == flagged),
        p_value=evidence.p_slower(),
    )


def _why_open(evidence: Evidence, limit: Limit, needed: int | None, out_of_time: bool) -> str:
    if evidence.launches < decide.LOOKS[0]:
        return f"{evidence.launches} launches; a verdict needs {decide.LOOKS[0]}"
    if needed:
        why = "the budget ended" if out_of_time else f"after {evidence.launches} launches"
        return f"{why}: about {needed} more launches would show a change of {limit.margin:.1%}"
    return (
        f"between no change and a change of {limit.margin:.1%}: too small to be called one, too "
        "large to be excluded"
    )


def _typical(metric: Metric, pairs: Sequence[Pair]) -> tuple[float | None, float | None]:
    if metric == "first_step":
        sides = ([x.first_step_s for x in side if x.first_step_s] for side in zip(*pairs))  # noqa: B905
    elif metric == "cpu_time":
        sides = ([x.probes["cpu_ns"] for x in side] for side in zip(*pairs))  # noqa: B905
    else:
        sides = (
            [median(t.step_ns for t in x.turns) / x.updates_per_step for x in side]
            for side in zip(*pairs)  # noqa: B905
        )
    base, head = (median(values) if values else None for values in sides)
    return base, head


def _long_enough(pairs: Sequence[Pair]) -> bool:
    for side in (0, 1):
        seconds = [pair[side].first_step_s or 0.0 for pair in pairs]
        if seconds and median(seconds) >= LEAST_FIRST_STEP_S:
            return True
    return False
