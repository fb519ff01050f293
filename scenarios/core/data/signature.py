"""What one input of a model is: shape of an example, dtype, and the values that it expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spec:
    """One input (or output) by its example's shape, without the batch axis."""

    shape: tuple[int | None, ...]
    """None: open, any length."""
    dtype: str = "float32"
    """A NumPy name, or `string`."""
    low: float | None = None
    """Smallest value that the first layers are made for, where they tell."""
    high: float | None = None
    scaled_by: str = ""
    """The first layer that rescales or normalises, in words: `layer 'rescaling' (× 0.00784)`."""

    def __str__(self) -> str:
        return f"{self.dtype} {said(self.shape)}"

    @property
    def takes_strings(self) -> bool:
        """Whether it wants text."""
        return self.dtype == "string"

    @property
    def takes_integers(self) -> bool:
        """Whether it wants whole numbers."""
        return not self.takes_strings and np.dtype(self.dtype).kind in "iu"

    @property
    def wants_raw_pixels(self) -> bool:
        """Whether it scales pixels of 0..255 itself."""
        return self.high is not None and self.high > 1.5


Signature = Mapping[str, Spec]


def said(shape: tuple[int | None, ...]) -> str:
    """A shape as people write it; an open dimension is a question mark."""
    return "×".join("?" if n is None else str(n) for n in shape) or "scalar"


def spec_of(array: np.ndarray) -> Spec:
    """The spec of an array's examples."""
    dtype = "string" if array.dtype.kind in "OUST" else str(array.dtype)
    return Spec(tuple(array.shape[1:]), dtype)
