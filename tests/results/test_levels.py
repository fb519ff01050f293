"""Levels of a group's members from the turns of all, on turns whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.results import statistics
from bench.results.levels import levels
from bench.results.values import Turn


def turns(*elapsed: float) -> list[Turn]:
    return [Turn(number, 0, 10, round(each)) for number, each in enumerate(elapsed)]


def launched(
    steps_ns: list[float], rounds: int, rng: np.random.Generator, walk: float, noise: float
) -> list[list[Turn]]:
    """Turns of a group on a machine whose speed walks at random."""
    members: list[list[Turn]] = [[] for _ in steps_ns]
    state = 0.0
    for number in range(rounds):
        for position, member in enumerate(rng.permutation(len(steps_ns))):
            state += rng.normal(0, walk)
            disturbed = 0.5 * (rng.random() < 0.05)
            log = state + disturbed + rng.normal(0, noise)
            elapsed = round(1000 * steps_ns[member] * math.exp(log))
            members[member].append(Turn(number, position, 1000, elapsed))
    return members


def test_levels_of_a_still_machine_are_the_step_times() -> None:
    group = launched([100.0, 110.0, 400.0], 6, np.random.default_rng(0), 0.0, 0.0)
    group = [[t for t in turns if t.step_ns < 410] for turns in group]
    found = levels(group)
    assert [math.exp(x or 0) for x in found] == pytest.approx([100, 110, 400], rel=1e-4)


def test_levels_are_unbiased_and_closer_than_the_rounds_of_two_members() -> None:
    steps = [100.0, 102.0, 105.0, 100.0, 300.0, 90.0]
    rng = np.random.default_rng(1)
    errors: dict[str, list[float]] = {"levels": [], "pairs": []}
    for _ in range(150):
        group = launched(steps, 12, rng, 0.02, 0.01)
        found = levels(group)
        for number in range(1, len(steps)):
            truth = math.log(steps[number] / steps[0])
            pair = statistics.launch_log_ratio(group[0], group[number])
            assert pair is not None
            errors["pairs"].append(pair - truth)
            errors["levels"].append((found[number] or 0) - (found[0] or 0) - truth)
    spread = {name: float(np.std(values)) for name, values in errors.items()}
    assert abs(np.mean(errors["levels"])) < 4 * spread["levels"] / math.sqrt(150)
    assert spread["levels"] < 0.8 * spread["pairs"]


def test_a_linear_drift_is_no_difference_of_levels() -> None:
    group: list[list[Turn]] = [[], [], []]
    clock = 1.0
    for number in range(12):
        for position, member in enumerate((0, 1, 2) if number % 2 == 0 else (2, 1, 0)):
            clock *= 1.01
            group[member].append(Turn(number, position, 1, round(1e9 * clock)))
    found = [x or 0 for x in levels(group)]
    assert found == pytest.approx([found[0]] * 3, abs=1e-6)


def test_turns_of_two_parts_are_no_neighbours() -> None:
    """The machine is twice as slow after a left out round number; the candidate is always 1.2×."""
    group: list[list[Turn]] = [[], []]
    for number in (0, 1, 2, 4, 5, 6):
        machine = 1_000_000 if number < 3 else 2_000_000
        first = number % 2
        group[0].append(Turn(number, first, 1, machine))
        group[1].append(Turn(number, 1 - first, 1, round(1.2 * machine)))
    base, found = levels(group)
    assert (found or 0) - (base or 0) == pytest.approx(math.log(1.2), abs=1e-6)


def test_a_part_that_went_astray_does_not_move_the_level() -> None:
    group: list[list[Turn]] = [[], []]
    for part, ratio in enumerate((1.2, 1.2, 0.6, 1.2)):
        for number in range(3):
            group[0].append(Turn(4 * part + number, number % 2, 1, 1_000_000))
            elapsed = round(1_000_000 * ratio)
            group[1].append(Turn(4 * part + number, 1 - number % 2, 1, elapsed))
    base, found = levels(group)
    assert (found or 0) - (base or 0) == pytest.approx(math.log(1.2), abs=0.01)


def test_turns_that_others_held_up_are_left_out_where_enough_are_left() -> None:
    def candidate(held: int) -> list[Turn]:
        return [
            Turn(number, 1, 1, 3_000_000 if number < held else 1_200_000,
                 1_800_000 if number < held else 0)
            for number in range(10)
        ]  # fmt: skip

    base = [Turn(number, 0, 1, 1_000_000) for number in range(10)]
    for held, ratio in ((6, 1.2), (8, 3.0)):
        first, found = levels([base, candidate(held)])
        assert (found or 0) - (first or 0) == pytest.approx(math.log(ratio), abs=0.01)


def test_one_shared_round_gives_a_level_and_none_gives_none() -> None:
    base = [Turn(0, 0, 10, 1000)]
    assert levels([base, [Turn(0, 1, 10, 2000)]]) == pytest.approx(
        [math.log(100), math.log(200)], abs=1e-6
    )
    assert levels([base, [Turn(9, 1, 10, 2000)]])[1] is None
    assert levels([base, []])[1] is None
    assert levels([[], base]) == [None, None]


def test_rare_members_are_compared_with_their_neighbours() -> None:
    base = turns(1000, 1100, 1000, 1100, 1000, 1100)
    rare = [Turn(1, 1, 10, 2200), Turn(5, 1, 10, 2200)]
    found = levels([base, rare])
    assert (found[1] or 0) - (found[0] or 0) == pytest.approx(math.log(2), abs=0.06)
