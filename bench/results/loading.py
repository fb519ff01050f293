"""Loads what a name means: `package.module:attribute` or `path/to/file.py:attribute`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

TESTED, CURRENT = "TFBENCH_TESTED", "TFBENCH_CURRENT"
"""Variables that name users' folders to a process of this project: of the code under test, where
that is no tree of this project, and the one that the command was called in."""


def find_users() -> None:
    """Let users' modules be found, none in place of this project's or TensorFlow's.

    To be called after those are imported: code under test comes before what is installed, which may
    be another version of it; the current folder comes after all.
    """
    tested, current = os.environ.get(TESTED), os.environ.get(CURRENT)
    if tested:
        sys.path.insert(0, tested)
    if current and current not in sys.path:
        sys.path.append(current)


def attribute(name: str) -> Any:
    """What `place:attribute` names; raises ImportError or AttributeError where there is none."""
    place, _, wanted = name.rpartition(":")
    return getattr(module(place), wanted)


def module(place: str) -> ModuleType:
    """A module by its dotted name, or from a .py file under a private name.

    A user's file never takes the place of another module: it may well be called `keras.py`. Its
    folder is searched for helpers after all other places, where it hides nothing.
    """
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = Path(place).resolve()
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    private = f"_tfbench_file_{digest}_{path.stem}"
    if private in sys.modules:
        return sys.modules[private]
    spec = importlib.util.spec_from_file_location(private, path)
    if spec is None or spec.loader is None or not path.exists():
        raise ImportError(f"{place} does not exist")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    found = importlib.util.module_from_spec(spec)
    sys.modules[private] = found
    try:
        spec.loader.exec_module(found)
    except BaseException:
        del sys.modules[private]
        raise
    return found
