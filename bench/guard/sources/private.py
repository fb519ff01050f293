"""A copy of what runs beside a user's code, under a name that none of their packages has."""

from __future__ import annotations

import ast
import atexit
import functools
import re
import shutil
import tempfile
from pathlib import Path

from bench.sweep.sources import ROOT

NAME = "_tfbench_beside"
START = "bench.launch.code.start"
OWN = "bench"
_IMPORT = re.compile(rf"^(\s*(?:from|import)\s+){OWN}\b", re.MULTILINE)


@functools.cache
def start_file() -> str:
    """The program that starts a process beside a user's code, in the copy."""
    folder = Path(tempfile.mkdtemp(prefix="tfbench-beside-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for module in modules():
        source = _file(module)
        target = folder / NAME / source.relative_to(ROOT / OWN)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = _IMPORT.sub(rf"\1{NAME}", source.read_text(encoding="utf-8"))
        target.write_text(text, encoding="utf-8")
    return str(folder / NAME / _file(START).relative_to(ROOT / OWN))


@functools.cache
def modules() -> tuple[str, ...]:
    """Modules of this project that the start needs, packages included."""
    found: dict[str, None] = {}
    waiting = [START]
    while waiting:
        name = waiting.pop()
        parent = name.rpartition(".")[0]
        if parent and parent not in found:
            waiting.append(parent)
        if name not in found:
            found[name] = None
            waiting += _imported(_file(name))
    return tuple(found)


def _imported(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == OWN:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [str(node.module), *(each for each in inside if _file(each).exists())]
    return names


def _file(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    package = place / "__init__.py"
    return package if package.exists() else place.with_suffix(".py")
