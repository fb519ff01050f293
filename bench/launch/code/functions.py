"""A file's functions `bench_*`, each with its optional `setup_*`; plain or async."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.launch.code import timers
from bench.launch.code.launch import CodeLaunch
from bench.launch.timing.turns import Timer
from bench.results.errors import LaunchError

BENCH, SETUP = "bench_", "setup_"


def load(file: str) -> ModuleType:
    """The user's file under its own dotted name where it lies in a package, else by its stem."""
    path = Path(file).resolve()
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    name = ".".join(parts)
    if len(parts) > 1:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LaunchError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    spec.loader.exec_module(module)
    return module


def found(file: str) -> list[dict[str, Any]]:
    """The file's benchmarks in its order: name and line."""
    module = load(file)
    functions = [
        (name, each)
        for name, each in vars(module).items()
        if name.startswith(BENCH) and callable(each)
    ]
    return [{"name": name, "line": _line(each), "outcome": "ok"} for name, each in functions]


def launch(file: str, name: str, other: str) -> CodeLaunch:
    """A launch of one of them; its setup has been called."""
    module = load(file)
    function: Callable[..., Any] | None = getattr(module, name, None)
    if function is None:
        raise LaunchError(f"{file} has no function {name}")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    prepare = getattr(module, SETUP + name.removeprefix(BENCH), None)
    state: tuple[Any, ...] = ()
    if prepare is not None:
        made = prepare()
        made = loop.run_until_complete(made) if inspect.iscoroutine(made) else made
        state = (made,) if _takes_one(function) else ()
    elif _takes_one(function):
        setup = SETUP + name.removeprefix(BENCH)
        raise LaunchError(f"{name} takes an argument: write {setup}(), which returns it")
    call = timers.with_arguments(function, state)
    timer: Timer
    if inspect.iscoroutinefunction(function):
        timer = timers.AsyncTimer(call, loop)
    else:
        timer = timers.plain(call)
    return CodeLaunch(timer, other)


def _takes_one(function: Callable[..., Any]) -> bool:
    """Whether it must be given an argument."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return any(p.kind in kinds and p.default is inspect.Parameter.empty for p in parameters)


def _line(function: Callable[..., Any]) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return int(code.co_firstlineno) if code else 1
