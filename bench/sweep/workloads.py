"""The workload that flags and settings name: data, model and task, or a function that makes all."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.results import model_names
from bench.results.data_names import SAMPLES
from bench.results.errors import UsageError
from bench.results.quantities import seconds
from bench.results.values import WorkloadSpec
from bench.sweep.checking import near

SUBJECT = ("data", "model", "task", "metric", "target", "signature", "weights", "take")
"""What is measured; these come together, from one place."""
KEYS = (*SUBJECT, "batch", "epochs", "seed", "cache", "workload", "train_budget", "safe")


def make(table: Mapping[str, Any], flags: Mapping[str, Any], train_budget_s: float) -> WorkloadSpec:
    """The workload of flags, or else of the settings; flags win.

    Args:
        table: `[tool.tfbench]`; its `workloads` are tables of the same keys, by name.
        flags: Those of `KEYS` that the command line gave.
        train_budget_s: The profile's.

    Raises:
        UsageError: A named workload or one of its keys is unknown, or two exclude each other.
    """
    given = {k: v for k, v in flags.items() if k in KEYS and v is not None}
    settings = {k: table[k] for k in KEYS if k in table}
    named = table.get("workloads", {})
    named_there = settings.pop("workload", "")
    wanted = str(given.pop("workload", None) or named_there)
    if wanted and (wanted in named or ":" not in wanted):
        own = _own(wanted, named)
        settings = {k: v for k, v in settings.items() if k not in SUBJECT} | own
        wanted = str(settings.pop("factory", ""))
    elif wanted:
        settings = {k: v for k, v in settings.items() if k not in SUBJECT}
    values = settings | given
    budget = values.pop("train_budget", None)
    values["train_budget_s"] = (
        train_budget_s if budget is None else seconds(str(budget), "train budget")
    )
    if wanted:
        return _whole(wanted, values)
    model = str(values.get("model", "cnn"))
    values.setdefault("data", default_data(model))
    return WorkloadSpec(**values)


def default_data(model: str) -> str:
    """What a model is given without data.

    Returns:
        `digits` where it is built for any input's shape, else `samples`, drawn from its signature.
    """
    form = model_names.form(model)
    if form in ("file function", "module function"):
        place, _, function = model.rpartition(":")
        file = Path(place) if form == "file function" else _module_file(place)
        return "digits" if file is None or takes_shape(file, function) else SAMPLES
    return "digits" if form in ("default", "") else SAMPLES


def _module_file(name: str) -> Path | None:
    """The file of a module, found as an import would, but without importing its packages."""
    for folder in (Path.cwd(), *map(Path, sys.path)):
        place = folder.joinpath(*name.split("."))
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return file
    return None


def takes_shape(file: Path, function: str) -> bool:
    """Whether a function of this file wants the shape of its input; true where it is not seen."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return True
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            arguments = node.args
            places = [*arguments.posonlyargs, *arguments.args]
            wanted = places[: len(places) - len(arguments.defaults)]
            names = {a.arg for a in (*places, *arguments.kwonlyargs)}
            return "input_shape" in names or any(a.arg != "classes" for a in wanted)
    return True


def _own(name: str, named: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a named workload."""
    if name not in named:
        hint = near(name, named) if named else ": none has a table [tool.tfbench.workloads.NAME]"
        raise UsageError(f"unknown workload {name!r}{hint}, or give FILE.py:function")
    own = dict(named[name])
    known = {*KEYS, "factory"} - {"workload", "cache"}
    for key in own:
        if key not in known:
            raise UsageError(f"workload {name!r} has an unknown key {key!r}{near(key, known)}")
    if "factory" in own and {"data", "model"} & own.keys():
        raise UsageError(f"workload {name!r}: its factory brings data and model; leave them out")
    return own


def _whole(factory: str, values: dict[str, Any]) -> WorkloadSpec:
    """A workload that one function makes."""
    for key in ("data", "model"):
        if key in values:
            raise UsageError(f"--workload {factory} brings data and model: leave --{key} out")
    return WorkloadSpec(data="", model="", factory=factory, **values)
