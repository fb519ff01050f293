"""Inside a diagnosis: a path's step timed whole and with one part taken away, in turns.

Run as `python -m bench.launch.analysis.ablation REQUEST` (JSON); the answer is the last
line printed. What is left of a step's time when a part is gone says what that part costs, whatever
a trace claims.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.results.values import Configuration, Scenario, WorkloadSpec, from_json

TURN_S = 0.1
ROUNDS = 7
LEAST_ROUNDS = 5
BUDGET_S = 12.0
"""Fewer rounds where they would take longer than this in all."""
SETTLE_S = 0.5
DRAIN_STEPS, DRAIN_S = 16, 1.0
"""Batches drawn before a pipeline is timed, or this long: what was prepared while others had
their turns must be used up first."""
DRAWING_STEPS, DRAWING_S = 8, 0.5
"""Least steps of a timed turn that draws from a pipeline, or this long."""
DRAWING = ("full", "pipeline")
LEAST_READ = 1024
"""Bytes of files a step below which a pipeline does not read files."""
REAL_DRAWING_S = 50e-6
"""Drawing a batch that lies in memory takes less."""


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Build the path and take its step apart.

    Args:
        request: `scenario` (module, function, arguments, devices), `configuration`, `workload`,
            `traces` (folder) and `host`.

    Returns:
        `seconds`: seconds a step by variant, one value a round; `facts` that go with them; `trace`.
    """
    from bench.launch import devices
    from bench.launch.analysis import subject, trace, variants
    from bench.launch.devices import finish
    from bench.launch.timing import setup
    from bench.launch.workloads import factory
    from bench.results.loading import find_users, module

    configuration = from_json(Configuration, request["configuration"])
    scenario = from_json(Scenario, request["scenario"])
    spec = from_json(WorkloadSpec, request["workload"])
    setup.process(configuration, 0)
    devices.set_up(configuration, scenario.devices)
    workloads = factory(spec.workloads)
    find_users()
    prepared = workloads.make(spec, configuration.threads, scenario.devices)
    prepared.prepare()
    workload = prepared.workload
    build = getattr(module(scenario.module), scenario.function)
    whole = subject.split(build(workload, **scenario.arguments))
    for _ in range(3):
        finish(whole.advance())
    calls, facts = variants.of(whole, scenario, lambda: build(workload, **scenario.arguments))
    facts |= _drawing(whole)
    facts |= _storage(whole.dataset, facts["file_bytes_per_step"])
    peaks = [_peaks(configuration.threads)]
    seconds = _turns(calls, facts["drawing_s"] > REAL_DRAWING_S)
    peaks.append(_peaks(configuration.threads))
    facts |= {name: max(each[name] for each in peaks) for name in peaks[0]}
    recorded = trace.record_undisturbed(
        whole.advance, Path(request["traces"]), request["host"], min(seconds["full"])
    )
    return {"seconds": seconds, "facts": facts, "trace": recorded}


def _peaks(threads: int) -> dict[str, float]:
    """What the machine can do now; taken before and after the turns, as others may slow it."""
    from bench.launch.analysis import ceilings

    return {
        "dram_bytes_per_s": ceilings.bandwidth("dram", threads),
        "float32_flop_per_s": ceilings.product("float32"),
    }


def _drawing(whole: Any) -> dict[str, Any]:
    """What drawing batches costs beside time: CPU time ÷ wall time, and bytes read."""
    for _ in range(DRAIN_STEPS):
        whole.draw()
    before, cpu, wall = _read_bytes(), _cpu_s(), time.perf_counter()
    drawn = 0
    while time.perf_counter() - wall < 2 * TURN_S or drawn < DRAWING_STEPS:
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
    from bench.launch.analysis import storage

    if dataset is None or file_bytes_per_step < LEAST_READ:
        return {}
    rates = storage.bytes_per_s(storage.files_of(dataset))
    return {f"storage_{name}_s": file_bytes_per_step / rate for name, rate in rates.items()}


def _turns(variants: dict[str, Callable[[], Any]], slow_drawing: bool) -> dict[str, list[float]]:
    """Seconds a step of each variant, one value a round, in a new order each round."""
    from bench.launch.analysis.variants import ONE_CORE
    from bench.launch.devices import finish

    steps = {name: _fitting(call, finish) for name, call in variants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    order, random_order = list(variants), random.Random(0)
    begun = time.perf_counter()
    for number in range(ROUNDS):
        random_order.shuffle(order)
        for name in order:
            _settle()
            drains = slow_drawing and name in DRAWING
            with _on_one_core(name == ONE_CORE):
                seconds[name].append(_turn(variants[name], steps[name], drains, finish))
        if number + 1 >= LEAST_ROUNDS and time.perf_counter() - begun > BUDGET_S:
            break
    return seconds


def _fitting(call: Callable[[], Any], finish: Callable[[Any], None]) -> int:
    """Steps that fit into a turn, seen over a whole turn: a full prefetch buffer costs nothing."""
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < TURN_S:
        finish(call())
        done += 1
    return done


def _turn(
    call: Callable[[], Any], steps: int, drains: bool, finish: Callable[[Any], None]
) -> float:
    if drains:
        _run(call, max(steps, DRAIN_STEPS), DRAIN_S, finish)
        return _run(call, max(steps, DRAWING_STEPS), DRAWING_S, finish)
    _run(call, steps, math.inf, finish)  # brings code and data back into the caches
    return _run(call, steps, math.inf, finish)


def _run(
    call: Callable[[], Any], steps: int, limit_s: float, finish: Callable[[Any], None]
) -> float:
    """Seconds a step over `steps` steps, or as many as fit into the limit (1 at least)."""
    done, begun = 0, time.perf_counter()
    while done < steps and time.perf_counter() - begun < limit_s:
        finish(call())
        done += 1
    return (time.perf_counter() - begun) / done


@contextlib.contextmanager
def _on_one_core(wanted: bool) -> Iterator[None]:
    """Within, every thread of this process shares the first of its cores."""
    from bench.launch.timing import setup

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


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print(json.dumps(main(json.loads(sys.argv[1]))))
