"""Groups are as large as memory allows."""

from __future__ import annotations

import pytest

from bench.sweep import grouping
from bench.sweep.describing import scaled
from bench.sweep.pieces import Seat
from bench.sweep.settings import PROFILES


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
    found = grouping.parts("x", [Seat(name, "c") for name in "abcd"], held, most, room)
    assert ["".join(seat.scenario for seat in part) for part in found] == names


def test_a_baseline_alone_is_a_group() -> None:
    assert grouping.parts("x", [], {"x": 1 << 60}, 10, 0) == [[]]


def test_limits_grow_with_the_workload() -> None:
    quick = PROFILES["quick"]
    assert scaled(quick, 2.0) == quick
    assert scaled(quick, 100.0).timeout_s == 2000.0
