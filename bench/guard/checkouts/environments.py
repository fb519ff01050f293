"""The base's environment: this interpreter where it has what the base asks for, or a new one."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from bench.results import cache_folder
from bench.results.errors import UsageError

PINS = "constraints.txt"
Run = Callable[[Sequence[str]], None]


def interpreter(
    head_root: Path, base_root: Path, warnings: list[str], run: Run | None = None
) -> str:
    """Interpreter for the base: this one, or one of a virtual environment with its own packages.

    The environment is made once and kept in the cache folder, by what it was made from.

    Raises:
        UsageError: The dependencies cannot be installed.
    """
    wanted, pins = _requirements(base_root), _pins(base_root)
    own = {*_requirements(head_root), *_pins(head_root)}
    differing = [line for line in wanted if line not in own and not _met(line)]
    differing += [line for line in pins if line not in own and not _met(line, missing=True)]
    if not differing:
        return sys.executable
    warnings.append(
        f"dependencies differ ({_some(differing)}): the base ran in an environment of its own"
    )
    made_from = "\n".join([sys.version, *sorted(wanted), *pins])
    folder = home() / hashlib.sha256(made_from.encode()).hexdigest()[:16]
    if not (folder / "ready").exists():
        chosen = ["-c", str(base_root / PINS)] if pins else []
        _make(folder, [*chosen, *wanted], run or _execute)
        (folder / "ready").write_text(made_from, encoding="utf-8")
    return str(folder / "bin" / "python")


def _make(folder: Path, wanted: Sequence[str], execute: Run) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, uv = str(folder / "bin" / "python"), shutil.which("uv")
    if uv:
        execute([uv, "venv", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--compile-bytecode", "--python", python]
    else:
        execute([sys.executable, "-m", "venv", str(folder)])
        install = [python, "-m", "pip", "install", "--quiet"]
    execute([*install, *wanted])


def _requirements(root: Path) -> list[str]:
    """What a tree is run with: its dependencies, and those extras that are installed here."""
    try:
        table = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return []
    project: dict[str, Any] = table.get("project", {})
    extras: dict[str, list[str]] = project.get("optional-dependencies", {})
    here = [lines for lines in extras.values() if all(map(_installed, lines))]
    return [*project.get("dependencies", ()), *(line for lines in here for line in lines)]


def _pins(root: Path) -> list[str]:
    file = root / PINS
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    plain = [line.partition("#")[0].strip() for line in lines]
    return [line for line in plain if line and not line.startswith("-")]


def _met(line: str, missing: bool = False) -> bool:
    """Whether this interpreter has what a requirement asks for; `missing`: or nothing of it."""
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return False
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return True
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return missing
    return requirement.specifier.contains(version, prereleases=True)


def _installed(line: str) -> bool:
    try:
        metadata.version(Requirement(line).name)
    except (InvalidRequirement, metadata.PackageNotFoundError):
        return False
    return True


def _some(lines: Sequence[str]) -> str:
    shown = ", ".join(lines[:3])
    return shown if len(lines) <= 3 else f"{shown} and {len(lines) - 3} more"


def home() -> Path:
    """The folder of environments that are kept.

    Raises:
        UsageError: Others may write there, and their programs would be run.
    """
    place = cache_folder.default() / "environments"
    place.mkdir(parents=True, exist_ok=True)
    for folder in (place.parent, place):
        cache_folder.check_private(folder)
    return place


def _execute(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(
            f"the base's dependencies cannot be installed ({last}): make an environment for it and "
            "name its interpreter by --base-python"
        )
