"""What answers cost: the price of a machine's hour over the examples that it answers in one."""

from __future__ import annotations

from reports.facts.measured import Measured


def per_million(price_per_hour: float | None, m: Measured) -> float | None:
    """Money for a million examples; None where price or throughput is not known."""
    if price_per_hour is None or not m.effect.throughput_per_s:
        return None
    return price_per_hour / 3600 / m.effect.throughput_per_s * 1e6
