"""Where a user's data lie."""

from __future__ import annotations

from pathlib import Path

from bench.results.errors import UsageError


def existing(path: str) -> Path:
    """The path, which must exist."""
    if not path or not Path(path).exists():
        raise UsageError(f"{path or 'the data path'} does not exist: give the path of your data")
    return Path(path)
