"""Loads what a name means: `package.module:attribute` or `path/to/file.py:attribute`."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def attribute(name: str) -> Any:
    """What `place:attribute` names; raises ImportError or AttributeError where there is none."""
    place, _, wanted = name.rpartition(":")
    return getattr(module(place), wanted)


def module(place: str) -> ModuleType:
    """A module by its dotted name, or from a .py file under a private name.

    A user's file never takes the place of another module: it may well be called `keras.py`.
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
    found = importlib.util.module_from_spec(spec)
    sys.modules[private] = found
    try:
        spec.loader.exec_module(found)
    except BaseException:
        del sys.modules[private]
        raise
    return found
