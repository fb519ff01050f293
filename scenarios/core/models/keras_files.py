"""Sources of Keras's files, whichever Keras wrote them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.results.errors import UsageError
from scenarios.core.models.keras_source import source
from scenarios.core.models.sources import Source

SHORT_NAMES = ("mse", "mae", "mape", "msle")
"""Keras 3 writes these losses and metrics into an .h5 file, and does not find them again."""
UNKNOWN = re.compile(r"Could not locate (?:class|function) '([^']+)'|Unknown [\w ]+: '([^']+)'|"
                     r"Cannot deserialize object of type `([^`]+)`")  # fmt: skip
"""How either Keras says that it does not know a class or function that a file names."""


def from_file(path: Path) -> Source:
    """A source of a `.keras`, `.h5` or `.hdf5` file: measured with the weights in it.

    Raises:
        UsageError: It cannot be read; custom classes have to come by a function.
    """
    model, notes = _loaded(path)
    return source(
        str(path),
        path.read_bytes(),
        lambda: _loaded(path)[0],
        None,
        model,
        file=path,
        notes=notes,
        lacks={"architecture:free": "a trained file has its architecture: give FILE.py:function"},
    )


def _loaded(path: Path) -> tuple[Any, tuple[str, ...]]:
    """The model in a file, by the Keras of this launch where it can, else by the other.

    And what is to be said where it was loaded without what it was compiled with.
    """
    import keras

    loaders = [tf.keras.models.load_model]
    if path.suffix == ".keras":
        loaders = [keras.models.load_model]
    elif not _is_keras_3():
        loaders.append(keras.models.load_model)
    else:
        loaders.append(_legacy_loader)
    short = {name: keras.losses.get(name) for name in SHORT_NAMES}
    ways: tuple[dict[str, Any], ...] = ({}, {"custom_objects": short}, {"compile": False})
    errors: list[Exception] = []
    for load in loaders:
        first, own = len(errors), load is keras.models.load_model
        for options in ways if own else (ways[0], ways[-1]):
            try:
                model = load(str(path), **options)
            except Exception as error:
                errors.append(error)
            else:
                left_out = options is ways[-1]
                return model, (_not_compiled(path, errors[first]),) if left_out else ()
    raise UsageError(_not_loaded(path, errors))


def _not_compiled(path: Path, error: Exception) -> str:
    """What it means that a file's loss, metrics and optimizer could not be loaded."""
    name = _unknown(error)
    cause = f"Keras does not know {name}" if name else "Keras cannot read how that was"
    return (
        f"the model is not trained as it was compiled ({cause}): for its own loss and optimizer "
        f"give FILE.py:function that returns keras.models.load_model({str(path)!r}) with all known"
    )


def _not_loaded(path: Path, errors: list[Exception]) -> str:
    """Why a file cannot be loaded, in one line."""
    for error in errors:
        if name := _unknown(error):
            return (
                f"{path} needs {name}, which Keras does not know: give FILE.py:function that "
                f"imports {name} and returns keras.models.load_model({str(path)!r})"
            )
    return (
        f"{path} cannot be loaded: {_first_line(errors[0])}; with classes of your own give "
        "FILE.py:function that loads it"
    )


def _unknown(error: Exception) -> str:
    """The class or function that Keras does not know; "" where that is not the error."""
    found = UNKNOWN.search(str(error))
    return next(filter(None, found.groups())).rpartition(">")[2] if found else ""


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _legacy_loader(path: str, **options: Any) -> Any:
    import tf_keras

    return tf_keras.models.load_model(path, **options)


def _is_keras_3() -> bool:
    import keras

    return tf.keras.Model is keras.Model
