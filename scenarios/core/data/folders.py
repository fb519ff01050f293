"""Images in a folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data.assembly import assembled
from scenarios.core.data.places import existing
from scenarios.core.data.resizing import to_one_size
from scenarios.core.data.signature import Signature
from scenarios.core.data.values import Data, Part

IMAGE_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff"}


def images(folder: str, spec: WorkloadSpec, signature: Signature | None = None) -> Data:
    """A folder a class; depth (8 or 16 bits) and channels are kept, hidden folders left out.

    Images of various sizes are resized: to the model's size, where it has one, else to the most
    frequent.
    """
    place = existing(folder)
    hidden = sorted(
        child.name for child in place.iterdir() if child.is_dir() and child.name.startswith(".")
    )
    files = [
        file
        for file in sorted(place.glob("*/*"))
        if file.suffix.lower() in IMAGE_ENDINGS
        and not file.name.startswith(".")
        and file.parent.name not in hidden
    ]
    if not files:
        raise UsageError(
            f"{folder} holds no images: put them in one folder a class, as {folder}/CLASS/*.png"
        )
    pixels, notes = to_one_size([_read(file) for file in files], _size(signature))
    if hidden:
        notes = (f"hidden folders are no classes: left out {', '.join(hidden)}", *notes)
    labels = np.array([file.parent.name for file in files])
    return assembled(f"images:{folder}", Part(pixels, labels), None, spec, "images", notes)


def _size(signature: Signature | None) -> tuple[int | None, ...] | None:
    """Height and width that the model's only input has."""
    if signature is None or len(signature) != 1:
        return None
    (only,) = signature.values()
    return only.shape[:2] if len(only.shape) == 3 else None


def _read(file: Path) -> np.ndarray:
    """Pixels [H, W, C] uint8, uint16 or float32: one channel where it is grey, else three."""
    from PIL import Image

    try:
        if _is_deep_colour(file):
            return _deep_colour(file)
        with Image.open(file) as image:
            if image.mode == "F":
                pixels = np.asarray(image)
            elif image.mode.startswith("I"):
                pixels = np.clip(np.asarray(image), 0, 65535).astype(np.uint16)
            else:
                grey = image.mode in ("1", "L", "LA")
                pixels = np.asarray(image.convert("L" if grey else "RGB"))
            return pixels if pixels.ndim == 3 else pixels[..., None]
    except (OSError, ValueError, SyntaxError) as error:
        raise UsageError(f"{file} is not a readable image ({error}): mend or remove it") from None


def _is_deep_colour(file: Path) -> bool:
    """Whether it is a PNG of 16 bits a colour (its header tells), which Pillow cuts to 8."""
    with file.open("rb") as stream:
        head = stream.read(26)
    return head[:4] == b"\x89PNG" and len(head) == 26 and head[24] == 16 and head[25] in (2, 6)


def _deep_colour(file: Path) -> np.ndarray:
    import tensorflow as tf

    pixels: np.ndarray = tf.io.decode_png(file.read_bytes(), channels=3, dtype=tf.uint16).numpy()
    return pixels
