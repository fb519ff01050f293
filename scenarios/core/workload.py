"""The workload: model builder, data, loss and quality, as one value for every scenario."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError
from bench.results.tolerance import FIRST_LOSSES
from bench.results.values import WorkloadSpec
from scenarios.core import artifacts, models, user_code
from scenarios.core.comparable import RecordedLoss, without_chance
from scenarios.core.data import Data, fit, load

Builder = Callable[[tuple[int, ...], int], tf.keras.Model]
LEARNING_RATE = 1e-3
LEAST_UPDATES, MOST_UPDATES, MOST_EPOCHS = 800, 6000, 30


class Workload:
    """What is trained and deployed, and how good it is.

    Attributes:
        spec: The names it was made from.
        data: Images float32 [N, H, W, C] and labels int64 [N], train and test half.
        build: `build(input_shape, classes)` → a Keras model with output [N, classes].
        threads: Threads that any runtime may use here.
        devices: Number of devices that the scenario asked for.
        maker: Names who makes artifacts, where that is not a launch with its one scenario.
        gives_probabilities: Whether the model ends in a softmax (else it puts out logits).
        recorded: The loss that Keras's `fit` was given last, where the workload is comparable.
    """

    def __init__(
        self,
        spec: WorkloadSpec,
        threads: int = 1,
        data: Data | None = None,
        devices: int = 1,
        maker: str = "",
    ) -> None:
        self.spec = spec
        self.data = fit(data or load(spec))
        self.build, self._model_source = find_builder(spec.model)
        self.threads = threads
        self.devices = devices
        self.maker = maker
        self.gives_probabilities = True
        self.recorded: RecordedLoss | None = None

    @property
    def comparable(self) -> bool:
        """Whether only losses are asked for, to be compared with another path's.

        Its models then draw no random numbers. Where a technique cuts batches in parts, each with
        batch statistics of its own, let it train on the running statistics instead.
        """
        return self.spec.comparable

    # --- models -------------------------------------------------------------------------------

    def model(self, build: Builder | None = None) -> tf.keras.Model:
        """A new model from `build` (default: the workload's) with the shared initial weights.

        Every scenario of one architecture starts from the same weights, in Keras 2 and 3; repeated
        trainings each from their own.
        """
        model = self._built(build)
        if build is None and not self.spec.training and (self.folder / "initial.npz").exists():
            artifacts.load_weights(model, self.folder / "initial.npz")
        return without_chance(model) if self.comparable else model

    def trained_model(self) -> tf.keras.Model:
        """The converged baseline that all inference scenarios share; trained once, by `prepare`."""
        model = self._built(None)
        artifacts.load_weights(model, self.folder / "trained.npz")
        return model

    def _built(self, build: Builder | None) -> tf.keras.Model:
        tf.keras.utils.set_random_seed(self._start)
        try:
            shape, classes = self.data.input_shape, self.data.classes
            model = user_code.calling(build or self.build, shape, classes)
        except UsageError as error:
            raise UsageError(
                f"model {self.spec.model!r} cannot be built for input {shape}: {error}"
            ) from error
        outputs = model.output_shape
        if isinstance(outputs, tuple) and outputs != (None, self.data.classes):
            raise UsageError(
                f"model {self.spec.model!r} puts out {outputs}, but the labels need "
                f"(None, {self.data.classes}): let its last layer have {self.data.classes} units"
            )
        last = model.layers[-1]
        activation = getattr(getattr(last, "activation", None), "__name__", "")
        self.gives_probabilities = type(last).__name__ == "Softmax" or activation == "softmax"
        return model

    @property
    def _start(self) -> int:
        """Seed of the initial weights and of the order of batches: of each training its own."""
        return self.spec.seed + 1000 * self.spec.training

    # --- training pieces ----------------------------------------------------------------------

    def loss(self, labels: Any, outputs: Any) -> Any:
        """Mean cross-entropy of labels [N] under outputs [N, classes], a float32 scalar."""
        each = tf.keras.losses.sparse_categorical_crossentropy(
            labels, tf.cast(outputs, tf.float32), from_logits=not self.gives_probabilities
        )
        return tf.reduce_mean(each)

    def fit_loss(self, model: Any, loss: Callable[[Any, Any], Any] | None = None) -> Any:
        """A loss for Keras's `compile`: `loss`, by default the workload's.

        A comparable workload keeps what each batch gave, where `fit` only reports means.
        """
        if not self.comparable:
            return loss or self.loss
        self.recorded = RecordedLoss(loss or self.loss, model)
        return self.recorded

    def optimizer(self, model: Any) -> Any:
        """Adam at the document's rate, 1e-3, with its variables made for `model`.

        Made now, or a tf.function would be traced twice: once to make them, once to run.
        """
        optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(model.trainable_variables)
        return optimizer

    def epoch(self, batch: int | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
        """One epoch's full batches (x [batch, H, W, C], y [batch]) in the order all use."""
        size = min(batch or self.spec.batch, len(self.data.x_train))
        order = np.random.default_rng(self._start).permutation(len(self.data.x_train))
        starts = range(0, len(order) - size + 1, size)
        batches = [
            (self.data.x_train[order[s : s + size]], self.data.y_train[order[s : s + size]])
            for s in starts
        ]
        # A path of whole epochs must make as many updates as are compared.
        return batches * (math.ceil(FIRST_LOSSES / len(batches)) if self.comparable else 1)

    def batches(self, batch: int | None = None) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
        """The epoch's batches as tensors in memory, again and again: no input cost in the step."""
        tensors = [(tf.constant(x), tf.constant(y)) for x, y in self.epoch(batch)]
        return itertools.cycle(tensors)

    def dataset(self, batch: int | None = None) -> tf.data.Dataset:
        """The same batches in the same order as a repeated tf.data pipeline."""
        pairs = self.epoch(batch)
        x, y = (np.stack([pair[i] for pair in pairs]) for i in (0, 1))
        return tf.data.Dataset.from_tensor_slices((x, y)).repeat().prefetch(tf.data.AUTOTUNE)

    @property
    def steps_per_epoch(self) -> int:
        """Full batches in an epoch at the workload's batch size."""
        return max(1, len(self.data.x_train) // self.spec.batch)

    @property
    def epochs(self) -> int:
        """Epochs of the baseline's training: enough updates to converge, bounded for large data."""
        if self.spec.epochs:
            return self.spec.epochs
        steps = self.steps_per_epoch
        return max(math.ceil(LEAST_UPDATES / steps), min(MOST_EPOCHS, MOST_UPDATES // steps), 1)

    # --- inference pieces ---------------------------------------------------------------------

    def inputs(self, batch: int = 1, count: int = 16) -> list[np.ndarray]:
        """`count` different inputs [batch, H, W, C] from the test half."""
        total = np.arange(batch * count) % len(self.data.x_test)
        return [np.ascontiguousarray(self.data.x_test[i]) for i in np.split(total, count)]

    def calibration(self, count: int = 100) -> Iterator[list[np.ndarray]]:
        """Representative training examples, one [1, H, W, C] at a time, for quantization."""
        for i in range(min(count, len(self.data.x_train))):
            yield [self.data.x_train[i : i + 1]]

    # --- cache --------------------------------------------------------------------------------

    @cached_property
    def folder(self) -> Path:
        """Folder of what is derived from this workload; its name covers all that determines it."""
        digest = hashlib.sha256()
        parts = (self.data.name, self.spec.model, self.spec.seed, self.spec.batch, self.epochs)
        digest.update(repr(parts).encode())
        digest.update(self.data.digest)
        digest.update(self._model_source)
        digest.update("|".join(artifacts.trainers()).encode())
        root = Path(self.spec.cache) if self.spec.cache else artifacts.default_cache()
        folder = root / digest.hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def artifact(self, name: str, make: Callable[[Path], None], built_for: str = "") -> Path:
        """The file or folder `name`, made by `make(path)` if it is not in the cache yet.

        The cache is addressed by the workload, by the sources and packages that make it, and by
        the device that it is built for (`artifacts.cached`), so that what changed never meets an
        old file. And by its maker: functions and variables are named by counters of the process
        (`_316`, or `_30774` after other models), so that one model saved by two makers differs by
        some bytes.
        """
        return artifacts.cached(self.folder / self.maker, name, make, built_for)


def find_builder(name: str) -> tuple[Builder, bytes]:
    """The builder `cnn`, `module:function` or `path/to/file.py:function`, and its source.

    Raises:
        UsageError: No such builder.
    """
    if name == "cnn":
        return models.cnn, Path(models.__file__).read_bytes()
    place, _, function = name.rpartition(":")
    if not place or not function:
        raise UsageError(
            f"unknown model {name!r}: use cnn, module:function or path/to/file.py:function"
        )
    return user_code.find(name, "model")
