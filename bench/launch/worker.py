"""A launch of a scenario: builds it, and answers what the sweep asks beside its turns."""

from __future__ import annotations

import gc
import math
import time
from functools import partial
from pathlib import Path
from typing import Any

from bench.launch import devices
from bench.launch.analysis import probes
from bench.launch.timing import setup, turns
from bench.launch.timing.launch import TimedLaunch
from bench.launch.workloads import Prepared, factory
from bench.results.as_json import from_json
from bench.results.errors import Unsupported
from bench.results.loading import attribute, module
from bench.results.values import Configuration, Scenario, WorkloadSpec


class LaunchProcess(TimedLaunch):
    """One fresh process with one scenario in one configuration."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__()
        self.configuration = from_json(Configuration, request["configuration"])
        self.scenario = from_json(Scenario, request["scenario"])
        self.spec = from_json(WorkloadSpec, request["workload"])
        self.job = self.scenario.unit == "job"
        self.slowdown = float(request.get("slowdown", 0.0))
        self.more_work = float(request.get("more_work", 0.0))
        self.padding = setup.process(self.configuration, int(request.get("padding", 0)))
        self.path: Any = None
        self._prepared: Prepared | None = None

    # --- messages -----------------------------------------------------------------------------

    def describe(self) -> dict[str, Any]:
        """What the workload is: facts by which the sweep decides what applies to it."""
        devices.set_up(self.configuration, devices=1)
        return {"facts": self._workload().describe()}

    def prepare(self, train: bool = True) -> dict[str, Any]:
        """Make the shared weights, trained if wanted, unless the cache holds them; their facts."""
        devices.set_up(self.configuration, devices=1)
        return {"facts": self._workload().prepare(train)}

    def ceilings(self, disk: str) -> dict[str, Any]:
        """The machine's peaks in this configuration, and when (monotonic) this launch was ready."""
        devices.set_up(self.configuration, devices=1)
        ready_s = time.monotonic()
        from bench.launch.analysis import ceilings

        measured = ceilings.measure(self.configuration.threads, Path(disk))
        return {"ready_s": ready_s, "ceilings": measured}

    def build(self, first_step: bool = True) -> dict[str, Any]:
        """Build the path and make its first step; each timed on its own."""
        missing = devices.missing(self.scenario.needs)
        if missing:
            raise Unsupported(missing)
        devices.set_up(self.configuration, self.scenario.devices)
        prepared = self._workload()
        function = getattr(module(self.scenario.module), self.scenario.function)
        self._make = partial(function, prepared.workload, **self.scenario.arguments)
        resident = setup.resident_bytes()
        start = time.perf_counter()
        self.path = self._make()
        built = time.perf_counter()
        answer: dict[str, Any] = {"build_s": built - start, "resident_bytes": resident}
        answer["made"] = prepared.made()
        if first_step and not self.job:
            devices.finish(self.path.advance())
            answer["first_step_s"] = time.perf_counter() - built
        self.timer = turns.Timer(
            self.path.advance,
            devices.finish,
            each=self.scenario.kind == "infer",
            ahead=hasattr(self.path, "dataset"),
            slowdown=self.slowdown,
            more_work=self.more_work,
        )
        self.least_steps = getattr(self.path, "warmup", 0)
        self.stays()
        answer["examples_per_step"] = self.path.examples
        answer["updates_per_step"] = getattr(self.path, "updates", 1)
        return answer

    def probe(self, first: int, epochs: int, train_s: float = math.inf) -> dict[str, Any]:
        """Everything but time: losses, outputs, quality, memory, sizes, proof.

        Args:
            first: Number of first updates whose losses are recorded (training paths).
            epochs: Epochs of training after which quality is compared (training paths).
            train_s: What the run can spare for this training.
        """
        answer = probes.probe(
            self.path, self._workload(), self.scenario, first, epochs, self._budget_s, train_s
        )
        answer["probes"]["traces"] = self.trace_count()
        answer["probes"]["own_bytes"] = setup.own_bytes()
        return answer

    def losses(self, first: int) -> dict[str, Any]:
        """Losses of the first updates, of a path that was built but not stepped.

        And how many were left out, for their updates would have taken too long.
        """
        losses, made = probes.step_losses(self.path, first)
        found = (self._workload().recorded() or losses)[:first]
        return {"losses": found, "left_out": max(0, first - made)}

    def accuracy(self, epochs: int, train_s: float = math.inf) -> dict[str, Any]:
        """Accuracy and quality after another training, of a path that was built but not stepped."""
        budget_s = min(self._budget_s, train_s)
        return dict(probes.repeated(self.path, self._workload(), self.scenario, epochs, budget_s))

    def apply(self, function: str, **arguments: Any) -> dict[str, Any]:
        """What the function of that name makes of the path and its workload."""
        answer: dict[str, Any] = attribute(function)(
            self.path, self._workload().workload, **arguments
        )
        return answer

    def trace(self, folder: str, host: str) -> dict[str, Any]:
        """Record a Profiler trace of warmed steps."""
        from bench.launch.analysis import trace

        gc.enable()
        return {"trace": trace.record(self.path.advance, Path(folder), host)}

    def take_apart(self) -> dict[str, Any]:
        """Split a path that was built but not stepped into variants, which then take turns."""
        from bench.launch.analysis import ablation

        self.variants, facts, missing = ablation.take_apart(self.path, self.scenario, self._make)
        return {"variants": list(self.variants), "facts": facts, "missing": missing}

    def peaks(self) -> dict[str, Any]:
        """Peaks that a step taken apart is held against."""
        from bench.launch.analysis import ablation

        return {"peaks": ablation.peaks(self.configuration.threads)}

    # --- pieces -------------------------------------------------------------------------------

    def found(self, inside: bool) -> dict[str, Any]:
        """What a job measured itself, and how long a training waits for a pipeline."""
        own = probes.own_figures(self.path)
        return own | (probes.after_turns(self.path, self._step_ns) if inside else {})

    def trace_count(self) -> int:
        """Times the path's tf.function was traced, 0 where it has none that can be seen."""
        for name in ("step", "infer", "train"):
            count = getattr(getattr(self.path, name, None), "experimental_get_tracing_count", None)
            if count is not None:
                return int(count())
        return 0

    @property
    def _budget_s(self) -> float:
        return self.spec.train_budget_s or math.inf

    def _workload(self) -> Prepared:
        if self._prepared is None:
            self._prepared = factory(self.spec.workloads).make(
                self.spec, self.configuration.threads, self.scenario.devices
            )
        return self._prepared
