"""The range of pixel values: scaled by their type, or raw where the model scales them itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scenarios.core.data.signature import Spec
from scenarios.core.data.values import Data


@dataclass(frozen=True)
class Scaling:
    """How values become what the model expects."""

    apply: Callable[[np.ndarray], np.ndarray]
    note: str = ""


def scaled(data: Data) -> Data:
    """Images as float32 in 0..1: whole numbers are divided by the range of their type."""
    images = data.test.inputs
    if not isinstance(images, np.ndarray) or images.dtype.kind == "f":
        return data
    scale = scaling(images, Spec(images.shape[1:]), True, "image")
    return data.with_inputs("scaled", scale.apply, notes=(*data.notes, scale.note))


def scaling(array: np.ndarray, spec: Spec, images: bool, name: str) -> Scaling:
    """How the values of an input reach the model.

    Args:
        array: Examples as they were read.
        spec: What the model expects.
        images: Whether they are pixels.
        name: Of the input, for the note.
    """
    if not images or spec.takes_strings or spec.takes_integers:
        return Scaling(lambda x: x)
    if array.dtype.kind == "f":
        return Scaling(lambda x: x, _warning(array, spec, name))
    full = type_range(array)
    if spec.wants_raw_pixels:
        wanted = 255 if spec.high is None or spec.high < 1000 else 65535
        layer = spec.scaled_by or f"the model's input {name!r}"
        if wanted == full:
            return Scaling(
                lambda x: x.astype(np.float32),
                f"pixels were left in 0..{full}: {layer} scales them",
            )
        return Scaling(
            lambda x: (x * (wanted / full)).astype(np.float32),
            f"pixels were scaled from 0..{full} to 0..{wanted}: {layer} scales them further",
        )
    low, high = spec.low or 0.0, 1.0 if spec.high is None else spec.high
    if wants_default(spec):
        return Scaling(
            lambda x: np.divide(x, full, dtype=np.float32), f"pixels were divided by {full}"
        )
    return Scaling(
        lambda x: (x * ((high - low) / full) + low).astype(np.float32),
        f"pixels were scaled from 0..{full} to {low:g}..{high:g}",
    )


def wants_default(spec: Spec) -> bool:
    """Whether a model takes real numbers, and nothing is known but that they are in 0..1."""
    plain = not (spec.takes_strings or spec.takes_integers)
    return plain and (spec.low or 0.0) == 0.0 and spec.high in (None, 1.0)


def type_range(array: np.ndarray) -> int:
    """Largest value of the pixels' type: 255 or 65535.

    Arrays of wider integers hold what 8 or 16 bits did: the values tell which.
    """
    if array.dtype == np.uint8:
        return 255
    if array.dtype == np.uint16:
        return 65535
    largest = int(array.max(initial=0))
    return 1 if largest <= 1 else 255 if largest <= 255 else 65535


def _warning(array: np.ndarray, spec: Spec, name: str) -> str:
    """What is wrong with the range of real pixel values, or nothing."""
    if spec.high is None or not array.size:
        return ""
    low, high = float(array.min()), float(array.max())
    layer = spec.scaled_by or f"the model's input {name!r}"
    wanted = f"{spec.low or 0:g}..{spec.high:g}"
    if spec.wants_raw_pixels and high <= 1.0:
        return (
            f"warning: {layer} expects pixels in {wanted}, the data are in {low:g}..{high:g} "
            "already: give the pixels as they are (uint8), or leave the layer out"
        )
    if not spec.wants_raw_pixels and high > 1.5:
        return (
            f"warning: {layer} expects values in {wanted}, the data are in {low:g}..{high:g}: "
            "scale them as in training"
        )
    return ""
