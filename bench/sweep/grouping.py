"""How many members a group has and how often it is launched: as memory and time allow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from bench.results.values import Launch
from bench.sweep.members import Member
from bench.sweep.settings import Profile, Settings

FEWEST = 2
"""Launches of a group that takes too long: of both start orders one."""


def parts(
    base: str, rest: Sequence[Member], held: Mapping[str, int], settings: Settings
) -> list[list[Member]]:
    """The members of a baseline's group, in as many parts as there must be.

    Args:
        base: The baseline's id: it is a member of each part.
        rest: Its candidates and controls, in order.
        held: Scenario → memory of its own that its probe held, bytes.
        settings: Say how many members, and how much memory, a part may have.
    """
    found: list[list[Member]] = [[]]
    left = room = settings.group_bytes - held.get(base, 0)
    for member in rest:
        own = held.get(member.scenario.id, 0)
        tight = bool(settings.group_bytes) and own > left
        if found[-1] and (tight or len(found[-1]) >= settings.members - 1):
            found.append([])
            left = room
        found[-1].append(member)
        left -= own
    return found


def affordable(
    looks: tuple[int, ...], launch_s: float, profile: Profile
) -> tuple[tuple[int, ...], str]:
    """Launches after which a group is looked at, and what its rows say where these are fewer.

    Args:
        looks: As wanted.
        launch_s: What the group's first launch took.
        profile: Says what it may take.
    """
    if launch_s <= profile.launch_s or looks[-1] <= FEWEST:
        return looks, ""
    return (FEWEST,), (
        f"its group was launched {FEWEST} times, not up to {looks[-1]}: a launch takes "
        f"{launch_s:.0f} s"
    )


def warned(launch: Launch, warning: str) -> Launch:
    """The launch with a warning, where there is one."""
    if not warning:
        return launch
    return dataclasses.replace(launch, warnings=(*launch.warnings, warning))
