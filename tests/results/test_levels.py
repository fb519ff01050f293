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


def test_parts_of_a_launch_have_levels_of_their_own_that_count_alike() -> None:
    group: list[list[Turn]] = [[], []]
    for number, ratio in [*[(n, 1.2) for n in range(6)], *[(n, 0.9) for n in range(7, 9)]]:
        group[0].append(Turn(number, 0, 1, 1_000_000))
        group[1].append(Turn(number, 1, 1, round(1_000_000 * ratio)))
    base, found = levels(group)
    assert base is not None
    assert found is not None
    assert found - base == pytest.approx((math.log(1.2) + math.log(0.9)) / 2, abs=1e-6)


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
