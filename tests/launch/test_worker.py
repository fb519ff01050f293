"""What a launch does around its turns, with a path that only counts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from bench.launch import worker
from bench.launch.timing import frames, turns
from bench.launch.worker import LaunchProcess
from bench.results.values import Scenario

STEP_NS = 1_000_000
PAUSE_NS = 20_000_000


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> LaunchProcess:
    """A warm launch whose pages take 20 ms to renew, and whose steps take 1 ms."""
    made = object.__new__(LaunchProcess)  # not set up: that would pin the tests' own process
    made.scenario = Scenario("input/x", "input", "", "", "", "", 0)
    made._waiting_since = None
    made._waited, made._worked = [0.0, 0.0], [0.0, 0.0]
    made._step_ns, made._kept_ns = STEP_NS, 0
    made._drawn_s = worker._others_s()

    def renew(step: Any) -> int:
        step()
        time.sleep(PAUSE_NS / 1e9)
        return 900

    monkeypatch.setattr(frames, "renew", renew)
    monkeypatch.setattr(turns, "_gpus", False)  # or TensorFlow would be asked
    return made


def steps(process: LaunchProcess, ahead: bool, do: Callable[[], Any]) -> int:
    """Steps made by a turn of two after `do`, of a path that makes results ahead, or does not."""
    count = itertools.count()

    def advance(_: object) -> int:
        time.sleep(STEP_NS / 1e9)
        return next(count)

    process.path = type("Path", (), {"advance": advance})()
    process.timer = turns.Timer(process.path.advance, lambda _: None, ahead=ahead)
    process.turn(2)
    do()
    before = next(count)
    process.turn(2)
    return next(count) - before - 1


def test_what_a_pipeline_made_while_its_pages_moved_is_drawn_before_the_next_turn(
    process: LaunchProcess,
) -> None:
    assert steps(process, True, process.renew) >= PAUSE_NS // STEP_NS + 2


def test_what_its_threads_made_before_they_were_stopped_is_drawn_too(
    process: LaunchProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        made = worker._others_s() + PAUSE_NS / 1e9
        monkeypatch.setattr(worker, "_others_s", lambda: made)

    monkeypatch.setattr(worker, "_share", lambda spent: 0.5)  # of a core, in turns
    assert steps(process, True, work) >= PAUSE_NS // STEP_NS / 0.5 + 2


def test_before_a_turn_that_nothing_kept_waiting_few_steps_are_made(
    process: LaunchProcess,
) -> None:
    assert steps(process, True, lambda: None) <= 2 + 5  # 1 ms, or what the tests' threads used


def test_a_path_that_makes_nothing_ahead_makes_no_more_steps(process: LaunchProcess) -> None:
    assert steps(process, False, process.renew) == 2 + 1
