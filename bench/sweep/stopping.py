"""Who has taken part in a group often enough: by its interval's width, never by significance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from bench.results.effects import log_ratio
from bench.results.values import Launch
from bench.sweep.pieces import Key, Seat, key

AGREE = 0.75
"""Share of a group's members whose intervals must be narrow before one of them leaves: that a
single one is narrow after few launches is often luck, which would cost coverage."""
FAILURES = 2
"""Launches after which a member leaves that failed in all of them."""
ROUGH, ROUGH_LARGE, LARGE = 0.10, 0.15, 10.0
"""Half-widths of intervals that a reader can use, the second of effects above `LARGE` times."""


def staying(
    seats: Sequence[Seat],
    launches: Sequence[Launch],
    looks: Sequence[int],
    half_width: float,
    most: Mapping[Key, int] | None = None,
) -> list[Seat]:
    """The members that take part in a group's next launch.

    After each look a member leaves whose 95 % interval is at most ±`half_width` wide, where most of
    the group's are. The baseline and the controls stay while anyone does: the caller sees to it.
    What was found of a member before a look is all that the look judges it by, so that each call
    decides earlier looks as they were decided then.

    Args:
        seats: Of the group, the baseline first.
        launches: All launches of the group.
        looks: Launches after which widths are looked at.
        half_width: Share; 0.01 is ±1 %.
        most: Launches of members whose budget is limited.
    """
    most = most or {}
    number = max((x.index + 1 for x in launches), default=0)
    members = _by_member(launches)
    gone = {seat.key for seat in seats if _fails(members.get(seat.key, ()))}
    compared = [seat for seat in seats if seat.role != "baseline"]
    ready: set[Key] = set()
    for look in looks:
        if look > number:
            break
        judged = [k for seat in compared if (k := seat.key) not in gone
                  and most.get(k, look) >= look]  # fmt: skip
        narrow = {k for k in judged if k in ready or _effect(members, k, look)[1] <= half_width}
        if judged and len(narrow) >= AGREE * len(judged):
            ready |= narrow
    candidates = [seat for seat in compared if seat.role == "candidate"] or compared
    leave = gone | {seat.key for seat in candidates if seat.key in ready}
    leave |= {k for k, count in most.items() if number >= count}
    return [seat for seat in seats if seat.key not in leave]


def rough(launches: Sequence[Launch]) -> bool:
    """Whether every interval of a group is narrow enough for a first answer."""
    members = _by_member(launches)
    for member, own in members.items():
        if own[0].role != "candidate" or not any(x.turns for x in own):
            continue
        value, half_width = _effect(members, member)
        if half_width > (ROUGH_LARGE if abs(value) > math.log(LARGE) else ROUGH):
            return False
    return True


def _by_member(launches: Sequence[Launch]) -> dict[Key, list[Launch]]:
    found: dict[Key, list[Launch]] = {}
    for each in launches:
        found.setdefault(key(each), []).append(each)
    return found


def _effect(
    members: Mapping[Key, Sequence[Launch]], member: Key, look: float = math.inf
) -> tuple[float, float]:
    """A member's effect (log) and its interval's half-width, of the launches before a look.

    Infinite where it has none.
    """
    base = (x for own in members.values() if own[0].role == "baseline" for x in own)
    own, others = (
        [x for x in each if x.index < look and x.outcome == "ok" and x.turns]
        for each in (members.get(member, ()), base)
    )
    effect = log_ratio(others, own)
    if effect is None:
        return 0.0, math.inf
    return effect.value, (effect.high - effect.low) / 2


def _fails(own: Sequence[Launch]) -> bool:
    return len(own) >= FAILURES and all(x.outcome != "ok" for x in own)
