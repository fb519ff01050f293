"""Groups are as large as memory allows, and launched as often as time allows."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bench.results.values import Configuration, Launch, Scenario
from bench.sweep import grouping
from bench.sweep.describing import scaled
from bench.sweep.members import Member
from bench.sweep.settings import PROFILES, load

CONFIGURATION = Configuration("cpu-1", 1, (0,))


def member(name: str) -> Member:
    start: Any = None
    return Member(Scenario(name, "infer", "", "m", "f", "p", 1), CONFIGURATION, start)


@pytest.mark.parametrize(
    ("held", "room", "most", "names"),
    [
        ({}, 0, 10, ["abcd"]),
        ({}, 100, 3, ["ab", "cd"]),
        (dict.fromkeys("xabcd", 10), 100, 10, ["abcd"]),
        (dict.fromkeys("xabcd", 10), 30, 10, ["ab", "cd"]),
        ({"x": 10, "a": 80, "b": 10, "c": 10, "d": 10}, 50, 10, ["a", "bcd"]),
        (dict.fromkeys("xabcd", 99), 10, 10, ["a", "b", "c", "d"]),
    ],
)
def test_parts(held: dict[str, int], room: int, most: int, names: list[str]) -> None:
    settings = dataclasses.replace(load(None, {}), group_bytes=room, members=most)
    found = grouping.parts("x", [member(name) for name in "abcd"], held, settings)
    assert ["".join(m.scenario.id for m in part) for part in found] == names


def test_a_baseline_alone_is_a_group() -> None:
    assert grouping.parts("x", [], {"x": 1 << 60}, load(None, {})) == [[]]


@pytest.mark.parametrize(
    ("looks", "launch_s", "expected"),
    [((4, 6), 10.0, (4, 6)), ((4, 6), 500.0, (2,)), ((2,), 500.0, (2,)), ((1,), 500.0, (1,))],
)
def test_long_launches_are_few(
    looks: tuple[int, ...], launch_s: float, expected: tuple[int, ...]
) -> None:
    found, warning = grouping.affordable(looks, launch_s, PROFILES["quick"])
    assert found == expected
    assert ("launched 2 times, not up to 6: a launch takes 500 s" in warning) == (looks != found)


def test_warnings_are_added() -> None:
    launch = Launch("infer/x", "cpu-1", warnings=("one",))
    assert grouping.warned(launch, "") is launch
    assert grouping.warned(launch, "two").warnings == ("one", "two")


def test_limits_grow_with_the_workload() -> None:
    quick = PROFILES["quick"]
    assert scaled(quick, 2.0) == quick
    assert scaled(quick, 100.0).timeout_s == 2000.0
