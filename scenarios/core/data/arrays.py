"""Arrays in an .npz file."""

from __future__ import annotations

import zipfile

import numpy as np

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data.assembly import assembled, by_name
from scenarios.core.data.places import existing
from scenarios.core.data.values import Data


def npz(path: str, spec: WorkloadSpec) -> Data:
    """Arrays `x_train, y_train, x_test, y_test` (Keras's names), `x, y`, or inputs by name."""
    try:
        with np.load(existing(path), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} is not a readable .npz file: {error}") from None
    return assembled(f"npz:{path}", *by_name(arrays, path), spec)
