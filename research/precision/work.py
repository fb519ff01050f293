"""The work that rivals time: one answer of the same LiteRT model, slowed by a known share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

MODEL, SLOWDOWN = "PRECISION_MODEL", "PRECISION_SLOWDOWN"
"""Environment variables that tell a rival's process what to time."""


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
    """Each answer followed by a spin, the fastest too: a rule on the minimum looks at that one.

    With a share of 0 it reads the clock as often as a short spin does, so that this cancels.
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


def export(path: Path, cache: str) -> None:
    """Write the int8 model of the default workload to `path`; imports TensorFlow."""
    import shutil

    from bench.results.values import WorkloadSpec
    from scenarios.core import training
    from scenarios.core.workload import Workload
    from scenarios.infer.litert import litert_int8

    workload = Workload(WorkloadSpec(cache=cache), threads=1, maker="precision")
    training.prepare(workload)
    shutil.copy(str(litert_int8(workload).artifact), path)


if __name__ == "__main__":
    import sys

    if sys.argv[1] == "export":
        export(Path(sys.argv[2]), sys.argv[3])
    else:  # for tools that time whole commands
        answer = step()
        for _ in range(int(sys.argv[1])):
            answer()
