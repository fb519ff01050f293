"""The rule: what evidence says of a change, and when there is evidence enough.

A launch's value is the difference of both sides' levels, ln(head ÷ base), freed from the machine's
drift by neighbouring turns (`bench.results.levels`). The rule looks at the estimate
once, when the launches have ended; whether to go on depends on the width that has been reached and
on the time left, never on the estimate: looking again until it is significant would turn a 1 % rate
of false alarms into several times as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bench.guard.rule.evidence import Evidence

LOOKS = (6, 8, 12, 16, 24, 32, 48)
"""Launches after which the width is looked at; even, so that start orders are balanced."""
ALPHA = 0.01
"""Of each stage. Both stages must agree, so that a comparison is falsely flagged once in 10 000."""
FAMILY = 0.015
"""Most that a whole suite may raise a false alarm, under any dependence (Bonferroni)."""
NO_CHANGE = 0.95
"""Confidence of each of the two bounds that must lie within the margin."""

Sign = Literal["slower", "faster", ""]


@dataclass(frozen=True)
class Limit:
    """Limits of one metric, as shares."""

    margin: float
    """Change that matters: what lies surely below it is no change."""
    floor: float
    """Smallest estimate that is reported as a change."""
    allowance: float
    """Bias between two builds of the same code that launches cannot average away (layout)."""

    @classmethod
    def of(cls, margin: float, allowance: float) -> Limit:
        """A margin with the floor at its half."""
        return cls(margin, margin / 2, allowance)


def alpha(comparisons: int) -> float:
    """Level of each stage, so that α² × comparisons stays below `FAMILY`."""
    return min(ALPHA, math.sqrt(FAMILY / max(comparisons, 1)))


def sign(evidence: Evidence, limit: Limit, level: float) -> Sign:
    """Whether this stage says slower, faster or nothing."""
    allowance, floor = math.log1p(limit.allowance), math.log1p(limit.floor)
    if evidence.launches < LOOKS[0]:
        return ""
    if evidence.bound(level) > allowance and evidence.theta > floor:
        return "slower"
    if evidence.bound(1 - level) < -allowance and evidence.theta < -floor:
        return "faster"
    return ""


def unchanged(evidence: Evidence, limit: Limit) -> bool:
    """Whether both sides are equivalent within the margin: two one-sided tests at 5 %."""
    margin = math.log1p(limit.margin)
    inside = evidence.bound(NO_CHANGE) < margin and evidence.bound(1 - NO_CHANGE) > -margin
    return evidence.launches >= LOOKS[0] and inside


def sharp_enough(evidence: Evidence | None, limit: Limit, level: float) -> bool:
    """Whether a change as large as the margin would have been seen: the rule to stop at."""
    if evidence is None or evidence.launches < LOOKS[0]:
        return False
    visible = evidence.visible(level, math.log1p(limit.allowance))
    return visible <= math.log1p(limit.margin)


def still_needed(evidence: Evidence | None, limit: Limit, level: float) -> int:
    """Launches still missing until the evidence is sharp enough, at the noise seen so far."""
    if evidence is None:
        return LOOKS[0]
    margin, allowance = math.log1p(limit.margin), math.log1p(limit.allowance)
    return max(0, evidence.needed(level, allowance, margin) - evidence.launches)
