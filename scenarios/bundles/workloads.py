"""What a launch of a bundle's file is given: its samples, and data to judge it on where given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bench.results.values import WorkloadSpec
from scenarios.bundles import running
from scenarios.core import tasks
from scenarios.core.data import Data, Spec, fit, load, nests
from scenarios.core.paths import InferencePath

SAMPLES = "samples.npz"


class Workloads:
    """Makes workloads of bundles: `WorkloadSpec.model` is the bundle's folder."""

    def read(self, spec: WorkloadSpec) -> None:
        """Nothing: samples are small."""

    def make(self, spec: WorkloadSpec, threads: int, devices: int) -> Prepared:
        """The workload of one launch."""
        return Prepared(Bundle(Path(spec.model), threads), spec)


class Bundle:
    """A bundle as its files' paths see it."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self.threads = folder, threads
        with np.load(folder / SAMPLES, allow_pickle=False) as arrays:
            self.samples = {
                name.removeprefix("input/"): arrays[name]
                for name in arrays.files
                if name.startswith("input/")
            }


def path(
    workload: Bundle, place: str, runtime: str, batch: int = 1, xla: bool = False
) -> InferencePath:
    """A file of a bundle as a path; its inputs are the bundle's samples.

    Args:
        workload: The bundle.
        place: Of the file in it, checked by who asks.
        runtime: What runs it.
        batch: Examples in one call.
        xla: Whether TensorFlow compiles it by XLA.
    """
    count = nests.length(workload.samples)
    blocks = [
        nests.take(workload.samples, np.arange(start, start + batch) % count)
        for start in range(0, count, min(batch, count))
    ]
    found = running.load(runtime, workload.folder / place, workload.threads, blocks[0], xla)
    return InferencePath(
        infer=found.infer,
        inputs=[found.prepare(found.bound(block)) for block in blocks],
        examples=batch,
        predict=found.predict,
        artifact=workload.folder / place,
    )


def answers(path: InferencePath, workload: Bundle) -> dict[str, Any]:
    """What a path answers to the samples: values by output's name, flattened, in their order."""
    samples: Any = workload.samples
    found = nests.named(path.predict(samples))
    return {"outputs": [np.asarray(each, float).ravel().tolist() for each in found.values()]}


class Prepared:
    """One launch's workload; see `bench.launch.workloads`."""

    def __init__(self, workload: Bundle, spec: WorkloadSpec) -> None:
        self.workload, self._spec = workload, spec

    @property
    def train_examples(self) -> int:
        """None: nothing is trained."""
        return 0

    def prepare(self) -> dict[str, Any]:
        """Nothing is."""
        return {}

    def made(self) -> bool:
        """Nothing was."""
        return False

    def recorded(self) -> list[float]:
        """Nothing is."""
        return []

    def quality(self, path: InferencePath, kind: str) -> dict[str, Any]:
        """How good it is on the test part of the data that were named; nothing without data."""
        if not self._spec.data:
            return {}
        data = self._data()
        inputs: Any = data.test.inputs
        outputs = path.predict(inputs)
        probed = path.predict(tasks.probing(data))
        task = tasks.infer(self._spec, data, probed)
        fitted = task.fitted(data)
        found = task.quality(outputs, fitted.test.targets)
        return found.as_answer() if found is not None else {}

    def _data(self) -> Data:
        signature = {
            name: Spec(array.shape[1:], str(array.dtype))
            for name, array in self.workload.samples.items()
        }
        return fit(load(self._spec), signature)
