"""Where a package's files lie, found without importing it: the zoo's lack their dependencies."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bench.results.errors import UsageError


def package(name: str) -> Path:
    """The folder of an installed package.

    Raises:
        UsageError: It is not installed.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"the package {name} is not installed: `nox -s zoo` installs it")
    return Path(next(iter(spec.submodule_search_locations)))
