"""The work that rivals time: one answer of the same LiteRT model, slowed by a known share."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

MODEL, SLOWDOWN = "PRECISION_MODEL", "PRECISION_SLOWDOWN"
"""Environment variables that tell a rival's process what to time."""


BLOCK = 100
"""Answers in a row of each kind, where kinds are timed in turn."""


def step() -> Callable[[], object]:
    """A function that answers the next of 16 inputs and then spins for the wanted share of it."""
    return slowed(answers(), float(os.environ.get(SLOWDOWN, "0")))


def answers() -> Callable[[], object]:
    """A function that answers the next of 16 inputs."""
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

    return answer


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


def injected(
    answer: Callable[[], object],
    shares: Sequence[float],
    rounds: int,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> dict[float, float]:
    """What spins really make: the median ln(slowed ÷ not slowed) of blocks timed in turn.

    An answer after a spin takes a little longer than one after another answer.
    """
    ways = {share: slowed(answer, share, clock) for share in (0.0, *shares)}
    times: dict[float, list[int]] = {share: [] for share in ways}
    for _ in range(rounds):
        for share in random.sample(list(ways), len(ways)):
            start = clock()
            for _ in range(BLOCK):
                ways[share]()
            times[share].append(clock() - start)
    plain = times[0.0]
    return {
        share: median(math.log(t / b) for t, b in zip(times[share], plain, strict=True))
        for share in shares
    }


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
    import json
    import sys

    if sys.argv[1] == "export":
        export(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "injected":
        shares = [float(share) for share in sys.argv[3:]]
        print(json.dumps(injected(answers(), shares, int(sys.argv[2]))))
    else:  # for tools that time whole commands
        answer = step()
        for _ in range(int(sys.argv[1])):
            answer()
