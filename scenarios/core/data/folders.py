"""Images in a folder a class."""

from __future__ import annotations

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data.places import existing
from scenarios.core.data.splitting import pixels, split
from scenarios.core.data.values import Data

IMAGE_ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif"}


def images(folder: str, seed: int = 0) -> Data:
    """A folder a class, each with images of one shape."""
    from PIL import Image

    files = [
        file
        for file in sorted(existing(folder).glob("*/*"))
        if file.suffix.lower() in IMAGE_ENDINGS
    ]
    if not files:
        raise UsageError(
            f"{folder} holds no images: put them in one folder a class, as {folder}/CLASS/*.png"
        )
    names = sorted({file.parent.name for file in files})
    arrays = []
    for file in files:
        try:
            with Image.open(file) as image:
                arrays.append(np.asarray(image.convert("RGB")))
        except OSError as error:
            raise UsageError(
                f"{file} is not a readable image ({error}): mend or remove it"
            ) from None
        if arrays[-1].shape != arrays[0].shape:
            raise UsageError(
                f"images of mixed shape: {files[0]} is {size_of(arrays[0])}, {file} is "
                f"{size_of(arrays[-1])}; resize them to one size"
            )
    labels = np.array([names.index(file.parent.name) for file in files])
    return split(f"images:{folder}", pixels(np.stack(arrays)), labels, seed)


def size_of(image: np.ndarray) -> str:
    """Its shape as people write it."""
    return "×".join(str(n) for n in image.shape)
