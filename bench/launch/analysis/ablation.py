"""A path's step as it is and with one part taken away: variants that take turns in one launch.

What is left of a step's time when a part is gone says what that part costs, whatever a trace
claims.
"""

from __future__ import annotations

import contextlib
import math
import os
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.launch.analysis import ceilings, storage, subject, trace, variants
from bench.launch.devices import finish
from bench.launch.timing import setup, turns
from bench.launch.timing.launch import TimedLaunch
from bench.results.values import Scenario

SETTLE_S = 0.5
DRAIN_STEPS, DRAIN_S = 16, 1.0
"""Batches drawn before a pipeline is timed, or this long: what was prepared while others had
their turns must be used up first."""
DRAWING_STEPS, DRAWING_S = 8, 0.5
"""Least steps of a timed turn that draws from a pipeline, or this long."""
LOOKED_AT_S = 0.2
"""How long batches are drawn to see what that costs beside time."""
DRAWING = ("full", "pipeline")
LEAST_READ = 1024
"""Bytes of files a step below which a pipeline does not read files."""
REAL_DRAWING_S = 50e-6
"""Drawing a batch that lies in memory takes less."""


class Variant(TimedLaunch):
    """One way to make the step; it shares its process, which is quiet before each turn.

    Args:
        call: Makes the step.
        draws: It draws from a pipeline, which works on while others have their turns.
        alone: All threads of the process share one core meanwhile.
    """

    def __init__(self, call: Callable[[], Any], draws: bool, alone: bool) -> None:
        super().__init__()
        self.timer = turns.Timer(call, finish, each=True, ahead=draws)
        self.draws, self.alone, self.steps = draws, alone, 1

    def warm(self, turn_ns: int, cap_ns: int) -> dict[str, Any]:
        """Warm up; turns that draw are long enough to find the pipeline's own pace."""
        _settle()
        with _on_one_core(self.alone):
            answer = super().warm(turn_ns, cap_ns)
        self.steps = answer["steps"]
        if self.draws:
            self.steps = max(self.steps, self._within(DRAWING_STEPS, DRAWING_S))
        return answer | {"steps": self.steps}

    def turn(self, steps: int) -> dict[str, Any]:
        """One timed turn."""
        _settle()
        with _on_one_core(self.alone):
            return super().turn(steps)

    def trace(self, folder: str, host: str, fastest_s: float) -> dict[str, Any]:
        """Record a Profiler trace of steps that nothing disturbed."""
        recorded = trace.record_undisturbed(self.timer.advance, Path(folder), host, fastest_s)
        return {"trace": recorded}

    def _made_ahead(self) -> int:
        return self._within(max(self.steps, DRAIN_STEPS), DRAIN_S) if self.draws else 0

    def _within(self, steps: int, limit_s: float) -> int:
        """So many steps, or as many as take this long."""
        return min(steps, math.ceil(1e9 * limit_s / self._step_ns))


def take_apart(
    path: Any, scenario: Scenario, rebuild: Callable[[], Any]
) -> tuple[dict[str, TimedLaunch], dict[str, Any], dict[str, str]]:
    """The variants of a freshly built path, facts that go with them, and why some are missing."""
    whole = subject.split(path)
    for _ in range(3):
        finish(whole.advance())
    calls, facts, missing = variants.of(whole, scenario, rebuild)
    facts |= _drawing(whole)
    facts |= _storage(whole.dataset, facts["file_bytes_per_step"])
    slow = facts["drawing_s"] > REAL_DRAWING_S
    made: dict[str, TimedLaunch] = {
        name: Variant(call, slow and name in DRAWING, name == variants.ONE_CORE)
        for name, call in calls.items()
    }
    return made, facts, missing


def peaks(threads: int) -> dict[str, float]:
    """What the machine can do now; taken before and after the turns, as others may slow it."""
    return {
        "dram_bytes_per_s": ceilings.bandwidth("dram", threads),
        "float32_flop_per_s": ceilings.product("float32"),
    }


def _drawing(whole: subject.Subject) -> dict[str, Any]:
    """What drawing batches costs beside time: CPU time ÷ wall time, and bytes read."""
    for _ in range(DRAIN_STEPS):
        whole.draw()
    before, cpu, wall = _read_bytes(), _cpu_s(), time.perf_counter()
    drawn = 0
    while time.perf_counter() - wall < LOOKED_AT_S or drawn < DRAWING_STEPS:
        whole.draw()
        drawn += 1
    spent = time.perf_counter() - wall
    after = _read_bytes()
    return {
        "drawing_s": spent / drawn,
        "drawing_cpu": (_cpu_s() - cpu) / spent,
        "file_bytes_per_step": (after[0] - before[0]) / drawn,
        "disk_bytes_per_step": (after[1] - before[1]) / drawn,
    }


def _storage(dataset: Any, file_bytes_per_step: float) -> dict[str, float]:
    """Seconds a step that storage alone takes for a pipeline's files, cold and warm."""
    if dataset is None or file_bytes_per_step < LEAST_READ:
        return {}
    rates = storage.bytes_per_s(storage.files_of(dataset))
    return {f"storage_{name}_s": file_bytes_per_step / rate for name, rate in rates.items()}


@contextlib.contextmanager
def _on_one_core(wanted: bool) -> Iterator[None]:
    """Within, every thread of this process shares the first of its cores."""
    cores = os.sched_getaffinity(0)
    if wanted:
        setup.pin({min(cores)})
    try:
        yield
    finally:
        if wanted:
            setup.pin(cores)


def _settle() -> None:
    """Wait until background threads are quiet (a prefetch buffer is full, say)."""
    until = time.perf_counter() + SETTLE_S
    while time.perf_counter() < until:
        cpu = _cpu_s()
        time.sleep(0.02)
        if _cpu_s() - cpu < 0.002:
            return


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _read_bytes() -> tuple[int, int]:
    """Bytes read from files, and those that came from storage."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0, 0
    values = dict(line.split(": ") for line in lines)
    return int(values["rchar"]), int(values["read_bytes"])
