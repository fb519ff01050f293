"""Arrays in an .npz file."""

from __future__ import annotations

import numpy as np

from bench.results.errors import UsageError
from scenarios.core.data.places import existing
from scenarios.core.data.splitting import given, pixels, split
from scenarios.core.data.values import Data


def npz(path: str, seed: int = 0) -> Data:
    """Arrays `x_train, y_train, x_test, y_test` (Keras's names), or `x, y`, which are split."""
    try:
        with np.load(existing(path), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} is not a readable .npz file: {error}") from None
    if {"x_train", "y_train", "x_test", "y_test"} <= arrays.keys():
        return given(
            f"npz:{path}", *(arrays[k] for k in ("x_train", "y_train", "x_test", "y_test"))
        )
    if {"x", "y"} <= arrays.keys():
        return split(f"npz:{path}", pixels(arrays["x"]), arrays["y"], seed)
    raise UsageError(
        f"{path} holds {sorted(arrays)}: name the arrays x_train, y_train, x_test, y_test or x, y"
    )
