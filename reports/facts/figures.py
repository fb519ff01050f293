"""Numbers as text, rounded to what their interval supports. Every form of a report uses these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bench.results.quality import Quality
from bench.results.values import Estimate
from reports.facts.estimates import half_width

MISSING = "–"
"""Shown where there is no figure."""
MINUS = "−"
FAR_APART = 4
"""High end ÷ low end from which one number of decimals cannot suit both: 0.24 to 15,000."""
AS_GOOD_AS_NONE = 1000
"""End ÷ value from which only that is said: two launches may leave an interval of 1e-10 to 1e10."""
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
    if value == 0 or not abs(value) < 1e300:  # larger ones cannot be rounded up
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
    if half_width(item) is None:
        return f"≈ {significant(item.value, 2)}{unit}"
    value = rounded(item.value, _decimals(item, most_decimals))
    return f"{value}{unit} ({interval(item, most_decimals)})"


def interval(item: Estimate, most_decimals: int = 3) -> str:
    """`2.49 to 2.54`, empty where there is none; ends far apart have two digits each."""
    if half_width(item) is None:
        return ""
    if item.high > FAR_APART * item.low > 0:
        least, most = item.value / AS_GOOD_AS_NONE, item.value * AS_GOOD_AS_NONE
        low = significant(item.low, 2) if item.low > least else f"<{significant(least, 1)}"
        high = significant(item.high, 2) if item.high < most else f">{significant(most, 1)}"
        return f"{low} to {high}"
    decimals = _decimals(item, most_decimals)
    return f"{rounded(item.low, decimals)} to {rounded(item.high, decimals)}"


def factor(item: Estimate) -> str:
    """A speed-up factor alone, with the digits that its interval supports."""
    if half_width(item) is None:
        return f"≈ {significant(item.value, 2)}×"
    return f"{rounded(item.value, _decimals(item, 3))}×"


def _decimals(item: Estimate, most: int) -> int:
    """What its interval supports, but at least the first digit of the value."""
    first = -math.floor(math.log10(abs(item.value))) if item.value else 0
    return min(max(decimals_for((item.high - item.low) / 2), first), most)


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


def quality(item: Quality | None) -> str:
    """A quality in its unit: `97.5 %`, `0.912`, `3.21 s`."""
    if item is None:
        return MISSING
    if item.is_share:
        return percent(item.value)
    return f"{significant(item.value, 3)} {item.unit}".rstrip()


def changed(item: Quality, change: Estimate) -> str:
    """A change of quality with its interval: `−0.5 pp (−1.8 to +0.5)`."""
    return f"{changed_by(item, change)} ({changed_between(item, change)})"


def changed_by(item: Quality, change: Estimate) -> str:
    """A change of quality alone: shares in percentage points, others in the metric's unit."""
    unit = "pp" if item.is_share else item.unit
    return f"{_change_text(item, change, change.value)} {unit}".rstrip()


def changed_between(item: Quality, change: Estimate) -> str:
    """The interval of a change of quality."""
    return " to ".join(_change_text(item, change, end) for end in (change.low, change.high))


def _change_text(item: Quality, change: Estimate, value: float) -> str:
    if item.is_share:
        return signed(100 * value, 1)
    largest = max(abs(change.value), abs(change.low), abs(change.high)) or 1.0
    most = 2 - math.floor(math.log10(largest))  # never more than 3 digits
    return signed(value, min(decimals_for((change.high - change.low) / 2), most))


def signed(value: float, decimals: int) -> str:
    """With a sign, unless it rounds to zero."""
    text = rounded(value, decimals)
    zero = not float(text.replace(MINUS, "").replace(",", ""))
    return text if zero or value < 0 else "+" + text


def change(item: Estimate) -> str:
    """A speed-up in words: `2.5× faster`, `18 % slower`, with two digits or what is supported."""
    slowness = 1 / item.value
    if item.value >= 2:
        single = half_width(item) is None
        text = significant(item.value, 2) if single else rounded(item.value, _decimals(item, 2))
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


def plain(value: Any) -> str:
    """A fact of a proof or of the environment as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return significant(value, 3)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {plain(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(v) for v in value)
    return str(value)


def fact(name: str, value: Any) -> str:
    """A fact as text; the end of its name says its unit."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if name.endswith("_bytes"):
            return size(value)
        if name.endswith("_ns"):
            return duration(value, value * 0.005)
        if name.endswith(("_flop_per_s", "_op_per_s", "_bytes_per_s")):
            return f"{count(value)}{'B' if 'bytes' in name else 'op'}/s"
    return plain(value)


def flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested facts as (path, text), in their order."""
    for key, value in facts.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{name}: ")
        elif value not in (None, "", [], {}):
            yield name.replace("_bytes", ""), fact(str(key), value)
