"""Inside a launch: sets the process up, builds one scenario, and answers the sweep's messages."""

from __future__ import annotations

import contextlib
import gc
import importlib
import math
import resource
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.launch.analysis import probes
from bench.launch.timing import frames, setup, turns
from bench.launch.timing.warmup import warm_up
from bench.results.errors import TfbenchError, Unsupported, UsageError
from bench.results.messages import Channel
from bench.results.values import Configuration, Scenario, WorkloadSpec, from_json


def serve(request: dict[str, Any], fd: int) -> None:
    """Answer messages until the sweep closes the channel.

    Each message names a method of `Launch`; the answer is what it returned, or the error.
    """
    channel = Channel(fd)
    launch = LaunchProcess(request)
    while True:
        message = channel.receive()
        call: Callable[..., dict[str, Any]] = getattr(launch, message.pop("do"))
        try:
            answer = call(**message)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": describe(error)}
        channel.send(answer)


_data: dict[tuple[str, int], Any] = {}
"""Data that the preloaded process has read once for all its launches."""
PLAIN_DATA = ("digits", "synthetic", "npz")
"""Sources that are read without initialising TensorFlow's runtime, which must not be forked."""


def read_data(spec: WorkloadSpec) -> None:
    """Read the workload's data before forking; a launch then has it at once.

    What cannot be read is left to the launch, where the failure is reported.
    """
    from scenarios.core.data import load

    if spec.data.partition(":")[0] in PLAIN_DATA and _named(spec) not in _data:
        with contextlib.suppress(Exception):
            data = load(spec)
            _ = data.digest  # part of every launch's cache key: hashed once, not in each launch
            _data[_named(spec)] = data


def _named(spec: WorkloadSpec) -> tuple[str, int]:
    return spec.data, spec.seed


def describe(error: Exception) -> dict[str, str]:
    """An error as outcome and one-line reason."""
    text = str(error).strip()
    first = text.splitlines()[0][:500] if text else ""
    if isinstance(error, Unsupported):
        return {"outcome": "unsupported", "reason": first}
    if isinstance(error, UsageError):
        return {"outcome": "failed", "reason": text, "usage": "yes"}
    if isinstance(error, TfbenchError):
        return {"outcome": "failed", "reason": first}
    if isinstance(error, MemoryError):
        return {"outcome": "failed", "reason": "ran out of memory"}
    name = type(error).__name__
    return {"outcome": "failed", "reason": f"{name}: {first}" if first else name}


