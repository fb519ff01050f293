"""The workload: data, model and task composed into one value that every scenario is applied to."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results import cache_folder
from bench.results.errors import Unsupported, UsageError
from bench.results.tolerance import FIRST_LOSSES
from bench.results.values import WorkloadSpec
from scenarios.core import artifacts, budget, composition, facts, models, user_code
from scenarios.core.comparable import RecordedLoss, with_dense_gradients, without_chance
from scenarios.core.data import Data, Part, calibration, load, nests
from scenarios.core.models import Network, keras_models
from scenarios.core.quality import in_blocks
from scenarios.core.tasks import Task, infer

Builder = Callable[[tuple[int, ...], int], tf.keras.Model]
Step = Callable[[Any, Any], Any]
LEARNING_RATE = 1e-3
LEAST_UPDATES, MOST_UPDATES, MOST_EPOCHS = 800, 6000, 30


class Workload:
    """What is trained and deployed, and how good it is.

    Attributes:
        spec: The names it was made from.
        facts: What the model is.
        data: Inputs as the model takes them, and targets as its task takes them.
        threads: Threads that any runtime may use here.
        devices: Number of devices that the scenario asked for.
        maker: Names who makes artifacts, where that is not a launch with its one scenario.
        recorded: The loss that Keras's `fit` was given last, where the workload is comparable.
        lookup: Turns words into numbers before the network, where that is no part of it.
        tail: The Keras model behind that look-up.
        trainings: What training its models took so far, those of cached artifacts too.
        own: What the user's function put together, where one did.
    """

    def __init__(
        self,
        spec: WorkloadSpec,
        threads: int = 1,
        data: Data | None = None,
        devices: int = 1,
        maker: str = "",
    ) -> None:
        self.spec = spec = composition.resolved(spec)
        self.own = composition.of(spec.factory) if spec.factory else None
        self._raw = None if spec.data == facts.SAMPLES else data or load(spec)
        self.facts, self._outputs = facts.find(spec, self._raw, lambda: self.source, self._cache)
        self._fitted = facts.fitted(spec, self._raw, self.facts)
        self.data = self.task.fitted(self._fitted)
        self.threads = threads
        self.devices = devices
        self.maker = maker
        self.recorded: RecordedLoss | None = None
        self.trainings: list[budget.Training] = []
        self.lookup: Callable[[Any], Any] | None = None
        self.tail: Any = None

    @property
    def comparable(self) -> bool:
        """Whether only losses are asked for, to be compared with another path's.

        Its models then draw no random numbers. Where a technique cuts batches in parts, each with
        batch statistics of its own, let it train on the running statistics instead.
        """
        return self.spec.comparable

    # --- the model ----------------------------------------------------------------------------

    @cached_property
    def source(self) -> models.Source:
        """The model in the form it came in."""
        shape: tuple[int, ...] = ()
        if self._raw is not None:
            shape = _shape(self._raw.scaled)
        return models.find(self.spec, shape, self._raw.units if self._raw else 0)

    def build(self, input_shape: tuple[int, ...], classes: int) -> tf.keras.Model:
        """The user's model, or one of another shape where its builder makes one."""
        return models.find(self.spec, input_shape, classes).keras()

    @property
    def replaceable(self) -> bool:
        """Whether another architecture may stand in the model's place."""
        return "architecture:free" in self.facts.provides

    def model(self, build: Builder | None = None) -> tf.keras.Model:
        """A new model from `build` (default: the workload's) with the shared initial weights.

        Every scenario of one architecture starts from the same weights, in Keras 2 and 3; repeated
        trainings each from their own. A trained model starts from the weights it came with.
        """
        source = None if build else self.source  # looking at a model draws random numbers too
        tf.keras.utils.set_random_seed(self._start)
        if source is None:
            assert build is not None
            model = user_code.calling(build, _shape(self.data), self.data.units)
        else:
            initial = self.base / "initial.npz"
            shared = not (self.facts.trained or self.spec.training) and initial.exists()
            model = source.keras(_weights(initial) if shared else None)
        return without_chance(model) if self.comparable else model

    def trained_model(self) -> tf.keras.Model:
        """The network that inference scenarios share: as given, or trained once by `prepare`."""
        if self.tail is not None:
            return self.tail
        source = self.source  # as in `model`: a builder may draw numbers that are no weights
        tf.keras.utils.set_random_seed(self._start)
        if self.facts.trained:
            return source.keras()
        file = self.trained_file if self.learns else self.base / "initial.npz"
        return source.keras(_weights(file))

    @property
    def learns(self) -> bool:
        """Whether `prepare` trains the baseline: a builder's model, on data with targets."""
        wanted = self.replaceable or self.spec.epochs > 0
        return wanted and not self.facts.trained and self.trainable == ""

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

    def network(self, model: Any = None) -> Network:
        """The trained network in inference mode: a nest of inputs to a nest of outputs, by name.

        Args:
            model: Another Keras model of the same inputs and outputs, in its place.
        """
        if model is not None:
            return keras_models.answering(model)
        if "model:keras" in self.facts.provides:
            return keras_models.answering(self.trained_model())
        return self.source.network()

    # --- the task -----------------------------------------------------------------------------

    @cached_property
    def task(self) -> Task:
        """What the outputs are to tell: as asked for, or inferred from outputs and targets."""
        if not len(self._outputs):
            return Task("other", "quality is agreement with the original's outputs")
        own = self.facts.loss == "own"
        compiled = self.source.compiled if own else self.facts.compiled
        return infer(self.spec, self._fitted, self._outputs, compiled)

    @property
    def gives_probabilities(self) -> bool:
        """Whether outputs are probabilities, and not logits: seen from the outputs."""
        return self.task.form != "reals"

    @tf.autograph.experimental.do_not_convert  # nothing in it needs converting, which takes 0.3 s
    def loss(self, targets: Any, outputs: Any) -> Any:
        """Mean loss of a batch's targets under the model's outputs, a float32 scalar."""
        if len(self.facts.outputs) > 1 and not isinstance(outputs, dict):
            outputs = dict(zip(self.facts.outputs, tf.nest.flatten(outputs), strict=True))
        return self.task.loss(targets, outputs)

    def fit_loss(self, model: Any, loss: Callable[[Any, Any], Any] | None = None) -> Any:
        """A loss for Keras's `compile`: `loss`, by default the workload's.

        A comparable workload keeps what each batch gave, where `fit` only reports means.
        """
        if not self.comparable:
            return loss or self.loss
        self.recorded = RecordedLoss(loss or self.loss, model)
        return self.recorded

    def optimizer(self, model: Any) -> Any:
        """Adam at the reference guide's rate, 1e-3, or the compiled one; its variables are made.

        Made now, or a tf.function would be traced twice: once to make them, once to run.
        """
        own = self.own_optimizer
        optimizer = own() if own else tf.keras.optimizers.Adam(LEARNING_RATE)
        optimizer.build(model.trainable_variables)
        return with_dense_gradients(optimizer) if self.comparable else optimizer

    @property
    def own_optimizer(self) -> Callable[[], Any] | None:
        """Makes the optimizer that the user compiled the model with, or gave; None: neither."""
        make = self.source.compiled.optimizer
        return None if make is None else lambda: keras_models.optimizer(make())

    def step(self, model: Any, optimizer: Any) -> Callable[[Step], Step]:
        """Decorates the plain step: the user's own `train_step` takes its place where there is one.

        Args:
            model: That is trained.
            optimizer: Of its variables.
        """
        make = self.own.train_step if self.own else None
        if make is None:
            return lambda plain: plain
        return lambda plain: user_code.calling(make, model, optimizer)

    def plain_step_only(self, why: str) -> None:
        """Raise Unsupported where the user has a `train_step`: the technique is in the step."""
        if self.own and self.own.train_step is not None:
            raise Unsupported(f"{why}: your own train_step would have to do it; leave it out")

    def callbacks(self) -> list[Any]:
        """The user's own callbacks for Keras's `fit`."""
        given: Any = self.own.callbacks if self.own else ()
        return list(user_code.calling(given) if callable(given) else given)

    # --- training pieces ----------------------------------------------------------------------

    @property
    def _start(self) -> int:
        """Seed of the initial weights and of the order of batches: of each training its own."""
        return self.spec.seed + 1000 * self.spec.training

    @property
    def batch_size(self) -> int:
        """Examples in a training step: the workload's, or all where there are fewer."""
        return min(self.spec.batch, len(self.data.train or ()) or self.spec.batch)

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

    # --- inference pieces ---------------------------------------------------------------------

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

    def reference(self, like: Any = None) -> Any:
        """The trained network's outputs on the test inputs; kept in the cache.

        Args:
            like: Outputs of a path: None is returned where the network has others.
        """
        if "model:graph" not in self.facts.provides:
            return None
        file = self.artifact("reference.npz", self._write_reference)
        with np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        outputs: Any = next(iter(found.values())) if len(found) == 1 else found
        if like is not None and not _alike(like, outputs):
            return None
        return outputs

    def _write_reference(self, path: Path) -> None:
        batch = self.facts.fixed_batch or min(32, len(self.data.test))
        outputs = in_blocks(self.network(), self.data.test.inputs, batch)
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **nests.named(outputs, "output"))

    # --- cache --------------------------------------------------------------------------------

    @property
    def _cache(self) -> Path:
        return Path(self.spec.cache) if self.spec.cache else cache_folder.default()

    @cached_property
    def base(self) -> Path:
        """Folder of this workload; its name covers all that determines it but time."""
        digest = hashlib.sha256()
        plain = dataclasses.replace(
            self.spec, cache="", training=0, comparable=False, train_budget_s=0.0
        )
        digest.update(repr((plain, self.data.name, self.epochs)).encode())
        digest.update(self.data.digest)
        digest.update(facts.model_digest(self.spec))
        digest.update("|".join(artifacts.trainers()).encode())
        folder = self._cache / digest.hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def baseline_budget_s(self) -> float:
        """Time that the baseline's training may take; 0: as long as it needs."""
        return budget.BASELINE * self.spec.train_budget_s

    @property
    def trained_file(self) -> Path:
        """The baseline's weights, trained for as long as the budget gives."""
        file, budget_s = self.base / "trained.npz", self.baseline_budget_s
        if all(each.suffices(budget_s) for each in budget.kept(file)):
            return file
        return self.base / f"within-{budget_s:g}s" / "trained.npz"

    @cached_property
    def folder(self) -> Path:
        """Folder of what is derived from the trained baseline."""
        return self.trained_file.parent

    def artifact(self, name: str, make: Callable[[Path], None], built_for: str = "") -> Path:
        """The file or folder `name`, made by `make(path)` if it is not in the cache yet.

        The cache is addressed by the workload, by the sources and packages that make it, and by
        the device that it is built for (`artifacts.cached`), so that what changed never meets an
        old file. And by its maker: functions and variables are named by counters of the process
        (`_316`, or `_30774` after other models), so that one model saved by two makers differs by
        some bytes. Where making it takes a training, one that a smaller budget cut is not reused.
        """
        known = len(self.trainings)

        def made(path: Path) -> None:
            make(path)
            budget.keep(path.with_name(name), self.trainings[known:])

        budget_s = self.spec.train_budget_s
        file = artifacts.cached(self.folder / self.maker, name, made, built_for)
        if not all(each.suffices(budget_s) for each in budget.kept(file)):
            within = f"{built_for} within {budget_s:g} s"
            file = artifacts.cached(self.folder / self.maker, name, made, within)
        if len(self.trainings) == known:
            self.trainings += budget.kept(file)
        return file


def plain_name(name: str) -> str:
    """A name as an identifier: what TensorFlow's signatures allow."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return f"_{plain}" if plain[:1].isdigit() else plain


def _weights(file: Path) -> Callable[[Any], None]:
    if not file.exists():
        raise UsageError(f"{file.name} is not in the cache: prepare the workload first")
    return lambda model: artifacts.load_weights(model, file)


def _alike(one: Any, other: Any) -> bool:
    own, others = nests.named(one), nests.named(other)
    return own.keys() == others.keys() and all(own[k].shape == others[k].shape for k in own)


def _shape(data: Data) -> tuple[int, ...]:
    """Of one example, as builders take it; () where there are several inputs."""
    several = isinstance(data.test.inputs, dict) and not _columns(data)
    return () if several else data.input_shape


def _columns(data: Data) -> bool:
    return all(array.shape[1:] in ((), (1,)) for array in nests.arrays(data.test.inputs))
