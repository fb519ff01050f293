"""pytest-benchmark on scenario steps: one process, absolute times, for a first look.

`TFBENCH_STEPS=infer/xla,train/eager nox -s microbench` chooses others. For comparisons use
`tfbench guard`: the same machine gives these figures within 20 % from one run to the next.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

from bench.results.values import WorkloadSpec
from bench.sweep.discovery import discover

CHOSEN = os.environ.get("TFBENCH_STEPS", "infer/function,infer/litert-int8,train/function")


@pytest.fixture(scope="session")
def workload() -> Any:
    """The trained default workload, on one core and one thread."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from scenarios.core import Workload, training

    made = Workload(WorkloadSpec(), threads=1, maker="microbench")
    training.prepare(made)
    return made


@pytest.mark.parametrize("id", CHOSEN.split(","))
def test_step(benchmark: Any, workload: Any, id: str) -> None:
    """One step of a scenario, its result read back."""
    info = discover()[id]
    if info.keras == 2 or info.environment:
        pytest.skip("needs an environment of its own: use tfbench run")
    from bench.launch.devices import finish

    function = getattr(importlib.import_module(info.module), info.function)
    path = function(workload, **info.arguments)
    finish(path.advance())
    benchmark(lambda: finish(path.advance()))
