"""What a set of launches shows of one metric: estimate, error, bounds, and what it could show."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.results.quantiles import student, student_below
from bench.results.statistics import mean_over_launches

POWER = 0.975
MOST_LAUNCHES = 1000
LARGEST_LOG = 700.0
LEAST_TO_GUESS = 4
"""Launches below which a median absolute deviation says nothing."""


@dataclass(frozen=True)
class Evidence:
    """Estimate of a log ratio (head ÷ base; above 0: worse) from independent launches."""

    theta: float
    error: float
    """Standard error of theta."""
    freedom: int
    launches: int

    @classmethod
    def of(cls, values: Sequence[float], orders: Sequence[int]) -> Evidence | None:
        """From one value a launch and its start order (1: head first); None below two launches."""
        if len(values) < 2:
            return None
        return cls(*mean_over_launches(values, orders or None), len(values))

    @classmethod
    def guess(cls, values: Sequence[float]) -> Evidence | None:
        """From the median and the median absolute deviation, 1.4826 MAD being a normal's sd.

        One disturbed launch of six makes `of` blind, and would put its subject behind all others.
        For deciding who is launched next, never for a verdict: its error rates are not nominal.
        """
        if len(values) < LEAST_TO_GUESS:
            return None
        logs = np.asarray(values, dtype=float)
        middle = float(np.median(logs))
        deviation = 1.4826 * float(np.median(np.abs(logs - middle)))
        error = math.sqrt(math.pi / 2) * deviation / math.sqrt(len(logs))
        return cls(middle, error, len(logs) - 2, len(logs))

    @property
    def deviation(self) -> float:
        """Standard deviation of one launch's value."""
        return self.error * math.sqrt(self.launches)

    def bound(self, confidence: float) -> float:
        """One-sided upper bound; the lower one is `bound(1 - confidence)`."""
        return self.theta + student(self.freedom, confidence) * self.error

    def visible(self, alpha: float, allowance: float) -> float:
        """Smallest log effect seen with 97.5 % power: b + (t(1-α) + t.975)·SE."""
        return allowance + _quantiles(alpha, self.freedom) * self.error

    def needed(self, alpha: float, allowance: float, margin: float) -> int:
        """Launches in all after which an effect of `margin` would be seen, at this noise; even."""
        room = margin - allowance

        def seen(launches: int) -> bool:
            error = self.deviation / math.sqrt(launches)
            return _quantiles(alpha, launches - 2) * error <= room

        enough = range(6, MOST_LAUNCHES, 2)
        return enough.start + 2 * bisect_left(enough, True, key=seen)

    def p_slower(self) -> float:
        """One-sided p of the hypothesis that head is not slower."""
        if self.error == 0:
            return 0.0 if self.theta > 0 else 1.0
        return student_below(self.freedom, -self.theta / self.error)


def _quantiles(alpha: float, freedom: int) -> float:
    return student(freedom, 1 - alpha) + student(freedom, POWER)


def change(log: float) -> float:
    """The relative change that a log ratio is: exp(log) − 1, held below what no float can be."""
    return math.expm1(min(log, LARGEST_LOG))


def benjamini_hochberg(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which hypotheses are rejected at this false discovery rate (Benjamini, Hochberg 1995)."""
    count = len(p_values)
    order = np.argsort(p_values)
    passed = [rank for rank, i in enumerate(order, start=1) if p_values[i] <= rate * rank / count]
    last = max(passed, default=0)
    rejected = [False] * count
    for i in order[:last]:
        rejected[i] = True
    return rejected
