"""Images of one size and number of channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


def to_one_size(
    images: Sequence[np.ndarray], wanted: tuple[int | None, ...] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Images [H, W, C] as one array [N, H, W, C], and what was done to them.

    Where they differ they get the wanted height and width, or else the most frequent; grey ones
    beside coloured ones get three channels, 8 bits beside 16 are scaled up.
    """
    notes = []
    depths = {image.dtype for image in images}
    if len(depths) > 1:
        images = [i.astype(np.uint16) * 257 if i.dtype == np.uint8 else i for i in images]
        notes.append("images of 8 and 16 bits were read with 16")
    most = max(image.shape[-1] for image in images)
    if any(image.shape[-1] != most for image in images):
        images = [with_channels(image, 3) for image in images]
        notes.append("grey and coloured images were read with 3 channels")
    sizes = Counter(image.shape[:2] for image in images)
    height, width = sizes.most_common(1)[0][0]
    if len(sizes) > 1:
        if wanted is not None:
            height, width = wanted[0] or height, wanted[1] or width
        notes.append(
            f"images of {len(sizes)} sizes (height × width from {_text(min(sizes))} to "
            f"{_text(max(sizes))}) were resized to {height}×{width}"
        )
    return np.stack([resized(image, height, width) for image in images]), tuple(notes)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image [H, W, C] in another size, bilinear with antialiasing; its dtype is kept."""
    from PIL import Image

    if image.shape[:2] == (height, width):
        return image
    channels = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(image[..., c], np.float32)).resize(
                (width, height), Image.Resampling.BILINEAR
            )
        )
        for c in range(image.shape[-1])
    ]
    out = np.stack(channels, axis=-1)
    return out.round().astype(image.dtype) if image.dtype.kind in "ui" else out


def with_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Images [..., C] with that many channels: grey repeated, colour weighted, alpha dropped.

    Raises:
        ValueError: There is no such way.
    """
    own = images.shape[-1]
    if own == channels:
        return images
    if own == 4:
        return with_channels(images[..., :3], channels)
    if own == 1:
        return np.repeat(images, channels, axis=-1)
    if own == 3 and channels == 1:
        grey = (images.astype(np.float32) @ LUMA)[..., None]
        return grey.round().astype(images.dtype) if images.dtype.kind in "ui" else grey
    raise ValueError(f"{own} channels cannot become {channels}")


def _text(size: tuple[int, ...]) -> str:
    return "×".join(str(n) for n in size)
