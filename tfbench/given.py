"""What a caller holds in memory, as files that launches can read."""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import UsageError


def folder_beside(run: Path) -> Path:
    """Where the files of a run's model and data are kept: beside its folder, which must be new."""
    return run.with_name(f"{run.name}-given")


def model(given: Any, folder: Path) -> str:
    """The name of a model for `--model`.

    Args:
        given: Such a name, a path, a function of a file, or a Keras model.
        folder: Where a model in memory is saved.

    Raises:
        UsageError: It cannot be named or saved.
    """
    if isinstance(given, str | Path):
        return str(given)
    if hasattr(given, "save") and hasattr(given, "predict"):
        return _saved(given, folder)
    if inspect.isfunction(given):
        return _function(given)
    raise UsageError(
        f"a {type(given).__name__} cannot be saved for the launches: give a Keras model, a file, "
        "or a function in a file that returns the model"
    )


def data(given: Any, folder: Path) -> str | None:
    """The name of data for `--data`; None where none are given.

    Raises:
        UsageError: They are no arrays.
    """
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, Path):
        return str(given)
    if inspect.isfunction(given):
        return _function(given)
    buffer = io.BytesIO()
    try:
        np.savez(buffer, allow_pickle=False, **_arrays(given))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"the data cannot be saved for the launches ({error}): give (x, y), "
            "((x, y), (x_test, y_test)), a dict of arrays, or a function in a file"
        ) from None
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:12]
    file = folder / f"data-{digest}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(buffer.getvalue())
    return f"npz:{file}"


def _arrays(given: Any) -> dict[str, Any]:
    """Arrays by the names that an .npz file has."""
    if isinstance(given, Mapping):
        return {str(key): np.asarray(value) for key, value in given.items()}
    if not isinstance(given, tuple | list):
        return {"x": np.asarray(given)}
    if len(given) == 2 and all(isinstance(part, tuple | list) for part in given):
        (x, y), (x_test, y_test) = given
        found = {**_named("x", x, "_train"), **_named("y", y, "_train")}
        return {**found, **_named("x", x_test, "_test"), **_named("y", y_test, "_test")}
    if len(given) != 2:
        raise ValueError(f"{len(given)} parts")
    return {**_named("x", given[0]), **_named("y", given[1])}


def _named(name: str, given: Any, ending: str = "") -> dict[str, Any]:
    """Inputs by their names; targets by theirs behind `y_`."""
    if isinstance(given, Mapping):
        prefix = "y_" if name == "y" else ""
        return {f"{prefix}{key}{ending}": np.asarray(value) for key, value in given.items()}
    return {f"{name}{ending}": np.asarray(given)}


def _saved(given: Any, folder: Path) -> str:
    """A Keras model in a .keras file: its own process has imported Keras already."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "model.keras"
    try:
        given.save(str(file))
    except Exception as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise UsageError(
            f"the model cannot be saved ({first}): give a function in a file that returns it"
        ) from None
    return str(file)


def _function(given: Any) -> str:
    """`FILE.py:function`."""
    file = inspect.getsourcefile(given)
    if file is None or not Path(file).is_file() or "." in given.__qualname__:
        raise UsageError(
            f"{given.__qualname__} is not at the top of a file, where launches could find it: move "
            "it to a .py file, or give the model itself"
        )
    return f"{Path(file).resolve()}:{given.__name__}"
