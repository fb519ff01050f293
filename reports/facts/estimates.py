"""What an interval says: how wide it is, and whether it leaves a doubt."""

from __future__ import annotations

import math

from bench.results.values import Estimate


def half_width(item: Estimate | None) -> float | None:
    """Of its interval; None where it has none (a single launch)."""
    if item is None or item.launches < 2 or not math.isfinite(item.high - item.low):
        return None
    return (item.high - item.low) / 2


def distinguishable(item: Estimate | None) -> bool:
    """Whether a factor's interval excludes 1."""
    return half_width(item) is not None and item is not None and not item.low <= 1 <= item.high
