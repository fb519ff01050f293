"""Histograms of single steps' durations: what a launch counts into, and its quantiles."""

from __future__ import annotations

import math
from collections.abc import Mapping

BUCKETS_PER_LOG = 500
"""Histogram buckets per unit of ln(ns): each is 0.2 % wide."""


def bucket(elapsed_ns: float) -> str:
    """The histogram bucket of a duration."""
    return str(round(math.log(max(elapsed_ns, 1.0)) * BUCKETS_PER_LOG))


def histogram_quantile(histogram: Mapping[str, int], quantile: float) -> float | None:
    """A quantile (0..1) in ns of a histogram made with `bucket`; None where it is empty."""
    items = sorted((int(b), n) for b, n in histogram.items())
    total = sum(n for _, n in items)
    if not total:
        return None
    rank, seen = max(1, math.ceil(quantile * total)), 0
    for number, count in items:
        seen += count
        if seen >= rank:
            return math.exp(number / BUCKETS_PER_LOG)
    return None
