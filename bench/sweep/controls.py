"""Controls in every run: a baseline against itself, and against itself slowed by a known share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.results.effects import log_ratio
from bench.results.statistics import over_launches
from bench.results.values import Launch, Role, Scenario

SLOWDOWN = 0.05
"""The injected slow-down: each turn ends with busy-waiting for 5 % of its own time; an input
pipeline is stopped for that long, with all of its threads."""
ROLES: tuple[Role, Role] = ("control-same", "control-slow")
CONFIDENCE = 0.99
"""Of the intervals a control is judged by: a sound run fails one in some hundred times."""
ALLOWANCE = 0.01
"""A control also passes when it is off by no more than this: too little to change any verdict."""


def baselines(scenarios: Sequence[Scenario]) -> set[str]:
    """For each kind, the baseline most scenarios are compared with: its group is controlled."""
    chosen = set()
    for kind in ("train", "infer", "input"):
        counts: dict[str, int] = {}
        for each in scenarios:
            if each.kind == kind and each.baseline and each.unit == "step":
                counts[each.baseline] = counts.get(each.baseline, 0) + 1
        known = [c for c in counts if any(s.id == c and s.unit == "step" for s in scenarios)]
        if known:
            chosen.add(max(known, key=lambda id: counts[id]))
    return chosen


def verdicts(launches: Iterable[Launch]) -> dict[str, dict[str, Any]]:
    """What the controls of each controlled group showed.

    Returns:
        By `scenario@configuration`: `noise_floor` (half-width of the A/A interval, a share),
        `same` and `slow` (measured change with its 95 % interval, shares), `expected`, `passed`.
    """
    groups: dict[str, dict[str, list[Launch]]] = {}
    for launch in launches:
        if launch.purpose == "timing" and launch.outcome == "ok" and not launch.side:
            roles = groups.setdefault(launch.group, {})
            roles.setdefault(launch.role, []).append(launch)
    found: dict[str, dict[str, Any]] = {}
    for group, roles in groups.items():
        if {"baseline", "control-same", "control-slow"} <= roles.keys():
            found[group] = _verdict(roles)
    return found


def _verdict(roles: Mapping[str, list[Launch]]) -> dict[str, Any]:
    same = log_ratio(roles["baseline"], roles["control-same"])
    slow = log_ratio(roles["baseline"], roles["control-slow"])
    if same is None or slow is None:
        return {"passed": False, "reason": "the controls took no turns"}
    expected = math.log1p(SLOWDOWN)
    reasons = []
    if not _agrees(roles, "control-same", 0.0):
        reasons.append(f"the baseline differed from itself by {math.expm1(same.value):+.1%}")
    if not _agrees(roles, "control-slow", expected):
        reasons.append(f"an injected {SLOWDOWN:.0%} was measured as {math.expm1(slow.value):+.1%}")
    return {
        "noise_floor": _finite(math.expm1((same.high - same.low) / 2)),
        "same": [_finite(math.expm1(x)) for x in (same.value, same.low, same.high)],
        "slow": [_finite(math.expm1(x)) for x in (slow.value, slow.low, slow.high)],
        "expected": SLOWDOWN,
        "launches": same.launches,
        "passed": not reasons,
        "reason": "; ".join(reasons),
    }


def _agrees(roles: Mapping[str, list[Launch]], role: str, expected: float) -> bool:
    base = {x.index: x for x in roles["baseline"]}
    values = []
    for own in roles[role]:
        one = log_ratio([base[own.index]], [own]) if own.index in base else None
        if one is not None:
            values.append(one.value)
    wide = over_launches(values, confidence=CONFIDENCE)
    return wide.low <= expected <= wide.high or abs(wide.value - expected) <= ALLOWANCE


def warnings(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for each failed control; shown on top of the report and in every row."""
    return [
        f"the controls of {group} failed: {verdict['reason']}"
        for group, verdict in found.items()
        if not verdict["passed"]
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
