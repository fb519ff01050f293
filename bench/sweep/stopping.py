"""When a group has been launched often enough: on the interval's width, never on significance."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.effects import log_ratio
from bench.results.values import Launch


def suffices(launches: Sequence[Launch], half_width: float) -> bool:
    """Whether every member's 95 % interval is at most ±`half_width` (relative) wide.

    Args:
        launches: All launches of one group.
        half_width: Share; 0.01 is ±1 %.
    """
    timed = [x for x in launches if x.outcome == "ok" and x.turns]
    base = [x for x in timed if x.role == "baseline"]
    members = {(x.scenario, x.configuration, x.role, x.side) for x in timed}
    for member in members:
        own = [x for x in timed if (x.scenario, x.configuration, x.role, x.side) == member]
        if own[0].role == "baseline":
            continue
        effect = log_ratio(base, own)
        if effect is None or (effect.high - effect.low) / 2 > half_width:
            return False
    return True
