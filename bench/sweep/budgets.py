"""What a technique may cost: rules on time alone, and what its row says where it got less."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

from bench.results.values import Launch
from bench.sweep.pieces import Group, Key, key
from bench.sweep.settings import Profile

SHARE = 0.1
"""Of the planned time: the budget of each technique that a profile selects."""
PATIENCE = 3
"""A technique may take so many times as long as is expected of the costliest."""
LEAST_TRAINING_S = 30.0
"""A single training may take that long, or what the profile allows where that is less."""
FEWEST = 2
"""Launches of what takes too long: of both start orders one."""


def technique_s(planned_s: float, largest_s: float, named: bool) -> float:
    """The budget of one technique.

    Args:
        planned_s: The whole run, as planned.
        largest_s: What the costliest technique is expected to take: in a small selection that is
            more than a tenth, and nobody is slow.
        named: The user named what to measure: there is no budget.
    """
    return math.inf if named else max(SHARE * planned_s, PATIENCE * largest_s)


def training_s(budget_s: float, profile: Profile) -> float:
    """What a technique's trainings may take together, of its whole budget; twice a single one."""
    return max(budget_s / 2, 2 * min(profile.train_budget_s, LEAST_TRAINING_S))


def looks(wanted: tuple[int, ...], launches: Sequence[Launch], profile: Profile) -> tuple[int, ...]:
    """Launches after which a group is looked at: fewer where its first one took too long."""
    first = next((x.wall_s for x in launches if x.index == 0), 0.0)
    return wanted if first <= profile.launch_s or wanted[-1] <= FEWEST else (FEWEST,)


def most(group: Group, launches: Sequence[Launch], budget_s: float) -> dict[Key, int]:
    """How many launches each candidate's budget lasts for: by what its first one took."""
    found: dict[Key, int] = {}
    if math.isinf(budget_s):
        return found
    for each in launches:
        if each.index == 0 and each.role == "candidate" and not each.side:
            fit = int(budget_s / 2 / max(_own_s(each), 1e-9))
            found[key(each)] = max(FEWEST, fit - fit % 2)  # pairs, so that start orders balance
    return found


def warned(
    group: Group,
    launches: Sequence[Launch],
    new: Sequence[Launch],
    budget_s: float,
    profile: Profile,
) -> list[Launch]:
    """New launches of a group, which say so where it or one of its members is launched less often.

    Args:
        group: Theirs.
        launches: All of its launches, the new ones too.
        new: Those that just ended.
        budget_s: Of a technique.
        profile: Of the run.
    """
    fewer = looks(group.looks, launches, profile)
    notes: dict[Key, str] = {}
    if fewer != group.looks:
        first_s = next(x.wall_s for x in launches if x.index == 0)
        note = (f"its group was launched {FEWEST} times, not up to {group.looks[-1]}: a launch "
                f"takes {first_s:.0f} s")  # fmt: skip
        notes = {seat.key: note for seat in group.seats}
    for member, count in most(group, launches, budget_s).items():
        if count < fewer[-1]:
            took = _own_s(next(x for x in launches if x.index == 0 and key(x) == member))
            notes[member] = (
                f"at most {count} of {group.looks[-1]} launches: one takes {took:.0f} s, and no "
                "technique more than its share of the run; name it to measure it longer"
            )
    return [_noted(x, notes) for x in new]


def _noted(launch: Launch, notes: Mapping[Key, str]) -> Launch:
    note = notes.get(key(launch))
    if not note:
        return launch
    return dataclasses.replace(launch, warnings=(*launch.warnings, note))


def _own_s(launch: Launch) -> float:
    """What one member's build, warm-up and turns took in a launch."""
    turns = sum(turn.elapsed_ns for turn in (*launch.warmup_turns, *launch.turns)) * 1e-9
    return (launch.build_s or 0.0) + (launch.first_step_s or 0.0) + turns
