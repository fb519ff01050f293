"""What a launch is given: the workload, its baseline and its quality (`bench.launch.workloads`)."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from bench.results.data_names import source
from bench.results.values import WorkloadSpec
from scenarios.core import artifacts, describing, quality, training
from scenarios.core.data import Data, load
from scenarios.core.workload import Workload

PLAIN_DATA = ("digits", "synthetic", "npz", "csv")
"""Sources that are read without initialising TensorFlow's runtime, which must not be forked."""


class Workloads:
    """Makes workloads; data that was read before a launch was forked is there at once."""

    def __init__(self) -> None:
        # Parts of keys: read once for all launches, with the code that these will run.
        artifacts.shared(), artifacts.trainers()
        self._data: dict[tuple[str, int, str, int, str], Data] = {}

    def read(self, spec: WorkloadSpec) -> None:
        """Read the data, unless that would start TensorFlow; failures are left to the launch."""
        if (
            not spec.factory
            and source(spec.data)[0] in PLAIN_DATA
            and _named(spec) not in self._data
        ):
            with contextlib.suppress(Exception):
                data = load(spec)
                _ = data.digest, data.scaled.digest  # in launches' cache keys: hashed once for all
                self._data[_named(spec)] = data

    def make(self, spec: WorkloadSpec, threads: int, devices: int) -> Prepared:
        """The workload of one launch."""
        data = None if spec.factory else self._data.get(_named(spec))
        return Prepared(Workload(spec, threads, data, devices=devices))


class Prepared:
    """One launch's workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    @property
    def train_examples(self) -> int:
        """Examples in an epoch."""
        return len(self.workload.data.train or ())

    def describe(self) -> dict[str, Any]:
        """What the workload is: what scenarios can be applied to it, and why others cannot."""
        return describing.describe(self.workload)

    def prepare(self, train: bool = True) -> dict[str, Any]:
        """Make the shared weights, trained if wanted, unless the cache holds them; their facts."""
        return training.prepare(self.workload, train)

    def made(self) -> bool:
        """Whether this launch made an artifact or weights, and did not find them."""
        return bool(artifacts.made)

    def recorded(self) -> list[float]:
        """Losses of the first updates of a path whose steps return only means of several."""
        recorded = self.workload.recorded
        return recorded.losses() if recorded is not None else []

    def check(self, losses: list[float]) -> None:
        """Raise UsageError where a loss of the first updates is not a number."""
        for update, loss in enumerate(losses, start=1):
            if not math.isfinite(loss):
                raise training.not_a_number(self.workload, update)

    def quality(self, path: Any, kind: str) -> dict[str, Any]:
        """Quality on the test half, outputs on fixed inputs (inference paths).

        And what training its model took, where that was cut short, and what else is to be said.
        """
        said = [str(each) for each in self.workload.trainings if each.cut] + self.workload.remarks
        return {"warnings": said} | quality.of_path(path, self.workload, kind)


def _named(spec: WorkloadSpec) -> tuple[str, int, str, int, str]:
    return spec.data, spec.seed, spec.target, spec.take, spec.task
