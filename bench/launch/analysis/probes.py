"""The pass apart from timing: losses, outputs, quality, memory, sizes and proof of engagement."""

from __future__ import annotations

import math
import time
from statistics import median
from typing import Any

import numpy as np

from bench.launch.analysis import canonical, counting, files
from bench.launch.devices import finish
from bench.launch.timing import setup
from bench.launch.workloads import Prepared
from bench.results.errors import LaunchError
from bench.results.values import Scenario

MEMORY_STEPS = 5
LOSSES_S, LEAST_LOSSES = 60.0, 5
"""After which no further losses are recorded, but for so many updates."""
INSIDE_PAIRS, INSIDE_STEPS = 7, 4
REST_S, RESTING_SHARE, RESTS_WITHIN_S = 0.01, 0.1, 2.0
"""A process rests that used less than this share of a core for so long; and when to give up, s."""


def probe(
    path: Any,
    workload: Prepared,
    scenario: Scenario,
    first: int,
    epochs: int,
    budget_s: float = math.inf,
    share_s: float = math.inf,
) -> dict[str, Any]:
    """Everything a launch can tell of a freshly built path, except time.

    Args:
        path: The scenario's path, built but not stepped.
        workload: The workload.
        scenario: Its facts.
        first: Number of first updates whose losses are recorded (training paths).
        epochs: Epochs of training after which accuracy is compared (training paths).
        budget_s: Time that this training may take.
        share_s: What the run can spare for it; a user who names the scenario gets the whole budget.

    Returns:
        Fields of `Launch`, by name.
    """
    answer: dict[str, Any] = {}
    resident = setup.resident_bytes()
    setup.reset_peak()
    if scenario.unit == "job":
        finish(path.advance())
    elif scenario.kind == "train":
        answer["step_losses"], made = step_losses(path, first)
        workload.check(answer["step_losses"])
        answer |= trained(path, workload, made, epochs, budget_s, share_s)
    else:
        for _ in range(MEMORY_STEPS):
            finish(path.advance())
    answer["peak_memory_bytes"] = max(0, setup.peak_resident_bytes() - resident)
    answer["peak_device_memory_bytes"] = device_peak_bytes()
    found = workload.quality(path, scenario.kind)
    answer |= found | {"warnings": [*answer.get("warnings", ()), *found.get("warnings", ())]}
    answer |= sizes(path)
    answer["proof"] = plain(path.proof())
    return answer


def step_losses(path: Any, updates: int, within_s: float = LOSSES_S) -> tuple[list[float], int]:
    """What the steps of at least so many updates returned, and how many updates they were.

    Fewer where they take longer than that, down to `LEAST_LOSSES`.
    """
    losses: list[float] = []
    made, until = 0, time.monotonic() + within_s
    while made < updates and (made < LEAST_LOSSES or time.monotonic() < until):
        losses += [float(x) for x in np.atleast_1d(np.asarray(scalar(path.advance())))]
        made += path.updates
    return losses, made


def trained(
    path: Any,
    workload: Prepared,
    already: int,
    epochs: int,
    budget_s: float = math.inf,
    share_s: float = math.inf,
) -> dict[str, Any]:
    """Go on training until `epochs` epochs are done, or time is over; the last step's loss.

    A step more than whole batches make: where a pipeline keeps the smaller batch that an epoch
    leaves over, a tf.function is traced once more for it, and that must be seen. A step of many
    updates (an epoch of `fit`) is made as often as comes nearest to what the others train.
    """
    wanted = math.ceil(epochs * workload.train_examples / _per_update(path))
    updates = max(0, wanted - already)
    steps = max(1, round(updates / path.updates)) if updates else 0
    result: Any = None
    limit_s = min(budget_s, share_s)
    done, until = 0, time.monotonic() + limit_s
    while done < steps and time.monotonic() < until:
        result = path.advance()
        done += 1
    finish(result)
    answer: dict[str, Any] = {}
    if done < steps:
        raised = "--train-budget" if budget_s <= share_s else "name it to train it longer"
        answer["warnings"] = [
            f"its quality is that of {already + done * path.updates} updates, not {wanted}: "
            f"training may take {limit_s:.3g} s ({raised})"
        ]
    losses = np.atleast_1d(np.asarray(scalar(result), dtype=float)) if done else np.zeros(0)
    return answer | ({"final_loss": float(losses[-1])} if losses.size else {})


