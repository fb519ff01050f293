"""What a launch does around its turns, with a path that only counts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from bench.launch.timing import launch, memory, turns
from bench.launch.timing.launch import TimedLaunch

STEP_NS = 1_000_000
PAUSE_NS = 20_000_000


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> TimedLaunch:
    """A warm launch whose memory takes 20 ms to remap, and whose steps take 1 ms."""
    made = TimedLaunch()
    made._step_ns = STEP_NS

    def remap(step: Any) -> int:
        step()
        time.sleep(PAUSE_NS / 1e9)
        return 900

    monkeypatch.setattr(memory, "remap", remap)
    return made


def steps(process: TimedLaunch, ahead: bool, do: Callable[[], Any]) -> int:
    """Steps made by a turn of two after `do`, of a path that makes results ahead, or does not."""
    count = itertools.count()

    def advance() -> int:
        time.sleep(STEP_NS / 1e9)
        return next(count)

    process.timer = turns.Timer(advance, lambda _: None, ahead=ahead)
    process.turn(2)
    do()
    before = next(count)
    process.turn(2)
    return next(count) - before - 1


def test_what_a_pipeline_made_while_its_memory_was_remapped_is_drawn_before_the_next_turn(
    process: TimedLaunch,
) -> None:
    assert steps(process, True, process.remap) >= PAUSE_NS // STEP_NS + 2


def test_what_its_threads_made_before_they_were_stopped_is_drawn_too(
    process: TimedLaunch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work() -> None:
        made = launch.others_s() + PAUSE_NS / 1e9
        monkeypatch.setattr(launch, "others_s", lambda: made)

    monkeypatch.setattr(launch, "share", lambda spent: 0.5)  # of a core, in turns
    assert steps(process, True, work) >= PAUSE_NS // STEP_NS / 0.5 + 2


def test_before_a_turn_that_nothing_kept_waiting_few_steps_are_made(
    process: TimedLaunch,
) -> None:
    assert steps(process, True, lambda: None) <= 2 + 5  # 1 ms, or what the tests' threads used


def test_a_path_that_makes_nothing_ahead_makes_no_more_steps(process: TimedLaunch) -> None:
    assert steps(process, False, process.remap) == 2 + 1
