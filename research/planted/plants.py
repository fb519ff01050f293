"""Known changes of the code, planted as edits of a scratch clone: what the guard has to find."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.results.errors import UsageError
from bench.sweep.discovery import discover

SUITE = (
    "infer/eager", "infer/function", "infer/function-b8", "infer/function-b32", "infer/savedmodel",
    "infer/frozen", "infer/litert-float32", "infer/litert-int8", "infer/litert-dynamic",
    "train/function",
)  # fmt: skip
SLOWER = '''

def _slower(advance, share):
    """{share:.0%} slower: each step is followed by a spin, less what this wrapper costs itself."""
    import time

    clock = time.perf_counter_ns

    def slowed(*arguments):
        start = clock()
        result = advance(*arguments)
        now = clock()
        until = now + int(share * (now - start)) - cost
        while clock() < until:
            pass
        return result

    cost, costs = 0, []
    call, plain = slowed, advance
    advance = lambda *arguments: None
    for _ in range(2000):
        start = clock()
        call()
        middle = clock()
        advance()
        costs.append((middle - start) - (clock() - middle))
    advance, cost = plain, sorted(costs)[len(costs) // 2]
    return slowed

'''
IN_CORE = """
InferencePath.advance = _slower(InferencePath.advance, {share})
TrainingPath.advance = _slower(TrainingPath.advance, {share})
"""
IN_SCENARIO = """
def _wrapped(build):
    def slowed(*arguments, **options):
        path = build(*arguments, **options)
        path.advance = _slower(path.advance, {share})
        return path

    return slowed


{function} = _wrapped({function})
"""
HELD = """

def _holding(build):
    def holding(*arguments, **options):
        path, held = build(*arguments, **options), []
        advance = path.advance

        def more():
            if not held:
                held.append(bytearray(b"x" * {bytes}))
            return advance()

        path.advance = more
        return path

    return holding


{function} = _holding({function})
"""
WORSE = """
        kernel, *rest = model.layers[{layer}].get_weights()
        noise = np.random.default_rng(1).normal(0.0, {scale} * kernel.std(), kernel.shape)
        model.layers[{layer}].set_weights([kernel + noise, *rest])
        return model
"""
CALIBRATE = """
import json, sys
import numpy as np
from bench.results.values import WorkloadSpec
from scenarios.core import Workload, quality, training
workload = Workload(WorkloadSpec(), threads=1)
training.prepare(workload)
model = workload.trained_model()
layer = max(i for i, each in enumerate(model.layers) if each.get_weights())
kernel, *rest = model.layers[layer].get_weights()
def accuracy(scale):
    noise = np.random.default_rng(1).normal(0.0, scale * kernel.std(), kernel.shape)
    model.layers[layer].set_weights([kernel + noise, *rest])
    return quality.accuracy(quality.predict(model, workload.data.x_test), workload.data.y_test)
whole = accuracy(0.0)
scales = [0.1 * n for n in range(1, 60)]
lost = ((scale, whole - accuracy(scale)) for scale in scales)
print(json.dumps([layer, next(pair for pair in lost if pair[1] >= 0.02)]))
"""


@dataclass(frozen=True)
class Plant:
    """A change and how to tell that it was found.

    Attributes:
        apply: Edits a clone.
        metrics: Any of them, judged a regression, counts as found.
        scenarios: Where it must be found; any of them.
    """

    apply: Callable[[Path], None]
    metrics: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = SUITE


def plant(kind: str, number: int, folder: Path) -> Plant:
    """The n-th change of a kind; `folder` holds what earlier cases measured."""
    chosen = SUITE[number % len(SUITE)]
    if kind == "same":
        return Plant(lambda clone: comment(clone, number))
    if kind in ("core-2", "core-5"):
        share = float(kind[-1]) / 100
        return Plant(lambda clone: _slow_core(clone, share), ("latency",))
    if kind in ("one-2", "one-5"):
        share = float(kind[-1]) / 100
        slowed = sharing(chosen)
        return Plant(lambda clone: slow_scenario(clone, chosen, share), ("latency",), slowed)
    if kind == "memory":
        where = "infer/function"
        text = HELD.replace("{bytes}", str(_tenth_of_memory(folder, where)))
        return Plant(lambda clone: _append(clone, where, text), ("peak_memory",), (where,))
    if kind == "retrace":
        return Plant(_partial_batch, ("traces", "outcome"), ("train/function",))
    if kind == "size":
        return Plant(larger, ("size",), ("infer/litert-float32", "infer/litert-int8"))
    if kind == "accuracy":
        return Plant(lambda clone: _worse(clone, folder), ("accuracy",))
    raise UsageError(f"unknown kind of change {kind!r}")


def sharing(scenario: str) -> tuple[str, ...]:
    """The suite's scenarios that are built by the same function, and slow down with this one."""
    found = discover()
    places = {id: (found[id].path, found[id].function) for id in SUITE}
    return tuple(id for id in SUITE if places[id] == places[scenario])


