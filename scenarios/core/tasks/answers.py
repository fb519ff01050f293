"""A model's answers beside the right ones, in the forms that metrics take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from scenarios.core.tasks import forms
from scenarios.core.tasks.forms import Form


@dataclass(frozen=True)
class Answers:
    """Outputs [N, ...] and the targets [N, ...] in the form that the task fitted them to."""

    targets: np.ndarray
    outputs: np.ndarray
    kind: str
    form: Form
    threshold: float
    counts: np.ndarray | None = None
    """Of segmentation: pixels [N, C·C] of each image by right and predicted class."""

    def take(self, indices: Any) -> Answers:
        """Those of some examples, with repetitions."""
        counts = None if self.counts is None else self.counts[indices]
        return replace(
            self, targets=self.targets[indices], outputs=self.outputs[indices], counts=counts
        )

    @property
    def examples(self) -> int:
        """Number of examples."""
        return len(self.targets)

    @cached_property
    def column(self) -> np.ndarray:
        """Outputs of a single unit without its axis of 1."""
        one = self.outputs.ndim > 1 and self.outputs.shape[-1] == 1
        return self.outputs[..., 0] if one else self.outputs

    @cached_property
    def predicted(self) -> np.ndarray:
        """Class numbers, 0/1 of tags, or the outputs themselves of a regression."""
        if self.kind in ("binary", "multilabel") or (
            self.kind == "segmentation" and forms.units(self.outputs) == 1
        ):
            return (self.column > self.threshold).astype(np.int64)
        if self.kind in ("classification", "segmentation"):
            found: np.ndarray = np.argmax(self.outputs, axis=-1)
            return found
        return self.column.reshape(self.targets.shape)

    @cached_property
    def scores(self) -> np.ndarray:
        """What examples are ranked by: each class's probability, or that of a positive."""
        if self.kind == "classification":
            return forms.softmax(self.outputs) if self.form == "reals" else self.outputs
        return self.column

    def changed(self, place: int) -> Answers:
        """With another answer to one example: the second choice, or the other side of the limit."""
        outputs = np.array(self.outputs)
        row = outputs[place]
        if self.kind == "classification":
            second, first = np.argsort(row)[-2:]
            row[[first, second]] = row[[second, first]]
        else:
            flat = outputs.reshape(len(outputs), -1)
            unit = place % flat.shape[1]
            flat[place, unit] = 2 * self.threshold - flat[place, unit]
        return replace(self, outputs=outputs)

    def counted(self, classes: int) -> Answers:
        """With `counts` filled: what metrics of masks are made from."""
        cells = self.targets.astype(np.int64) * classes + self.predicted
        flat = cells.reshape(len(cells), -1)
        counts = np.stack([np.bincount(row, minlength=classes * classes) for row in flat])
        return replace(self, counts=counts)