REPEATED = ("accuracy", "quality")
"""What is compared of repeated trainings."""


def repeated(
    path: Any, workload: Prepared, scenario: Scenario, epochs: int, budget_s: float = math.inf
) -> dict[str, float]:
    """How good a training path is on the test examples after some epochs."""
    trained(path, workload, 0, epochs, budget_s)
    found = workload.quality(path, scenario.kind)
    return {name: float(found[name]) for name in REPEATED if found.get(name) is not None}


def sizes(path: Any) -> dict[str, Any]:
    """Size of the artifact, number of parameters and counted operations, where they exist."""
    answer: dict[str, Any] = {}
    file = getattr(path, "artifact", None)
    if file is not None and not file.exists():
        raise LaunchError(f"its artifact {file.name} is gone: nothing may remove it")
    if file is not None:
        answer["artifact_bytes"] = files.size_bytes(file)
        answer["artifact_gzip_bytes"] = files.gzip_bytes(file)
    counts: dict[str, Any] = dict(counting.count(path))
    if file is not None:
        counts["artifact_sha256"] = files.content_digest(file)
        counts["artifact_canonical_sha256"] = canonical.digest(file)
    answer["parameters"] = counts.pop("parameters", None)
    answer["multiply_adds"] = counts.pop("multiply_adds", None)
    return answer | {"probes": counts}


def device_peak_bytes() -> int | None:
    """Peak memory of the first GPU as TensorFlow's allocator saw it, None without one."""
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def after_turns(path: Any, step_ns: float) -> dict[str, Any]:
    """How much of a training step waits for input: pairs with a cached batch and the pipeline.

    A pipeline fills its buffers while it is not drawn from. So the cached batch's steps begin when
    its threads rest. Those that draw find full buffers, as they always would, unless training is
    faster than the pipeline: then they always find them empty, and what was made is drawn before.
    As many steps let both get into their pace.

    Args:
        path: Has `advance`, which draws a batch, and maybe `train`, a step on one.
        step_ns: What drawing a batch takes when nothing else is done.
    """
    train = getattr(path, "train", None)
    if train is None:
        return {}
    batch = path.advance()
    finish(train(*batch))
    settling: list[int] = []
    with_input: list[int] = []
    cached: list[int] = []
    for _ in range(INSIDE_PAIRS):
        begun = time.perf_counter_ns()
        _rest()
        cached.append(_elapsed(lambda: train(*batch)))
        idle_ns = time.perf_counter_ns() - begun
        if step_ns > cached[-1] / INSIDE_STEPS:
            for _ in range(math.ceil(idle_ns / step_ns)):
                finish(path.advance())
        for kept in (settling, with_input):
            kept.append(_elapsed(lambda: train(*path.advance())))
    ratio = median(c / w for c, w in zip(cached, with_input, strict=True))
    return {
        "training_step_with_input_ns": median(with_input) / INSIDE_STEPS,
        "training_step_cached_ns": median(cached) / INSIDE_STEPS,
        "input_wait_share": max(0.0, 1 - ratio),
    }


def own_figures(path: Any) -> dict[str, Any]:
    """What a job measured itself (a load generator's latencies, say)."""
    figures = getattr(path, "figures", None)
    return {"figures": plain(figures())} if figures is not None else {}


def scalar(result: Any) -> Any:
    """The loss in what a step returned: itself, or the first of several; replicas are averaged."""
    if isinstance(result, (tuple, list)):
        return scalar(result[0])
    if isinstance(result, dict):
        return scalar(result["loss"])
    if hasattr(result, "numpy"):
        return result.numpy()
    if hasattr(result, "values") and not callable(result.values):
        return np.mean([np.asarray(v) for v in result.values])
    return result


def plain(value: Any) -> Any:
    """Facts as plain JSON values."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if hasattr(value, "item") else value


def _rest() -> None:
    """Wait until this process's threads use next to nothing of a core."""
    until = time.perf_counter() + RESTS_WITHIN_S
    while time.perf_counter() < until:
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        time.sleep(REST_S)
        if time.process_time() - cpu_s < RESTING_SHARE * (time.perf_counter() - wall_s):
            return


def _elapsed(step: Any) -> int:
    start = time.perf_counter_ns()
    result = None
    for _ in range(INSIDE_STEPS):
        result = step()
    finish(result)
    return time.perf_counter_ns() - start


def _per_update(path: Any) -> float:
    return float(path.examples / path.updates)
