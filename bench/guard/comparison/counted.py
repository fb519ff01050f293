"""Figures that are counted, not timed, and may vary: memory, bytes, files, processes.

One probe of each side is looked at; what differs is judged on fresh probes and confirmed by more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.guard.comparison.exact import figure
from bench.guard.comparison.launcher import Pair, Subject
from bench.guard.comparison.values import Judgement, Metric, Verdict
from bench.guard.rule.limits import Limits
from bench.results.values import Launch


@dataclass(frozen=True)
class Counted:
    """One of these figures."""

    metric: Metric
    """Its limit has the same name."""
    figure: str
    """Field of the launch or of its probes."""
    unit: str
    least: float
    """Growth that is not reported however small the figure."""
    varies: bool = False
    """It varies from launch to launch by itself, so that a change may stay open."""


MEMORY = Counted("peak_memory", "peak_memory_bytes", "bytes", 256 << 10, varies=True)
"""The kernel counts pages in batches."""
ALL = (
    MEMORY,
    Counted("allocated", "allocated_bytes", "bytes", 1 << 10),
    Counted("bytes_read", "bytes_read", "bytes", 1 << 10),
    Counted("bytes_written", "bytes_written", "bytes", 1 << 10),
    Counted("instructions", "instructions", "instructions", 0),
    Counted("files", "files", "files", 0),
    Counted("processes", "processes", "processes", 0),
)


def differs(counted: Counted, subject: Subject, pair: Pair, limits: Limits) -> bool:
    """Whether one pair of probes differs enough to be looked at again."""
    margin = limits.margin(counted.metric, subject.id, subject.configuration.name)
    before, after = (_of(counted, launch) for launch in pair)
    if margin is None or not before or after is None:
        return False
    return abs(after - before) > max(margin / 2 * before, counted.least)


def judge(
    counted: Counted, subject: Subject, pairs: Sequence[Pair], limits: Limits
) -> Judgement | None:
    """A figure over several probes of both sides; None where it is unknown or not guarded.

    A regression: the median grew by more than the margin and the least growth, and every probe of
    head lies above every one of base. With three fresh pairs after the first one that happens to
    equal sides in 1 of 20 cases at most, and only where the figure varies by the margin at all:
    training's peak of memory has two levels, 6 % apart. So three more pairs have to show it too
    (`Probing`). Counts that repeat have to lie further apart than either side spreads.
    """
    margin = limits.margin(counted.metric, subject.id, subject.configuration.name)
    before = [value for b, _ in pairs if (value := _of(counted, b)) is not None]
    after = [value for _, h in pairs if (value := _of(counted, h)) is not None]
    if margin is None or not before or not after or not median(before):
        return None
    change = median(after) / median(before) - 1
    enough = abs(median(after) - median(before)) > counted.least
    spread = 0.0
    if not counted.varies:
        spread = max(max(side) - min(side) for side in (before, after))
    verdict: Verdict = "no change"
    reason = ""
    if enough and change > margin:
        if min(after) - max(before) > spread:
            verdict = "regression"
        elif counted.varies:
            verdict = "inconclusive"
            reason = "peak memory varies from launch to launch by more than the change"
        else:
            reason = "it varies from run to run by more than the change"
    elif enough and change < -margin and min(before) - max(after) > spread:
        verdict = "improved"
    return Judgement(
        subject.id, subject.configuration.name, counted.metric, verdict, reason, change,
        low=min(after) / max(before) - 1 if max(before) else None,
        high=max(after) / min(before) - 1 if min(before) else None,
        base=median(before), head=median(after), unit=counted.unit, limit=margin,
        launches=len(pairs), confirmed=len(pairs) > 1,
    )  # fmt: skip


def _of(counted: Counted, launch: Launch) -> float | None:
    found = figure(launch, counted.figure)
    return None if counted is MEMORY and not found else found
