"""Where a function's time goes: calls are counted in one pass, samples are taken in another."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

INTERVAL_S = 0.001
MOST_FUNCTIONS = 200
PATIENCE = 4
"""Times the time for sampling that it may take where another program has the core."""
COUNTED_S = 2.0
"""Time that counting calls may take; longer steps are counted once."""


def profile(step: Callable[[], Any], wanted_s: float, root: str) -> list[dict[str, Any]]:
    """Functions with their calls and their self time a step, in ns; the longest first.

    Args:
        step: Makes one step.
        wanted_s: CPU time for sampling.
        root: Folder of the code; names are relative to it, so that those of two versions agree.
    """
    counts, counted = _counted(step)
    samples, step_ns = _sampled(step, wanted_s)
    total = sum(samples.values()) or 1
    names: dict[str, list[float]] = {}
    for code in {*counts, *samples}:
        entry = names.setdefault(_name(code, root), [0.0, 0.0])
        entry[0] += counts[code] / counted
        entry[1] += step_ns * samples[code] / total
    order = sorted(names, key=lambda name: (-names[name][1], -names[name][0], name))
    return [
        {"name": name, "calls": names[name][0], "self_ns": names[name][1]}
        for name in order[:MOST_FUNCTIONS]
    ]


def _counted(step: Callable[[], Any]) -> tuple[Counter[CodeType], int]:
    """Calls of Python functions over some steps, and how many steps."""
    calls: Counter[CodeType] = Counter()

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    begun, steps = time.perf_counter(), 0
    while steps < 3 and (not steps or time.perf_counter() - begun < COUNTED_S):
        sys.setprofile(seen)
        try:
            step()
        finally:
            sys.setprofile(None)
        steps += 1
    for code in [c for c in calls if c.co_filename == __file__]:
        del calls[code]
    return calls, steps


def _sampled(step: Callable[[], Any], wanted_s: float) -> tuple[Counter[CodeType], float]:
    """Samples of the innermost Python function, and ns a step.

    Time in a C function is that of the Python function that called it.
    """
    samples: Counter[CodeType] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        if frame is not None and frame.f_code.co_filename != __file__:
            samples[frame.f_code] += 1

    before = signal.signal(signal.SIGPROF, sample)
    begun, used, steps = time.perf_counter_ns(), time.process_time(), 0

    def enough() -> bool:
        """Samples come by CPU time, of which a busy machine gives little."""
        waited_s = (time.perf_counter_ns() - begun) / 1e9
        return time.process_time() - used >= wanted_s or waited_s >= PATIENCE * wanted_s

    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        while not steps or not enough():
            step()
            steps += 1
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
    return samples, (time.perf_counter_ns() - begun) / steps


def _name(code: CodeType, root: str) -> str:
    """`file:function`, the file below the root or by its last two parts."""
    file = os.path.realpath(code.co_filename)
    if file.startswith(root + os.sep):
        shown = os.path.relpath(file, root)
    else:
        shown = "/".join(Path(file).parts[-2:])
    return f"{shown}:{getattr(code, 'co_qualname', code.co_name)}"
