"""The work that rivals time: one answer of the same LiteRT model, slowed by a known share.

pytest-benchmark, benchmatrix (paired runs of a test) and pyperf are given this file.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MODEL, SLOWDOWN, MATRIX = "PRECISION_MODEL", "PRECISION_SLOWDOWN", "PRECISION_MATRIX"
"""Environment variables that tell a rival's process what to time; the last: as a matrix."""


def step() -> Callable[[], object]:
    """A function that answers the next of 16 inputs and then spins for the wanted share of it."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=os.environ[MODEL], num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rng = np.random.default_rng(0)
    inputs = [rng.random(source["shape"]).astype(source["dtype"]) for _ in range(16)]
    put, invoke, get = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
    calls = 0

    def answer() -> object:
        nonlocal calls
        calls += 1
        put(source["index"], inputs[calls % 16])
        invoke()
        return get(target["index"])

    return slowed(answer, float(os.environ.get(SLOWDOWN, "0")))


def slowed(
    answer: Callable[[], object], share: float, clock: Callable[[], int] = time.perf_counter_ns
) -> Callable[[], object]:
    """Each answer followed by busy-waiting, the fastest too: a rule on the minimum looks at it.

    With a share of 0 it reads the clock as often as a short wait does, so that this cancels.
    """

    def slow() -> object:
        start = clock()
        result = answer()
        end = clock()
        until = end + (end - start) * share
        while clock() < until:
            pass
        return result

    return slow


if os.environ.get(MATRIX):
    from benchmatrix import BenchmarkCase, make_benchmark_test

    answer = step()
    test_step = make_benchmark_test(
        {"litert": lambda _: answer()},
        [BenchmarkCase.from_values("one", [0], work_units=1, work_unit_name="answers")],
        metrics=("single_call_latency",),
    )
else:

    def test_step(benchmark: Any) -> None:
        """One answer."""
        benchmark(step())


def export(path: Path, cache: str) -> None:
    """Write the int8 model of the default workload to `path`; imports TensorFlow."""
    from bench.results.values import WorkloadSpec
    from scenarios.core import training
    from scenarios.core.workload import Workload
    from scenarios.infer.litert import litert_int8

    workload = Workload(WorkloadSpec(cache=cache), threads=1, maker="precision")
    training.prepare(workload)
    shutil.copy(str(litert_int8(workload).artifact), path)


if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        export(Path(sys.argv[2]), sys.argv[3])
    else:
        import pyperf

        pyperf.Runner().bench_func("step", step())
