"""Which functions changed between the profiles of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.guard.comparison.values import OperationChange

SHOWN = 8
LEAST_SHARE = 0.02
"""Of a step's time: what changed by less is noise of sampling, unless its calls changed too."""
LEAST_NS = 20.0


def changes(
    base: Sequence[dict[str, Any]], head: Sequence[dict[str, Any]]
) -> tuple[OperationChange, ...]:
    """Functions that got slower, faster, appeared, vanished or are called otherwise often.

    Args:
        base: Functions with `name`, `calls` and `self_ns` a step.
        head: The other side's.
    """
    before, after = ({each["name"]: each for each in side} for side in (base, head))
    step_ns = max(sum(float(each["self_ns"]) for each in side) for side in (base, head))
    found = []
    for name in {**before, **after}:
        (one_ns, one), (other_ns, other) = (
            (float(each.get("self_ns", 0.0)), float(each.get("calls", 0.0)))
            for each in (before.get(name, {}), after.get(name, {}))
        )
        moved = abs(other_ns - one_ns) >= max(LEAST_SHARE * step_ns, LEAST_NS)
        if moved or round(one, 2) != round(other, 2):
            found.append(OperationChange(name, one_ns, other_ns, one, other))
    found.sort(key=lambda c: (-abs(c.head_ns - c.base_ns), -abs(c.head_count - c.base_count)))
    return tuple(found[:SHOWN])
