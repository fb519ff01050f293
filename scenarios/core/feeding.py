"""What steps are fed with: batches, inputs and calibration examples of the workload's data."""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported
from bench.results.tolerance import FIRST_LOSSES
from bench.results.values import WorkloadSpec
from scenarios.core.data import Data, Part, calibration, nests
from scenarios.core.facts import Facts
from scenarios.core.tasks import Task

LEAST_UPDATES, MOST_UPDATES, MOST_EPOCHS = 800, 6000, 30


class Feeding(ABC):
    """The part of a workload that gives its steps their inputs and targets."""

    spec: WorkloadSpec
    data: Data
    facts: Facts
    lookup: Callable[[Any], Any] | None
    _outputs: Any

    @property
    @abstractmethod
    def task(self) -> Task:
        """What the outputs are to tell."""

    @property
    def comparable(self) -> bool:
        """Whether only losses are asked for, to be compared with another path's.

        Its models then draw no random numbers. Where a technique cuts batches in parts, each with
        batch statistics of its own, let it train on the running statistics instead.
        """
        return self.spec.comparable

    # --- training ----------------------------------------------------------------------------

    @property
    def _start(self) -> int:
        """Seed of the initial weights and of the order of batches: of each training its own."""
        return self.spec.seed + 1000 * self.spec.training

    @property
    def batch_size(self) -> int:
        """Examples in a training step: the workload's, or all where there are fewer."""
        return min(self.spec.batch, len(self.data.train or ()) or self.spec.batch)

    @property
    def trainable(self) -> str:
        """What is missing for training, and the way out; "" where nothing is."""
        lacks = self.facts.lacks.get("model:trainable", "")
        if lacks:
            return lacks
        if self.data.train is None or self.data.train.targets is None:
            return "needs training examples with targets: give them by --data"
        if not (self.task.metrics or self.task.parts):
            return "nothing tells what the outputs are to be: name the task by --task"
        return ""

    @property
    def train(self) -> Part:
        """The training examples.

        Raises:
            Unsupported: There are none with targets.
        """
        part = self.data.train
        if part is None or part.targets is None:
            raise Unsupported(self.trainable)
        return part

    def no_strings(self, runtime: str) -> None:
        """Raise Unsupported where the step takes strings, which `runtime` cannot hold."""
        if any(nests.is_text(array) for array in nests.arrays(self.train.inputs)):
            raise Unsupported(
                f"{runtime} takes no strings, which a layer of the model looks up: move it into "
                "tf.data, and the step compiles"
            )

    def epoch(self, batch: int | None = None) -> list[tuple[Any, Any]]:
        """One epoch's full batches (x, y) in the order all use, x as the model takes it.

        Raises:
            Unsupported: There is nothing to train on.
        """
        train = self.train
        size = min(batch or self.spec.batch, len(train))
        order = np.random.default_rng(self._start).permutation(len(train))
        starts = range(0, len(order) - size + 1, size)
        parts = [train.take(order[s : s + size]) for s in starts]
        batches = [(self.as_given(part.inputs), part.targets) for part in parts]
        # A path of whole epochs must make as many updates as are compared.
        return batches * (math.ceil(FIRST_LOSSES / len(batches)) if self.comparable else 1)

    def batches(self, batch: int | None = None) -> Iterator[tuple[Any, Any]]:
        """The epoch's batches as tensors in memory, again and again: no input cost in the step."""
        return itertools.cycle(
            [tf.nest.map_structure(tf.constant, pair) for pair in self.epoch(batch)]
        )

    def dataset(self, batch: int | None = None) -> tf.data.Dataset:
        """The same batches in the same order as a repeated tf.data pipeline."""
        pairs = self.epoch(batch)
        x, y = tf.nest.map_structure(lambda *arrays: np.stack(arrays), *pairs)
        return tf.data.Dataset.from_tensor_slices((x, y)).repeat().prefetch(tf.data.AUTOTUNE)

    def as_given(self, inputs: Any) -> Any:
        """Inputs in the structure that the Keras model takes: one, a list or a dict."""
        if self.facts.structure == "list" and isinstance(inputs, dict):
            return tuple(inputs[name] for name in self.facts.signature)
        return inputs

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in an epoch at the workload's batch size."""
        return max(1, len(self.data.train or ()) // self.batch_size)

    @property
    def epochs(self) -> int:
        """Epochs of the baseline's training: enough updates to converge, bounded for large data."""
        if self.spec.epochs:
            return self.spec.epochs
        steps = self.steps_per_epoch
        return max(math.ceil(LEAST_UPDATES / steps), min(MOST_EPOCHS, MOST_UPDATES // steps), 1)

    # --- inference ---------------------------------------------------------------------------

    def batch_of(self, batch: int = 1) -> int:
        """Examples that a call answers: `batch`, or the only number that the model takes."""
        return self.facts.fixed_batch or batch

    @property
    def output_names(self) -> tuple[str, ...]:
        """The outputs' names in the order of the alphabet; a single one may have any."""
        several = isinstance(self._outputs, dict) and len(self._outputs) > 1
        return tuple(sorted(self._outputs if several else self.facts.outputs)) or ("output",)

    def signature(self, batch: int | None = 1) -> Any:
        """A nest of TensorSpecs: `batch` examples (None: any number) of the data's shape.

        Specs have names that are identifiers, as SavedModels and converters want them.
        """
        specs = self.facts.signature

        def spec_of(name: str, array: np.ndarray) -> tf.TensorSpec:
            kind = tf.string if nests.is_text(array) else array.dtype
            return tf.TensorSpec([batch, *array.shape[1:]], kind, name=plain_name(name))

        inputs: Any = self.data.test.inputs
        if isinstance(inputs, dict):
            return {name: spec_of(name, inputs[name]) for name in inputs}
        return spec_of(next(iter(specs)), inputs)

    def inputs(self, batch: int = 1, count: int = 16) -> list[Any]:
        """`count` different inputs of `batch` test examples each."""
        total = np.arange(batch * count) % len(self.data.test)
        return [
            nests.mapped(np.ascontiguousarray, nests.take(self.data.test.inputs, i))
            for i in np.split(total, count)
        ]

    def looked_up(self, inputs: Any) -> Any:
        """Inputs as the network takes them: words as numbers, where that is done before it."""
        if self.lookup is None or not any(nests.is_text(array) for array in nests.arrays(inputs)):
            return inputs
        return self.lookup(inputs)

    def calibration(self, count: int = 100, batch: int = 1) -> Iterator[Any]:
        """Representative examples for quantization, `batch` at a time.

        As converters take them: the list [x] of one input, a dict by name of several, under the
        names of `signature`'s specs.
        """
        drawn = calibration(self.data, count, self.spec.seed).inputs
        total = nests.length(drawn)
        for start in range(0, total, batch):
            example = nests.take(drawn, np.arange(start, start + batch) % total)
            if isinstance(example, dict):
                yield {plain_name(name): array for name, array in example.items()}
            else:
                yield [example]


def need_range(inputs: Any, compute: str) -> None:
    """Do nothing where all inputs can be written in `compute`.

    Raises:
        Unsupported: Some are beyond its largest number.
    """
    largest = float(tf.dtypes.as_dtype(compute).max)
    for name, array in nests.named(inputs, "input").items():
        if array.dtype.kind == "f" and float(np.abs(array).max(initial=0)) > largest:
            raise Unsupported(
                f"input {name!r} holds values up to {np.abs(array).max():.6g}, {compute} ends at "
                f"{largest:.0f}: scale it before the model"
            )


def plain_name(name: str) -> str:
    """A name as an identifier: what TensorFlow's signatures allow."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{plain}" if plain[:1].isdigit() else plain
