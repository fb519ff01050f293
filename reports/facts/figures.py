"""Numbers as text, rounded to what their interval supports. Every form of a report uses these."""

from __future__ import annotations

import math

from bench.results.values import Estimate

MISSING = "–"
"""Shown where there is no figure."""
MINUS = "−"
_TIME_UNITS = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
_SIZE_UNITS = (("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("B", 1.0))
_COUNT_UNITS = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0))


def decimals_for(half_width: float) -> int:
    """Decimals that an uncertainty supports: its first digit, or two where that is a 1.

    (0.3 → 1, 0.13 → 2, 0.02 → 2, 30 → -1: the particle data group's habit in short.)
    """
    if not math.isfinite(half_width) or half_width <= 0:
        return 3
    exponent = math.floor(math.log10(half_width))
    first = half_width / 10**exponent
    return -exponent + (1 if first < 1.95 else 0)


def rounded(value: float, decimals: int) -> str:
    """The value with so many decimals (negative: tens, hundreds), thousands apart."""
    value = round(value, decimals)
    text = f"{abs(value):,.{max(decimals, 0)}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return (MINUS if negative else "") + text


def significant(value: float, digits: int = 3) -> str:
    """The value with so many significant digits, never in exponent form."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else ("∞" if value > 0 else f"{MINUS}∞")
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    # Rounding may carry into the next power of ten: 99.96 with three digits is 100, not 100.0.
    if abs(round(value, decimals)) >= 10 ** (digits - decimals):
        decimals -= 1
    return rounded(value, min(decimals, 12))


def estimate(item: Estimate, unit: str = "", most_decimals: int = 3) -> str:
    """`2.51× (2.49 to 2.54)`; an estimate without an interval gets two digits and `≈`.

    Args:
        item: The estimate.
        unit: Put behind the value (`×`, ` pp`).
        most_decimals: Cap on the decimals.
    """
    if not has_interval(item):
        return f"≈ {significant(item.value, 2)}{unit}"
    value = rounded(item.value, _decimals(item, most_decimals))
    return f"{value}{unit} ({interval(item, most_decimals)})"


def interval(item: Estimate, most_decimals: int = 3) -> str:
    """`2.49 to 2.54`, empty where there is none."""
    if not has_interval(item):
        return ""
    decimals = _decimals(item, most_decimals)
    return f"{rounded(item.low, decimals)} to {rounded(item.high, decimals)}"


def factor(item: Estimate) -> str:
    """A speed-up factor alone, with the digits that its interval supports."""
    if not has_interval(item):
        return f"≈ {significant(item.value, 2)}×"
    return f"{rounded(item.value, _decimals(item, 3))}×"


def _decimals(item: Estimate, most: int) -> int:
    return min(decimals_for((item.high - item.low) / 2), most)


def has_interval(item: Estimate) -> bool:
    """Whether its interval is finite (a single launch has none)."""
    return item.launches > 1 and math.isfinite(item.low) and math.isfinite(item.high)


def speedup(item: Estimate | None) -> str:
    """A speed-up factor with its interval."""
    return MISSING if item is None else estimate(item, "×")


def duration(value_ns: float | None, half_width_ns: float | None = None) -> str:
    """A time in the unit that fits, rounded to its half-width (or to 3 digits, 2 without).

    Args:
        value_ns: Nanoseconds; None is missing.
        half_width_ns: Of its interval; None where it is not known.
    """
    if value_ns is None:
        return MISSING
    size = abs(value_ns)
    unit, scale = next(((u, s) for u, s in _TIME_UNITS if size >= s), _TIME_UNITS[-1])
    value = value_ns / scale
    if half_width_ns is None or not math.isfinite(half_width_ns):
        return f"{significant(value, 2)} {unit}"
    most = 2 - math.floor(math.log10(abs(value))) if value else 2  # never more than 3 digits
    return f"{rounded(value, min(decimals_for(half_width_ns / scale), most))} {unit}"


def seconds(value_s: float | None) -> str:
    """A time given in seconds, with two digits: first steps and builds are single events."""
    return MISSING if value_s is None else duration(value_s * 1e9)


def size(value: float | None) -> str:
    """Bytes in the unit that fits (1 KB = 1,000 bytes), 3 digits."""
    return _scaled(value, _SIZE_UNITS, " ")


def count(value: float | None) -> str:
    """A count in the unit that fits: 97.5 k, 1.2 M; 3 digits."""
    return _scaled(value, _COUNT_UNITS, " ")


def whole(value: float | None, digits: int = 2) -> str:
    """A large number as a whole one with so many significant digits: 2,600."""
    if value is None:
        return MISSING
    if value < 10:
        return f"{math.ceil(value)}"
    return rounded(value, digits - 1 - math.floor(math.log10(abs(value))))


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as a percentage."""
    return MISSING if share is None else f"{rounded(100 * share, decimals)} %"


def points(item: Estimate | None) -> str:
    """A difference of accuracies given in shares, as percentage points with its interval."""
    if item is None:
        return MISSING
    return f"{signed(100 * item.value, 1)} pp ({points_interval(item)})"


def points_interval(item: Estimate) -> str:
    """The interval of a difference of accuracies, in percentage points."""
    return f"{signed(100 * item.low, 1)} to {signed(100 * item.high, 1)}"


def signed(value: float, decimals: int) -> str:
    """With a sign, unless it rounds to zero."""
    text = rounded(value, decimals)
    zero = not float(text.replace(MINUS, "").replace(",", ""))
    return text if zero or value < 0 else "+" + text


def change(item: Estimate) -> str:
    """A speed-up in words: `2.5× faster`, `18 % slower`, with two digits or what is supported."""
    slowness = 1 / item.value
    if item.value >= 2:
        sure = has_interval(item)
        text = rounded(item.value, _decimals(item, 2)) if sure else significant(item.value, 2)
        return f"{text}× faster"
    if item.value >= 1:
        return f"{significant(100 * (item.value - 1), 2)} % faster"
    if slowness < 2:
        return f"{significant(100 * (slowness - 1), 2)} % slower"
    return f"{significant(slowness, 2)}× slower"


def _scaled(value: float | None, units: tuple[tuple[str, float], ...], gap: str) -> str:
    if value is None:
        return MISSING
    unit, scale = next(((u, s) for u, s in units if abs(value) >= s), units[-1])
    text = rounded(value, 0) if scale == 1.0 else significant(value / scale, 3)
    return f"{text}{gap}{unit}".rstrip()
