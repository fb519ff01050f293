"""What a scenario returns: a path that a launch can step through, prove and evaluate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from scenarios.core import refusals

Proof = Callable[[], dict[str, Any]]


def nothing_to_prove() -> dict[str, Any]:
    """Proof of a path that uses no technique beyond its baseline's."""
    return {}


@dataclass
class TrainingPath:
    """A training loop, ready for its first update.

    `step(x, y)` makes one update on a batch and returns its loss (a scalar). A path that draws
    its own data (Keras `fit`) leaves `batches` out and makes `updates` updates in `step()`; it
    returns the loss of each, or compiles `workload.fit_loss`, which keeps them for a comparison.
    """

    model: Any
    step: Callable[..., Any]
    examples: int
    """Examples in one step."""
    batches: Iterator[tuple[Any, ...]] | None = None
    updates: int = 1
    """Optimizer updates in one step."""
    proof: Proof = nothing_to_prove
    """Facts that show the technique engaged; raises NotEngaged where it did not."""
    predict: Callable[[np.ndarray], np.ndarray] | None = None
    """Class scores [N, classes] of inputs [N, ...]; default: the model's."""

    def advance(self) -> Any:
        """Make one step on the next batch."""
        try:
            return self.step() if self.batches is None else self.step(*next(self.batches))
        except Exception as error:
            known = refusals.explained(error, self.model)
            if known is None:
                raise
            raise known from error


@dataclass
class InferencePath:
    """A deployed model, ready to answer.

    `infer(x)` returns the outputs of one prepared input, a dict by name where there are several;
    `inputs` holds several, so that nothing can cache one answer.
    """

    infer: Callable[[Any], Any]
    inputs: Sequence[Any]
    examples: int
    """Examples in one input."""
    predict: Callable[[Any], Any]
    """Outputs of inputs (nests of arrays [N, ...]) by the same deployed form."""
    artifact: FilePath | None = None
    """File or folder that would be shipped."""
    model: Any = None
    """The Keras model, where there is one: parameters and multiply-adds are counted on it."""
    proof: Proof = nothing_to_prove
    refused: Callable[[Exception], Exception] | None = None
    """What an error of `infer` means where only the first call compiles: an Unsupported."""
    calls: int = field(default=0, init=False)

    def advance(self) -> Any:
        """Answer the next input."""
        self.calls += 1
        try:
            return self.infer(self.inputs[self.calls % len(self.inputs)])
        except Exception as error:
            if self.refused is None:
                raise
            raise self.refused(error) from None


@dataclass
class InputPath:
    """An input pipeline: one step is its next batch.

    `dataset` is an endless tf.data pipeline of (x, y) batches; `train` makes one update on a
    batch, so that the launch can see how much of a training step waits for input.
    """

    dataset: Any
    examples: int
    train: Callable[[Any, Any], Any] | None = None
    warmup: int = 0
    """Batches until shuffle buffer, cache and prefetch are full."""
    proof: Proof = nothing_to_prove
    iterator: Any = field(default=None, init=False)

    def advance(self) -> Any:
        """Draw the next batch."""
        if self.iterator is None:
            self.iterator = iter(self.dataset)
        return next(self.iterator)


@dataclass
class JobPath:
    """A whole job as one step: a search, or the training to a target."""

    job: Callable[[], Any]
    examples: int = 1
    """Units of work in the job (trials, or 1)."""
    proof: Proof = nothing_to_prove
    model: Any = None
    predict: Callable[[np.ndarray], np.ndarray] | None = None
    accuracy: Callable[[], float] | None = None
    """Quality of what the job made; default: of `predict`."""
    figures: Callable[[], dict[str, float]] | None = None
    """What the last job itself measured, with units in the names; kept of every launch."""

    def advance(self) -> Any:
        """Do the job."""
        with refusals.told(self.model):
            return self.job()
