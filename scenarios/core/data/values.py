"""What a workload is trained and judged on: examples, with or without targets, in two parts."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from scenarios.core.data import nests
from scenarios.core.data.nests import Nest
from scenarios.core.data.signature import Spec, spec_of

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
    """A training part, where there is one, and a test part.

    As it was read it holds values as they lie in the source; `fit` makes them what a model takes.
    """

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
    class_names: tuple[Any, ...] = ()
    """The label of each class number in the source, where it was another."""
    shuffled: bool = False
    """The training examples are in a random order already."""
    assumed_target: str = ""
    """The column that was taken as target because none was named."""
    origin: bytes = b""
    """Digest of the data this was derived from, and of how; empty: it was read so."""

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
    def spec(self) -> Spec | dict[str, Spec]:
        """Shape and dtype of each input's examples."""
        found: Spec | dict[str, Spec] = nests.mapped(spec_of, self.test.inputs)
        return found

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example; of a table of single columns (columns,)."""
        if isinstance(self.test.inputs, Mapping):
            columns = [
                array for array in self.test.inputs.values() if array.shape[1:] in ((), (1,))
            ]
            if len(columns) == len(self.test.inputs):
                return (len(columns),)
        return tuple(self.x_test.shape[1:])

    @property
    def units(self) -> int:
        """Outputs that a model for its targets needs; 0 where it has none."""
        if self.classes or self.test.targets is None:
            return self.classes
        first = next(iter(nests.named(self.test.targets).values()))
        if first.ndim >= 3 and first.dtype.kind in "iub":  # a mask: one number a pixel
            return int(first.max()) + 1
        return int(first.shape[-1]) if first.ndim > 1 else 1

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all inputs and targets; read with the data, once for all launches."""
        if self.origin:
            return self.origin
        digest = hashlib.sha256()
        for part in (self.train, self.test):
            if part is not None:
                nests.update_digest(digest, part.inputs)
                nests.update_digest(digest, part.targets)
        return digest.digest()

    @cached_property
    def scaled(self) -> Data:
        """Images of whole numbers as float32 in 0..1; made once, as launches are forked with it."""
        from scenarios.core.data.pixels import scaled

        return scaled(self) if self.kind == "images" else self

    def derived(self, how: str, **changes: Any) -> Data:
        """These data changed; `how` names everything that determines the change."""
        return dataclasses.replace(
            self, origin=hashlib.sha256(self.digest + how.encode()).digest(), **changes
        )

    def with_inputs(self, how: str, function: Any, **changes: Any) -> Data:
        """These data with `function` of the inputs' nest of each part."""
        return self.derived(how, **changes, **{
            name: Part(function(part.inputs), part.targets)
            for name in ("train", "test")
            if (part := getattr(self, name)) is not None
        })  # fmt: skip

    def with_targets(self, how: str, function: Any, **changes: Any) -> Data:
        """These data with `function` of the targets' nest of each part."""
        return self.derived(how, **changes, **{
            name: Part(part.inputs, function(part.targets))
            for name in ("train", "test")
            if (part := getattr(self, name)) is not None and part.targets is not None
        })  # fmt: skip

    def _array(self, part: str, role: str) -> np.ndarray:
        found = getattr(getattr(self, part), role, None)
        if not isinstance(found, np.ndarray):
            raise TypeError(f"{self.name}: the {part} part has no {role} of one array")
        return found
