"""The user's own functions: found by name, and their errors said in one line with file and line."""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.results import loading, user_files
from bench.results.errors import TfbenchError, UsageError, one_line


def find(name: str, what: str) -> tuple[Callable[..., Any], bytes]:
    """The function `FILE.py:function` or `module:function`, and a digest of what it is made from.

    Args:
        name: Where it is.
        what: What it is wanted for, for the error (`model`, `data`, `metric`).

    Raises:
        UsageError: There is none, or its file cannot be imported.
    """
    place, _, function = name.rpartition(":")
    if place.endswith(".py") and not Path(place).exists():
        raise UsageError(f"{place} does not exist: give the path of your file")
    try:
        _complete_legacy_keras()
        module = loading.module(place)
    except TfbenchError:
        raise
    except SyntaxError as error:
        raise UsageError(f"{what} {name!r}: {error.filename}:{error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise UsageError(f"{what} {name!r} cannot be loaded: {said(error, place)}") from None
    found = getattr(module, function, None)
    if not callable(found):
        raise UsageError(f"{what} {name!r}: {place} has no function {function!r}")
    return found, _digest(module.__file__ or "")


_digest = functools.cache(user_files.digest)


def _complete_legacy_keras() -> None:
    """Let a user's file name `tf.keras.utils.PyDataset` in a launch of tf_keras too.

    One file holds their data and their model, and is read by launches of either Keras.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") != "1":
        return
    import keras
    import tensorflow as tf

    if not hasattr(tf.keras.utils, "PyDataset"):
        tf.keras.utils.PyDataset = keras.utils.PyDataset


def calling(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What the user's function returns; an error in it becomes one line with file and line.

    Raises:
        UsageError: The function raised.
    """
    try:
        return function(*arguments, **keywords)
    except TfbenchError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(said(error, _file_of(function))) from error


def _file_of(called: Any) -> str | None:
    """The file of a function, or of an object's class; None where that is not known."""
    for each in (inspect.unwrap(called), type(called)):
        try:
            return inspect.getsourcefile(each)
        except TypeError:  # neither a function nor a class of Python's
            continue
    return None


def wanted(function: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    """Those of the offered arguments that the function takes by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return offered
    return {p.name: offered[p.name] for p in parameters if p.name in offered}


def positional(function: Callable[..., Any], offered: tuple[Any, ...]) -> tuple[Any, ...]:
    """Those of the offered arguments that the function has places for without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    places = [
        p for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]  # fmt: skip
    return offered[: len(places)]


def said(error: BaseException, file: str | None) -> str:
    """`FILE:LINE: Error: message`: the innermost line of the user's file, or else of any."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if file and Path(f.filename).resolve() == Path(file).resolve()]
    text = one_line(error)
    found = own or list(frames)
    return f"{found[-1].filename}:{found[-1].lineno}: {text}" if found else text


def place(function: Callable[..., Any]) -> str:
    """`FILE:LINE` where a function of the user's begins; its name where that is not known."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return str(getattr(function, "__name__", function))
    return f"{code.co_filename}:{code.co_firstlineno}"


def place_of(name: str) -> str:
    """`FILE:LINE` of the function that a model's or workload's name means; else the name."""
    file, _, function = name.rpartition(":")
    if not file or file == "applications":
        return name
    return place(find(name, "model")[0]) if function.isidentifier() else name
