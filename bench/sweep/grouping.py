"""How many members a group has: as memory allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.sweep.pieces import Seat


def parts(
    base: str, rest: Sequence[Seat], held: Mapping[str, int], members: int, group_bytes: int
) -> list[list[Seat]]:
    """The members of a baseline's group, in as many parts as there must be.

    Args:
        base: The baseline's id: it is a member of each part.
        rest: Its candidates and controls, in order.
        held: Scenario → memory of its own that its probe held, bytes.
        members: How many a part may have, the baseline included.
        group_bytes: Memory that a part may hold; 0: any.
    """
    found: list[list[Seat]] = [[]]
    left = room = group_bytes - held.get(base, 0)
    for seat in rest:
        own = held.get(seat.scenario, 0)
        tight = bool(group_bytes) and own > left
        if found[-1] and (tight or len(found[-1]) >= members - 1):
            found.append([])
            left = room
        found[-1].append(seat)
        left -= own
    return found