def comment(clone: Path, number: int) -> None:
    """Nothing that runs differently; every second time in the core: artifacts are remade."""
    file = clone / ("scenarios/core/paths.py" if number % 2 else "noxfile.py")
    file.write_text(file.read_text() + f"# nothing changed, number {number}\n")


def slow_scenario(clone: Path, scenario: str, share: float) -> None:
    """Let each step of a scenario take longer by a share, whatever it computes."""
    slower = SLOWER.replace("{share:.0%}", f"{share:.0%}")
    _append(clone, scenario, slower + IN_SCENARIO.replace("{share}", str(share)))


def _slow_core(clone: Path, share: float) -> None:
    file = clone / "scenarios/core/paths.py"
    slower = SLOWER.replace("{share:.0%}", f"{share:.0%}") + IN_CORE.replace("{share}", str(share))
    file.write_text(file.read_text() + slower)


def _append(clone: Path, scenario: str, text: str) -> None:
    info = discover(clone)[scenario]
    file = clone / info.path
    file.write_text(file.read_text() + text.replace("{function}", info.function))


def _partial_batch(clone: Path) -> None:
    """The usual mistake: the last, smaller batch is kept, so that a tf.function is traced again."""
    _replace(
        clone / "scenarios/core/feeding.py",
        "range(0, len(order) - size + 1, size)", "range(0, len(order), size)",
    )  # fmt: skip


def larger(clone: Path) -> None:
    """Let each .tflite file be 1 % larger."""
    _replace(
        clone / "scenarios/core/artifacts.py",
        "            make(part)\n",
        "            make(part)\n"
        "            if part.suffix == '.tflite':\n"
        "                model = part.read_bytes()\n"
        "                part.write_bytes(model + bytes(len(model) // 100))\n",
    )


def _worse(clone: Path, folder: Path) -> None:
    layer, scale = _calibrated(clone, folder)
    file = clone / "scenarios/core/workload.py"
    before = "return self._made(_weights(file))\n"
    after = "model = self._made(_weights(file))"
    _replace(
        file, before, after + WORSE.replace("{layer}", str(layer)).replace("{scale}", str(scale))
    )


def _calibrated(clone: Path, folder: Path) -> tuple[int, float]:
    """The noise on the last layer's weights that costs 2 points or a little more; found once."""
    kept = folder / "accuracy.json"
    if not kept.exists():
        done = subprocess.run(
            [sys.executable, "-c", CALIBRATE], cwd=clone, capture_output=True, text=True
        )
        if done.returncode:
            raise UsageError(f"no noise costs 2 points: {done.stderr[-500:]}")
        kept.write_text(done.stdout.strip().splitlines()[-1])
    layer, (scale, _) = json.loads(kept.read_text())
    return int(layer), float(scale)


def _tenth_of_memory(folder: Path, scenario: str) -> int:
    for line in (folder / "results.jsonl").read_text().splitlines():
        for each in json.loads(line)["judgements"]:
            if each["scenario"] == scenario and each["metric"] == "peak_memory":
                return round(float(each["base"]) / 10)
    raise UsageError("run a case of kind `same` first: it measures the memory that is to grow")


def _replace(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    if text.count(before) != 1:
        raise UsageError(f"{file.name} has changed: adapt this plant ({before.strip()!r})")
    file.write_text(text.replace(before, after))
