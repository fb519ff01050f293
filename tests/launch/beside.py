"""Processes beside a user's code, started as the guard starts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.guard.sources.processes import Beside, Spawner
from bench.results.values import Configuration

HERE = Configuration("here", 1, tuple(sorted(os.sched_getaffinity(0))))


@contextmanager
def beside(
    folder: Path, request: dict[str, Any], python: str = sys.executable, path: str = ""
) -> Iterator[Beside]:
    """A process in a folder that is also where its modules are found."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    spawner = Spawner(4 << 30)
    process = spawner.start(
        python, request, HERE, folder, clean | {"PYTHONPATH": path or str(folder)}, padding=100
    )
    try:
        yield process
    finally:
        process.close()
        spawner.close()


def ask(folder: Path, request: dict[str, Any], do: str = "list", **options: Any) -> dict[str, Any]:
    """One answer of such a process."""
    with beside(folder, request, **options) as process:
        return process.call(do, 60)


def turn(process: Beside) -> dict[str, Any]:
    """Build, warm up and take one turn of a launch."""
    process.call("build", 60)
    warm = process.call("warm", 60, turn_ns=1_000_000, cap_ns=5_000_000)
    return process.call("turn", 60, steps=warm["steps"])
