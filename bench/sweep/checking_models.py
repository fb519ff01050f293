"""What shows in the names of a model, its file and its metric before TensorFlow is imported."""

from __future__ import annotations

import ast
import difflib
import importlib.util
from pathlib import Path

from bench.results import metric_names, model_names
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from bench.sweep.checking import near
from bench.sweep.checking_files import check_file

SIGNED = ("saved_model", "litert", "file function", "module function", "")
"""Forms that may have several signatures, or are not known."""
SAVED = ("saved_model.pb", "saved_model.pbtxt")


def check_model(workload: WorkloadSpec) -> None:
    """A form that there is, a file that is there, and names that are known.

    Raises:
        UsageError: It is not so; the message is one line that says what to do.
    """
    metric = workload.metric
    if metric and ":" not in metric and metric_names.plain(metric) not in metric_names.NAMES:
        hint = near(metric, (*metric_names.NAMES, *metric_names.ALIASES))
        raise UsageError(f"unknown metric {metric!r}{hint}, or FILE.py:function")
    if workload.weights:
        if model_names.form(workload.model) != "application":
            raise UsageError("--weights is for applications:NAME: a trained model brings its own")
        _exists(workload.weights, "weights")
    if workload.factory:
        return
    name = workload.model
    form = model_names.form(name)
    if workload.signature and form not in SIGNED:
        raise UsageError(
            "--signature is for a SavedModel folder, a .tflite file or a function that returns a "
            f"tf.Module: {name} has none"
        )
    if form == "application":
        _application(name.partition(":")[2])
    elif form in ("keras", "litert", "onnx"):
        _exists(name, "model")
        ending = Path(name).suffix
        if ending != ending.lower():  # runtimes and Keras tell a file by its ending
            raise UsageError(f"{name}: rename it to {Path(name).stem}{ending.lower()}")
        check_file(Path(name))
    elif form == "saved_model" and not any((Path(name) / each).exists() for each in SAVED):
        raise UsageError(
            f"{name} is no SavedModel folder: it holds no saved_model.pb (save one by "
            "model.export or tf.saved_model.save)"
        )
    elif not form:
        _unknown(name)


def _exists(name: str, what: str) -> None:
    path = Path(name)
    if not path.exists():
        raise UsageError(f"{what} file {name} does not exist{_beside(path)}")
    if path.is_dir():
        raise UsageError(f"{what} {name} is a folder: give the file")
    if not path.stat().st_size:
        raise UsageError(f"{what} file {name} is empty: save it anew")


def _unknown(name: str) -> None:
    """Say why a name is no model's."""
    path = Path(name)
    if path.exists() and path.suffix == ".py":
        raise UsageError(f"model {name}: name the function too, as {name}:build")
    if path.exists():
        raise UsageError(f"model {name} has an ending that is not known: use {model_names.FORMS}")
    hint = _beside(path)
    if hint == MISSING:
        close = difflib.get_close_matches(name, ["cnn", "applications:"], n=1, cutoff=0.6)
        hint = f": did you mean {close[0]}?" if close else f": use {model_names.FORMS}"
    raise UsageError(f"unknown model {name!r}{hint}")


MISSING = ": give the path of your file"


def _beside(path: Path) -> str:
    """Whether a file with a name like it lies in its folder."""
    try:
        there = [each.name for each in path.parent.iterdir()]
    except OSError:
        there = []
    close = difflib.get_close_matches(path.name, there, n=1, cutoff=0.6)
    return f": did you mean {path.parent / close[0]}?" if close else MISSING


def _application(name: str) -> None:
    """Keras's architectures are read from its source, which is not imported."""
    spec = importlib.util.find_spec("keras")
    if spec is None or spec.origin is None:
        return
    file = Path(spec.origin).parent / "applications" / "__init__.py"
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError):
        return
    names = {
        alias.asname or alias.name
        for node in body if isinstance(node, ast.ImportFrom)
        for alias in node.names if alias.name[0].isupper()
    }  # fmt: skip
    if names and name not in names:
        raise UsageError(f"unknown architecture applications:{name}{near(name, names)}")
