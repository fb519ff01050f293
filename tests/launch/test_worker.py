"""What a launch does around its turns, with a path that only counts."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from bench.launch import frames, turns
from bench.launch.worker import LaunchProcess

STEP_NS = 1_000_000
PAUSE_NS = 20_000_000


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> LaunchProcess:
    """A warm launch whose pages take 20 ms to renew, and whose steps take 1 ms."""
    made = object.__new__(LaunchProcess)  # not set up: that would pin the tests' own process
    made._waiting_since = None
    made._step_ns = STEP_NS

    def renew(step: Any) -> int:
        step()
        time.sleep(PAUSE_NS / 1e9)
        return 900

    monkeypatch.setattr(frames, "renew", renew)
    monkeypatch.setattr(turns, "_gpus", False)  # or TensorFlow would be asked
    return made


def draws(process: LaunchProcess, ahead: bool) -> int:
    """Steps made in a renewal of a path that makes results ahead, or does not."""
    count = itertools.count()
    process.path = type("Path", (), {"advance": lambda _: next(count)})()
    process.timer = turns.Timer(process.path.advance, lambda _: None, ahead=ahead)
    assert process.renew() == {"pages": 900}
    return next(count)


def test_what_a_pipeline_made_while_its_pages_moved_is_drawn_before_the_next_turn(
    process: LaunchProcess,
) -> None:
    assert draws(process, ahead=True) >= 1 + PAUSE_NS // STEP_NS


def test_a_path_that_makes_nothing_ahead_makes_one_step_on_its_new_pages(
    process: LaunchProcess,
) -> None:
    assert draws(process, ahead=False) == 1
