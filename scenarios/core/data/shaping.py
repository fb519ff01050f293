"""Arrays in the shape that a model's input has."""

from __future__ import annotations

from math import prod

import numpy as np

from scenarios.core.data.resizing import resized, with_channels
from scenarios.core.data.signature import Spec, said

CHANNELS = (1, 3, 4)


class Mismatch(ValueError):
    """The array cannot be brought into the shape; the message says which dimension stands out."""


def shaped(array: np.ndarray, spec: Spec) -> tuple[np.ndarray, list[str]]:
    """The array [N, ...] in the spec's shape, and what was done that is worth a sentence.

    Images are resized and get the model's channels (and their place: some models take them first),
    a missing last axis of 1 is added, one too many dropped; sequences of numbers are filled up.

    Raises:
        Mismatch: None of these leads there.
    """
    if _fits(array.shape[1:], spec.shape):
        return array, []
    if len(spec.shape) == 3 and array.ndim in (3, 4):
        grey = array[..., None] if array.ndim == 3 else array
        if grey.shape[-1] in CHANNELS:
            return _image(grey, spec)
    if _fits((*array.shape[1:], 1), spec.shape):
        return array[..., None], []
    if array.ndim > 1 and array.shape[-1] == 1 and _fits(array.shape[1:-1], spec.shape):
        return array[..., 0], []
    if len(spec.shape) == 1 and spec.shape[0] == prod(array.shape[1:]):
        return array.reshape(len(array), -1), [f"{said(array.shape[1:])} was flattened"]
    if (
        len(spec.shape) == array.ndim - 1
        and _fits(array.shape[2:], spec.shape[1:])
        and (length := spec.shape[0]) is not None
        and array.shape[1] < length
        and (array.dtype.kind in "iu" or len(spec.shape) > 1)
    ):
        missing = length - array.shape[1]
        widths = [(0, 0), (0, missing), *[(0, 0)] * (array.ndim - 2)]
        return np.pad(array, widths), [f"sequences were padded from {array.shape[1]} to {length}"]
    if len(spec.shape) != array.ndim - 1:
        raise Mismatch(f"{array.ndim - 1} dimensions for {len(spec.shape)}")
    wrong = next(i for i, (a, b) in enumerate(zip(array.shape[1:], spec.shape, strict=True))
                 if b not in (a, None))  # fmt: skip
    raise Mismatch(f"{array.shape[wrong + 1]} for {spec.shape[wrong]} in dimension {wrong + 1}")


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        b in (a, None) for a, b in zip(shape, wanted, strict=True)
    )


def _image(images: np.ndarray, spec: Spec) -> tuple[np.ndarray, list[str]]:
    first = spec.shape[0] in CHANNELS and spec.shape[2] not in CHANNELS
    channels, height, width = spec.shape if first else (spec.shape[2], *spec.shape[:2])
    notes = []
    own = images.shape[1:]
    if channels not in (own[2], None):
        try:
            images = with_channels(images, channels)
        except ValueError as error:
            raise Mismatch(str(error)) from None
        notes.append(f"images of {own[2]} channels were given {channels}")
    size = (height or own[0], width or own[1])
    if size != own[:2]:
        images = np.stack([resized(image, *size) for image in images])
        notes.append(f"images were resized from {said(own[:2])} to {said(size)}")
    return (images.transpose(0, 3, 1, 2) if first else images), notes
