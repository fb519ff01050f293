"""A task: what outputs are to tell, how good they are, and what training makes small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from scenarios.core.data import nests
from scenarios.core.data.nests import Nest
from scenarios.core.data.values import Data
from scenarios.core.tasks import judging, losses, matching
from scenarios.core.tasks.answers import Answers
from scenarios.core.tasks.forms import Form
from scenarios.core.tasks.metrics import Metric

Kind = Literal["classification", "binary", "multilabel", "regression", "segmentation", "other"]


@dataclass(frozen=True)
class Compiled:
    """What the user's model was compiled with; empty where it was not."""

    loss: Any = None
    """A name, a function or an object of Keras; by output name where there are several."""
    metrics: tuple[str, ...] = ()
    optimizer: Callable[[], Any] | None = None
    """Makes a fresh one with its settings."""
    loss_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Of one output; of several outputs `parts` holds one for each."""

    kind: Kind
    line: str
    """What was inferred, one sentence."""
    form: Form = "reals"
    metrics: tuple[Metric, ...] = ()
    """The first is the quality; none without targets."""
    classes: int = 0
    """Class numbers that targets may have; tags of a multilabel task."""
    class_names: tuple[str, ...] = ()
    threshold: float = 0.5
    """Outputs above it say yes, where one unit (or one a tag) decides."""
    one_hot: bool = False
    """Targets were one-hot rows, which a loss of the user's may want back."""
    series: bool = False
    """Examples follow one another in time: their errors are not independent."""
    compiled: Compiled = field(default_factory=Compiled)
    parts: Mapping[str, Task] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def fitted(self, data: Data) -> Data:
        """Data whose targets have the form that loss and metrics take.

        Class numbers of one-hot rows, the source's own numbers where the model has a unit for each,
        real numbers in the outputs' shape.
        """
        return matching.fitted(self, data)

    def loss(self, targets: Any, outputs: Any) -> Any:
        """Mean loss of fitted targets under outputs, a float32 scalar tensor."""
        return losses.loss(self, targets, outputs)

    def answers(self, outputs: np.ndarray, targets: np.ndarray) -> Answers:
        """Outputs beside fitted targets, as metrics take them."""
        given = Answers(
            np.asarray(targets), np.asarray(outputs), self.kind, self.form, self.threshold
        )
        return given.counted(self.classes) if self.kind == "segmentation" else given

    def quality(self, outputs: Nest, targets: Nest | None) -> judging.Quality | None:
        """How good outputs are on fitted targets; None where nothing can be compared."""
        if self.parts:
            return self._of_parts(outputs, targets)
        if targets is None or not self.metrics:
            return None
        return judging.quality(self, *(
            next(iter(nests.named(nest).values())) for nest in (outputs, targets)
        ))  # fmt: skip

    def guessing(self, outputs: Nest, targets: Nest | None) -> str | None:
        """A sentence where outputs are no better than guessing, else None."""
        if self.parts:
            told = [name for name, part in self.parts.items() if part.metrics]
            return self.parts[told[0]].guessing(
                nests.named(outputs)[told[0]], nests.named(targets)[told[0]]
            ) if told and targets is not None else None  # fmt: skip
        if targets is None or not self.metrics:
            return None
        return judging.guessing(self, *(
            next(iter(nests.named(nest).values())) for nest in (outputs, targets)
        ))  # fmt: skip

    def _of_parts(self, outputs: Nest, targets: Nest | None) -> judging.Quality | None:
        known = nests.named(targets) if targets is not None else {}
        found = {
            name: part.quality(nests.named(outputs)[name], known[name])
            for name, part in self.parts.items()
            if name in known
        }
        return judging.joined({name: each for name, each in found.items() if each is not None})
