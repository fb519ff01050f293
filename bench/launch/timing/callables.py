"""A launch of a function without arguments, in any interpreter that can import the function."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.launch.timing import setup, turns
from bench.launch.timing.launch import TimedLaunch
from bench.results.values import Configuration


class CallableLaunch(TimedLaunch):
    """One fresh process that calls a function; a step is one call."""

    def __init__(self, call: Callable[[], Any], configuration: Configuration, padding: int) -> None:
        super().__init__()
        self.padding = setup.process(configuration, padding)
        self.timer = turns.Timer(call, turns.read)

    def build(self) -> dict[str, Any]:
        """Make the first call; there is nothing to build."""
        resident = setup.resident_bytes()
        begun = time.perf_counter()
        self.timer.finish(self.timer.advance())
        self.stays()
        return {
            "build_s": 0.0,
            "first_step_s": time.perf_counter() - begun,
            "resident_bytes": resident,
            "examples_per_step": 1,
        }
