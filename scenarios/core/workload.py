"""The workload: data, model and task composed into one value that every scenario is applied to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported, UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import artifacts, budget, composition, facts, models, user_code
from scenarios.core.comparable import (
    RecordedLoss,
    disturbed,
    with_dense_gradients,
    without_chance,
)
from scenarios.core.data import Data, load, nests
from scenarios.core.keeping import Keeping
from scenarios.core.models import Network, keras_models
from scenarios.core.quality import in_blocks
from scenarios.core.tasks import Task, infer

Builder = Callable[[tuple[int, ...], int], tf.keras.Model]
Step = Callable[[Any, Any], Any]
LEARNING_RATE = 1e-3


class Workload(Keeping):
    """What is trained and deployed, and how good it is.

    A user's function puts one together by `Workload(data=…, model=…, task=…, …)`, and so returns a
    `Composition`; scenarios get what a launch makes of it.

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
        remarks: What a row must say of how its path was measured.
        own: What the user's function put together, where one did.
    """

    def __new__(cls, *given: Any, **parts: Any) -> Any:
        """Of names a workload; of data and a model of the user's own their composition.

        Raises:
            UsageError: A workload has no such part.
        """
        copied = not (given or parts)
        if copied or isinstance(given[0] if given else parts.get("spec"), WorkloadSpec):
            return super().__new__(cls)
        return composition.workload(*given, **parts)

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
        self.remarks: list[str] = []
        self.lookup: Callable[[Any], Any] | None = None
        self.tail: Any = None

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
        if build is not None:
            tf.keras.utils.set_random_seed(self._start)
            model = user_code.calling(build, _shape(self.data), self.data.units)
        else:
            initial = self.base / "initial.npz"
            shared = not (self.facts.trained or self.spec.training) and initial.exists()
            model = self._made(_weights(initial) if shared else None)
        if not self.comparable:
            return model
        return disturbed(without_chance(model), self.spec.disturbed, self.spec.disturbance)

    def trained_model(self) -> tf.keras.Model:
        """The network that inference scenarios share: as given, or trained once by `prepare`."""
        if self.tail is not None:
            return self.tail
        if self.facts.trained:
            return self._made()
        file = self.trained_file if self.learns else self.base / "initial.npz"
        return self._made(_weights(file))

    def _made(self, weights: Callable[[Any], None] | None = None) -> tf.keras.Model:
        """A new model, the first that is made after the seeds are set: it may draw numbers.

        Where nobody has looked at the model yet, it is the one that is made to look at it.
        """
        if "source" not in vars(self):
            tf.keras.utils.set_random_seed(self._start)
            if (model := self.source.looked_at(weights)) is not None:
                return model
        tf.keras.utils.set_random_seed(self._start)
        return self.source.keras(weights)

    @property
    def learns(self) -> bool:
        """Whether `prepare` trains the baseline: a builder's model, on data with targets."""
        wanted = self.replaceable or self.spec.epochs > 0
        return wanted and not self.facts.trained and self.trainable == ""

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
