"""What a workload is trained and judged on: examples, with or without targets, in two parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from scenarios.core.data import nests
from scenarios.core.data.nests import Nest

Kind = Literal["images", "table", "text", "series", "samples"]


@dataclass(frozen=True)
class Part:
    """Examples: inputs, and targets where there are any; the first axis of each is the example."""

    inputs: Nest
    targets: Nest | None = None

    def __len__(self) -> int:
        return nests.length(self.inputs)

    def take(self, indices: Any) -> Part:
        """The examples at `indices` (or of a slice)."""
        targets = None if self.targets is None else nests.take(self.targets, indices)
        return Part(nests.take(self.inputs, indices), targets)


@dataclass(frozen=True)
class Data:
    """A training part, where there is one, and a test part."""

    name: str
    kind: Kind
    train: Part | None
    test: Part
    classes: int = 0
    """Targets are class numbers 0..classes-1, int64 [N]; 0: they are something else."""
    target_accuracy: float | None = None
    """Accuracy on the test part that a converged baseline must reach, where it is known."""
    notes: tuple[str, ...] = ()
    """Sentences for the report: what was left out, scaled, resized or assumed."""

    @property
    def x_train(self) -> np.ndarray:
        """Training inputs of data with one input."""
        return self._array("train", "inputs")

    @property
    def y_train(self) -> np.ndarray:
        """Training targets of data with one kind of them."""
        return self._array("train", "targets")

    @property
    def x_test(self) -> np.ndarray:
        """Test inputs of data with one input."""
        return self._array("test", "inputs")

    @property
    def y_test(self) -> np.ndarray:
        """Test targets of data with one kind of them."""
        return self._array("test", "targets")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.x_test.shape[1:])

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all inputs and targets; read with the data, once for all launches."""
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            if part is not None:
                nests.update_digest(digest, part.inputs)
                nests.update_digest(digest, part.targets)
        return digest.digest()

    def _array(self, part: str, role: str) -> np.ndarray:
        found = getattr(getattr(self, part), role, None)
        if not isinstance(found, np.ndarray):
            raise TypeError(f"{self.name}: the {part} part has no {role} of one array")
        return found