class LaunchProcess:
    """One fresh process with one scenario in one configuration."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.scenario = from_json(Scenario, request["scenario"])
        self.configuration = from_json(Configuration, request["configuration"])
        self.spec = from_json(WorkloadSpec, request["workload"])
        self.slowdown = float(request.get("slowdown", 0.0))
        self.more_work = float(request.get("more_work", 0.0))
        self.padding = setup.process(self.configuration, int(request.get("padding", 0)))
        self.path: Any = None
        self.workload: Any = None
        self.timer: turns.Timer
        self._step_ns = math.inf  # until it is warm
        self._kept_ns = 0  # time in which nothing was drawn, since the last turn
        self._drawn_s = 0.0  # the other threads' CPU time at its end
        self._waiting_since: tuple[float, float] | None = None
        self._waited = [0.0, 0.0]
        self._worked = [0.0, 0.0]

    # --- messages -----------------------------------------------------------------------------

    def prepare(self) -> dict[str, Any]:
        """Train the shared baseline unless the cache holds it; its facts."""
        from scenarios.core import training

        setup.tensorflow(self.configuration, devices=1)
        return {"facts": training.prepare(self._workload())}

    def ceilings(self, disk: str) -> dict[str, Any]:
        """The machine's peaks in this configuration, and when (monotonic) this launch was ready."""
        setup.tensorflow(self.configuration, devices=1)
        ready_s = time.monotonic()
        from bench.launch.analysis import ceilings

        measured = ceilings.measure(self.configuration.threads, Path(disk))
        return {"ready_s": ready_s, "ceilings": measured}

    def build(self, first_step: bool = True) -> dict[str, Any]:
        """Build the path and make its first step; each timed on its own."""
        missing = setup.missing(self.scenario.needs)
        if missing:
            raise Unsupported(missing)
        setup.tensorflow(self.configuration, self.scenario.devices)
        workload = self._workload()
        family = importlib.import_module(self.scenario.module)
        function = getattr(family, self.scenario.function)
        resident = setup.resident_bytes()
        start = time.perf_counter()
        self.path = function(workload, **self.scenario.arguments)
        built = time.perf_counter()
        answer: dict[str, Any] = {"build_s": built - start, "resident_bytes": resident}
        if first_step and self.scenario.unit == "step":
            turns.finish(self.path.advance())
            answer["first_step_s"] = time.perf_counter() - built
        self.timer = turns.Timer(
            self.path.advance,
            turns.finish,
            each=self.scenario.kind == "infer",
            ahead=hasattr(self.path, "dataset"),
            slowdown=self.slowdown,
            more_work=self.more_work,
        )
        answer["examples_per_step"] = self.path.examples
        answer["updates_per_step"] = getattr(self.path, "updates", 1)
        return answer

    def pin(self, cpus: list[int]) -> dict[str, Any]:
        """Move to the cores where turns are taken; it was built on another."""
        setup.pin(cpus)
        return {}

    def warm(self, turn_ns: int, cap_ns: int) -> dict[str, Any]:
        """Warm up; afterwards the process is ready to take turns."""
        least = getattr(self.path, "warmup", 0)
        warm = warm_up(self.timer, turn_ns, cap_ns, self._growth, least)
        self._step_ns = warm.step_ns
        self._drawn_s = _others_s()
        with self._kept_from_drawing():
            gc.collect()
            gc.freeze()
            gc.disable()  # a collection inside a turn would be timed
        self._wait()
        return {
            "steps": warm.steps,
            "step_ns": warm.step_ns,
            "turns": [[t.round, t.position, t.steps, t.elapsed_ns] for t in warm.turns],
            "steady": warm.steady,
            "reason": warm.reason,
        }

    def turn(self, steps: int) -> dict[str, Any]:
        """One timed turn."""
        self._woken()
        traces = self._traces()
        delayed = setup.delayed_ns()
        if self.scenario.unit == "step":
            # the last thing before the turn: a pipeline works on in any gap
            self.timer.lead_in(steps, self._made_ahead())
        cpu, wall = time.process_time(), time.perf_counter()
        elapsed = self.timer.turn(steps)
        self._drawn_s = _others_s()
        self._worked[0] += time.process_time() - cpu
        self._worked[1] += time.perf_counter() - wall
        answer = {
            "elapsed_ns": elapsed,
            "delayed_ns": setup.delayed_ns() - delayed,
            "retraced": self._traces() - traces,
        }
        self._wait()
        return answer

    def renew(self) -> dict[str, Any]:
        """Make a step that moves what it writes to other physical pages, and go on on these."""
        self._woken()
        with self._kept_from_drawing():
            pages = frames.renew(lambda: turns.finish(self.path.advance()))
        self._wait()
        return {"pages": pages}

    def done(self, inside: bool = True) -> dict[str, Any]:
        """What is known after the last turn; `inside`: also what takes steps to find out."""
        self._woken()
        return {
            "histogram": self.timer.histogram,
            "cpu_share": _share(self._worked),
            "waiting_cpu_share": _share(self._waited),
            "probes": probes.own_figures(self.path)
            | (probes.after_turns(self.path, self._step_ns) if inside else {}),
        }

    def probe(self, first: int, epochs: int) -> dict[str, Any]:
        """Everything but time: losses or outputs, quality, memory, sizes, proof."""
        answer = probes.probe(self.path, self._workload(), self.scenario, first, epochs)
        answer["probes"]["traces"] = self._traces()
        return answer

    def accuracy(self, epochs: int) -> dict[str, Any]:
        """Accuracy after another training, of a path that was built but not stepped."""
        return {"accuracy": probes.accuracy(self.path, self._workload(), self.scenario, epochs)}

    def trace(self, folder: str, host: str) -> dict[str, Any]:
        """Record a Profiler trace of warmed steps."""
        from bench.launch.analysis import trace

        gc.enable()
        return {"trace": trace.record(self.path.advance, Path(folder), host)}

    # --- pieces -------------------------------------------------------------------------------

    def _workload(self) -> Any:
        if self.workload is None:
            from scenarios.core.workload import Workload

            self.workload = Workload(
                self.spec,
                self.configuration.threads,
                _data.get(_named(self.spec)),
                devices=self.scenario.devices,
            )
        return self.workload

    @contextlib.contextmanager
    def _kept_from_drawing(self) -> Iterator[None]:
        begun = time.perf_counter_ns()
        yield
        self._kept_ns += time.perf_counter_ns() - begun

    def _made_ahead(self) -> int:
        """Batches that the pipeline may have made since the last turn.

        Between a turn and the signal that stops it, the pipeline has as long as the sweep takes to
        wake up; what CPU time its threads used tells how long. Those that wait for storage use
        little, but what this one did instead of drawing was timed.
        """
        used_ns = 1e9 * (_others_s() - self._drawn_s)
        idle_ns = max(self._kept_ns, used_ns / (_share(self._worked) or 1.0))
        self._kept_ns = 0
        return self.timer.made_ahead(idle_ns, self._step_ns)

    def _growth(self) -> tuple[int, int]:
        return self._traces(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def _traces(self) -> int:
        """Times the path's tf.function was traced, 0 where it has none that can be seen."""
        for name in ("step", "infer", "train"):
            count = getattr(getattr(self.path, name, None), "experimental_get_tracing_count", None)
            if count is not None:
                return int(count())
        return 0

    def _wait(self) -> None:
        self._waiting_since = (time.process_time(), time.perf_counter())

    def _woken(self) -> None:
        if self._waiting_since is not None:
            self._waited[0] += time.process_time() - self._waiting_since[0]
            self._waited[1] += time.perf_counter() - self._waiting_since[1]
            self._waiting_since = None


def _others_s() -> float:
    """CPU time of this process's other threads, s."""
    return time.process_time() - time.thread_time()


def _share(spent: list[float]) -> float | None:
    return spent[0] / spent[1] if spent[1] > 0 else None
