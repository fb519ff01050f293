"""Inside a diagnosis: a path's step timed whole and with one part taken away, in turns.

Run as `python -m bench.launch.ablation REQUEST` (JSON); the answer is the last line printed. What
is left of a step's time when a part is gone says what that part costs, whatever a trace claims.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
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
ONE_CORE = "one core"
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
    from bench.launch import setup

    configuration = from_json(Configuration, request["configuration"])
    scenario = from_json(Scenario, request["scenario"])
    setup.process(configuration, 0)
    setup.tensorflow(configuration, scenario.devices)

    from bench.launch import ceilings, subject, trace
    from bench.launch.turns import finish
    from scenarios.core import Workload, training

    workload = Workload(
        from_json(WorkloadSpec, request["workload"]),
        configuration.threads,
        devices=scenario.devices,
    )
    training.prepare(workload)
    build = _function(scenario)
    whole = subject.split(build(workload, **scenario.arguments))
    for _ in range(3):
        finish(whole.advance())
    variants, facts = _variants(whole, scenario, lambda: build(workload, **scenario.arguments))
    facts |= _drawing(whole)
    facts |= _storage(whole.dataset, facts["file_bytes_per_step"])
    seconds = _turns(variants, facts["drawing_s"] > REAL_DRAWING_S)
    facts["dram_bytes_per_s"] = ceilings.bandwidth("dram", configuration.threads)
    facts["float32_flop_per_s"] = ceilings.product("float32")
    recorded = trace.record(whole.advance, Path(request["traces"]), request["host"])
    return {"seconds": seconds, "facts": facts, "trace": recorded}


def _variants(
    whole: Any, scenario: Scenario, rebuild: Callable[[], Any]
) -> tuple[dict[str, Callable[[], Any]], dict[str, Any]]:
    """The step as it is and with parts taken away, and what is known of its graph.

    `full`: draw and step. `cached`: the step on one batch again and again. `pipeline`: draw alone.
    `half`: the step on half a batch. `one core`: the cached step with all threads on one core.
    `graph`: the step as one tf.function. `products`: its matrix products alone. `twice`: the step
    as one tf.function that does each product twice. `silent`: its replicas do not communicate.
    """
    import tensorflow as tf

    from bench.launch import subject

    batch = whole.draw()
    facts: dict[str, Any] = {"examples": whole.examples}
    variants: dict[str, Callable[[], Any]] = {
        "full": whole.advance,
        "cached": lambda: whole.step(*batch),
        "pipeline": lambda: (whole.draw(), None)[1],  # a batch is made, but not read back
    }
    half = subject.first_half(batch)
    if half is not None and _works(lambda: whole.step(*half)):
        variants["half"] = lambda: whole.step(*half)
    if len(os.sched_getaffinity(0)) > 1:
        variants[ONE_CORE] = lambda: whole.step(*batch)
    function = whole.step
    if not hasattr(function, "get_concrete_function"):
        function = tf.function(whole.step, autograph=False)
        if _works(lambda: function(*batch)):
            variants["graph"] = lambda: function(*batch)
    facts |= _graph_facts(function, batch, variants)
    if scenario.devices > 1:
        with subject.without_communication():
            silent = subject.split(rebuild())
            if _works(lambda: silent.step(*batch)):
                variants["silent"] = lambda: silent.step(*batch)
    return variants, facts


def _graph_facts(
    function: Any, batch: Any, variants: dict[str, Callable[[], Any]]
) -> dict[str, Any]:
    """What the step's graph holds; adds `products` and `twice` where the products can be had."""
    from bench.launch import replay

    try:
        concrete = function.get_concrete_function(*batch)
        products = replay.of(concrete.graph)
        twice = replay.doubled(concrete, batch)
    except Exception as error:  # a step that cannot be traced has no graph to look into
        return {"not_counted": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    for name, call in (("products", products.call), ("twice", twice)):
        if call is not None and _works(call):
            variants[name] = call
    return {
        "products": products.operations,
        "flops": products.flops,
        "other_bytes": products.other_bytes,
    }


def _works(call: Callable[[], Any]) -> bool:
    """Whether a variant runs at all; a path may be such that a part cannot be taken away."""
    from bench.launch.turns import finish

    try:
        finish(call())
        finish(call())
    except Exception as error:
        print(f"left out: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    return True


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
    from bench.launch import storage

    if dataset is None or file_bytes_per_step < LEAST_READ:
        return {}
    rates = storage.bytes_per_s(storage.files_of(dataset))
    return {f"storage_{name}_s": file_bytes_per_step / rate for name, rate in rates.items()}


def _turns(variants: dict[str, Callable[[], Any]], slow_drawing: bool) -> dict[str, list[float]]:
    """Seconds a step of each variant, one value a round, in a new order each round."""
    from bench.launch.turns import finish

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
    from bench.launch import setup

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


def _function(scenario: Scenario) -> Callable[..., Any]:
    """The function that builds the path; a module's name or the path of a .py file."""
    if not scenario.module.endswith(".py"):
        module = importlib.import_module(scenario.module)
    else:
        spec = importlib.util.spec_from_file_location("tfbench_subject", scenario.module)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    found: Callable[..., Any] = getattr(module, scenario.function)
    return found


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print(json.dumps(main(json.loads(sys.argv[1]))))
