"""What a launch's process is started with: its interpreter, its variables, and where code lies."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.results import loading
from bench.results.values import Configuration, Scenario
from bench.sweep.sources import ROOT

PACKAGES = ("bench", "scenarios", "tfbench")
"""What launches import of this project."""
TREE = ("bench/launch", "scenarios/core")
"""Folders that show a tree of this project."""


@dataclass(frozen=True)
class Environment:
    """What must be settled before TensorFlow is imported; each has its own preloaded process."""

    python: str
    root: str
    variables: tuple[tuple[str, str], ...]
    folder: str = ""
    """Where its launches run, so that relative paths mean its own version's; empty: here."""

    @classmethod
    def of(
        cls, scenario: Scenario | None, configuration: Configuration, python: str, root: Path
    ) -> Environment:
        """The environment that a scenario needs in a configuration."""
        variables = dict(configuration.environment)
        if scenario is not None:
            variables |= scenario.environment
            if scenario.keras == 2:
                variables["TF_USE_LEGACY_KERAS"] = "1"
        interpreter = python or configuration.python or sys.executable
        return cls(interpreter, str(root), tuple(sorted(variables.items())))

    def search_path(self) -> dict[str, str]:
        """Variables that say where its processes find modules.

        This project's come first, from the root where it holds them; users' folders are searched
        by what `loading.find_users` makes of them, so that no file there takes another's place.
        """
        own = own_code(self.root)
        path = filter(None, [*own, os.environ.get("PYTHONPATH", "")])
        return {
            "PYTHONPATH": os.pathsep.join(path),
            loading.TESTED: "" if self.root in (*own, str(ROOT)) else self.root,
            loading.CURRENT: str(Path.cwd()),
        }


def own_code(root: str) -> list[str]:
    """Folders that launches import this project from: the root where it holds it, and this one."""
    if root != str(ROOT) and any((Path(root) / each).is_dir() for each in TREE):
        return [root, _harness()]
    return [_harness()]


@functools.cache
def _harness() -> str:
    """Folder of this project's packages.

    An installed project lies among other packages, which another interpreter must not see.
    """
    if (ROOT / "pyproject.toml").exists():
        return str(ROOT)
    folder = tempfile.mkdtemp(prefix="tfbench-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in PACKAGES:
        (Path(folder) / name).symlink_to(ROOT / name)
    return folder
