"""A launch of a user's function: its turns, what it allocates, and where its time goes."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

from bench.launch.code import instructions, profiling
from bench.launch.timing import setup
from bench.launch.timing.callables import CallableLaunch
from bench.launch.timing.launch import TimedLaunch
from bench.launch.timing.turns import Timer
from bench.results.errors import LaunchError, UsageError, one_line

REPEATS, MOST_PROBE_S = 20, 0.5
"""Calls that a probe makes at most to find the peak of memory, and the time for them."""
TRACED = 5
"""Calls whose allocations are counted."""
KEPT_BYTES = 256
"""Growth a call from which on a function is said to keep something."""


class CodeLaunch(CallableLaunch):
    """One fresh process that calls a function.

    Args:
        timer: Of the function.
        other: Root of the other version, from which nothing may be imported.
        job: The function may be called once in a process.
    """

    collects = True  # what a user's code leaves to the garbage collector is a part of its cost

    def __init__(self, timer: Timer, other: str = "", job: bool = False) -> None:
        TimedLaunch.__init__(self)
        self.timer, self.job, self._other = timer, job, other
        self.result: Any = None

    def build(self, first_step: bool = True) -> dict[str, Any]:
        """Make the first call, unless a launch has only one."""
        self._check_origin()
        resident = setup.resident_bytes()
        answer = {"build_s": 0.0, "resident_bytes": resident, "examples_per_step": 1}
        if not self.job and first_step:
            begun = time.perf_counter()
            self.result = self.timer.advance()
            answer["first_step_s"] = time.perf_counter() - begun
            self._check_origin()  # the call may have imported more
        self.stays()
        return answer

    def probe(self) -> dict[str, Any]:
        """Peak memory and, of what may be called again, the bytes that a call allocates, and its
        instructions where they are counted.
        """
        with contextlib.suppress(OSError):
            setup.reset_peak()
        begun = time.perf_counter()
        self.result = self.timer.advance()
        one_s = time.perf_counter() - begun
        facts: dict[str, Any] = {}
        if not self.job:
            try:
                for _ in range(min(REPEATS, int(MOST_PROBE_S / max(one_s, 1e-6)))):
                    self.timer.advance()
                facts = self._allocated(one_s)
            except Exception as error:
                raise LaunchError(
                    f"it can be called once, not again ({one_line(error)}): it changes what it "
                    "works on, which a setup has to make anew"
                ) from None
        self._check_origin()
        return {"peak_memory_bytes": setup.peak_resident_bytes(), "probes": facts}

    def profile(self, wanted_s: float, root: str) -> dict[str, Any]:
        """Calls and self time a step of each function, sampled for so many seconds."""
        return {"functions": profiling.profile(self.timer.advance, wanted_s, root)}

    def _allocated(self, one_s: float) -> dict[str, Any]:
        if one_s > MOST_PROBE_S:
            return {}
        gc.collect()
        counted = instructions.of_call(self.timer.advance)
        tracemalloc.start()
        try:
            self.timer.advance()  # caches that Python itself fills
            peaks, kept = [], []
            for _ in range(TRACED):
                before = tracemalloc.get_traced_memory()[0]
                tracemalloc.reset_peak()
                self.timer.advance()
                peaks.append(tracemalloc.get_traced_memory()[1] - before)
                gc.collect()  # what waits for the collector is not kept
                kept.append(tracemalloc.get_traced_memory()[0] - before)
        finally:
            tracemalloc.stop()
        found: dict[str, Any] = {"allocated_bytes": sorted(peaks)[TRACED // 2]}
        if min(kept) >= KEPT_BYTES:
            found["kept_bytes"] = min(kept)
        return found if counted is None else {**found, "instructions": counted}

    def _check_origin(self) -> None:
        """Refuse what was imported from the other version: it would be compared with itself."""
        if not self._other:
            return
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            if file and Path(os.path.realpath(file)).is_relative_to(self._other):
                raise UsageError(
                    f"{name} was imported from the other version ({file}): give --install, such as "
                    "--install 'pip install .', so that each version has its own"
                )
