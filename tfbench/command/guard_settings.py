"""Settings that a comparison is judged by: the base's, which the compared change cannot touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.guard.checkouts import worktrees
from bench.results.errors import UsageError
from bench.sweep import settings
from tfbench.command.guard_request import Asked

FILE = "pyproject.toml"


def table(asked: Asked) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The settings, and a warning where the working tree has others.

    Those of the file that the command names, else of the commit that is compared with: a pull
    request could otherwise raise the limits that it is judged by.

    Raises:
        UsageError: They cannot be read.
    """
    request = asked.request
    if asked.file is not None or request.base is None:
        return settings.read_table(asked.file), ()
    here = Path.cwd()
    try:
        commit = worktrees.git(
            here, "rev-parse", "--verify", "--quiet", f"{request.base}^{{commit}}"
        )
    except UsageError:  # no such commit: said where it is checked out
        return settings.read_table(None), ()
    names = worktrees.git(here, "ls-tree", "--name-only", commit, FILE)
    text = worktrees.git(here, "show", f"{commit}:./{FILE}") if names else ""
    found = settings.table_of(text, f"{FILE} of {commit[:9]}")
    other = ", ".join(_differing(found, settings.read_table(None)))
    if not other:
        return found, ()
    return found, (
        f"settings are the base's; those that the working tree changes do not count ({other}): "
        f"--settings {FILE} takes them",
    )


def _differing(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Names of the settings that are not the same."""
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        one, other = (each if isinstance(each, Mapping) else {} for each in (one, other))
        for key in sorted(one.keys() | other.keys()):
            yield from _differing(one.get(key), other.get(key), f"{name}.{key}" if name else key)
    elif one != other:
        yield name
