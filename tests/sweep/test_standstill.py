"""What a group makes of turns in which everything stood still."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bench.results.effects import LEFT_OUT
from bench.sweep.members import Member
from tests.sweep.test_groups import Pool, Process, member, run


class Standing(Pool):
    """Of these turns of `b` it is noticed by the launch, or by who waits for it."""

    def __init__(self, by_launch: set[int], by_parent: set[int]) -> None:
        super().__init__()
        self.by_launch, self.by_parent = by_launch, by_parent
        self.paused = 0

    def start(self, member: Member, configuration: Any, padding: int) -> Process:
        super().start(member, configuration, padding)
        return Disturbed(self, member.scenario.id)


class Disturbed(Process):
    pool: Standing

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        answer = super().call(do, timeout_s, **arguments)
        if do == "turn" and self.name == "b":
            turn = self.pool.turns.count("b") - 1
            answer["stood_still"] = turn in self.pool.by_launch
            self.stood_still_s += 2.0 * (turn in self.pool.by_parent)
        return answer

    def pause(self) -> None:
        super().pause()
        self.pool.paused += 1


def measured(pool: Standing, unit: str = "step") -> Any:
    members = [member("a", "baseline", unit), member("b", "candidate", unit)]
    return run(pool, members)


def test_its_turns_are_left_out_and_counted() -> None:
    pool = Standing({1}, {4})
    base, own = measured(pool)
    whole = measured(Standing(set(), set()))[1]
    assert (own.outcome, own.probes[LEFT_OUT]) == ("ok", 2)
    assert len(own.turns) == len(whole.turns) - 2 == len(base.turns) - 2
    assert own.level == pytest.approx(whole.level)
    assert LEFT_OUT not in base.probes


def test_waiting_members_are_stopped_again() -> None:
    calm, disturbed = Standing(set(), set()), Standing({1}, {4})
    measured(calm)
    measured(disturbed)
    assert disturbed.paused == calm.paused + 2 * 2


class Broken(Process):
    pool: Clock

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        answer = super().call(do, timeout_s, **arguments)
        if do == "turn" and self.name == "b":
            answer["elapsed_ns"] = self.pool.time
        return answer


class Clock(Pool):
    def __init__(self, time: float) -> None:
        super().__init__()
        self.time = time

    def start(self, member: Member, configuration: Any, padding: int) -> Process:
        super().start(member, configuration, padding)
        return Broken(self, member.scenario.id)


@pytest.mark.faults(
    "In a launch", {"a time of 0, infinity or NaN": "`failed`; never a figure of it"}
)
@pytest.mark.parametrize("time", [0, -1, math.inf, math.nan])
def test_what_is_no_time_is_none(time: float) -> None:
    base, own = run(Clock(time), [member("a", "baseline"), member("b")])
    assert base.outcome == "ok"
    assert (own.outcome, own.turns) == ("failed", ())
    assert own.reason == f"a turn took {time} ns by its clock: no time"


@pytest.mark.faults("In a launch", {"a turn of ten minutes": "two turns a launch; the row says so"})
def test_a_turn_of_ten_minutes() -> None:
    base, own = run(Pool({"b": 600e9}), [member("a", "baseline"), member("b")])
    assert [turn.elapsed_ns for turn in own.turns] == [600e9, 600e9]
    assert own.warnings == ("steps of more than 5 s: few turns a launch",)
    assert len(base.turns) > 2


@pytest.mark.faults("In a launch", {"the only turn of a job stands still": "`failed`, and why"})
def test_without_any_turn_it_fails() -> None:
    _, own = measured(Standing({0}, set()), unit="job")
    assert own.outcome == "failed"
    assert own.reason == ("the machine or its processes stood still in its turns: measure it again")
