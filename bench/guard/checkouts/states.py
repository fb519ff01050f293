"""What a side was made from, so that a comparison goes on with the same code and packages alone."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.guard.checkouts.versions import COMPILED, is_elsewhere
from bench.guard.checkouts.worktrees import git, repository
from bench.results.errors import UsageError

CODE = (".py", ".pyx", ".so", ".pyd", ".toml", ".cfg", ".ini")
"""Of files that git does not track, those that count: others may be what a benchmark writes."""
GONE = "gone"
LIST = (
    "import importlib.metadata as m, json, sys;"
    "found = {d.metadata['Name']: d.version for d in m.distributions()};"
    "print(json.dumps({'python': sys.version.split()[0], **found}))"
)


def working_tree(root: Path) -> dict[str, Any]:
    """Folder, commit, and a digest of each file that is not as it was committed.

    Outside of git there is no commit, and all code below the folder is such a file.
    """
    try:
        top = repository(root).resolve()
        commit = git(root, "rev-parse", "HEAD")
    except UsageError:
        files = sorted(str(each.relative_to(root)) for each in _code(root))
        return {"folder": str(root.resolve()), "changes": {f: _digest(root / f) for f in files}}
    changed = git(top, "diff", "HEAD", "--name-only", "-z").split("\0")
    new = git(top, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    names = {
        *filter(None, changed),
        *(name for name in new if name.endswith(CODE)),
        *_compiled(top),
    }
    return {
        "folder": str(root.resolve().relative_to(top)),
        "commit": commit,
        "changes": {name: _digest(top / name) for name in sorted(names)},
    }


@functools.cache
def packages(python: str) -> dict[str, str]:
    """Version of an interpreter and of all that is installed in it.

    Raises:
        UsageError: It cannot be started.
    """
    try:
        done = subprocess.run([python, "-c", LIST], cwd="/", capture_output=True, text=True)
        found: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError):
        raise UsageError(f"{python} does not say what is installed in it") from None
    return dict(sorted(found.items()))


def _compiled(top: Path) -> Iterator[str]:
    """Compiled code that git ignores, and that is imported all the same."""
    patterns = [f"*{ending}" for ending in COMPILED]
    ignored = git(
        top, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", "--", *patterns
    )
    for name in filter(None, ignored.split("\0")):
        if not any(is_elsewhere(top / folder) for folder in list(Path(name).parents)[:-1]):
            yield name


def _code(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = [x for x in folders if not is_elsewhere(Path(folder) / x)]
        yield from (Path(folder) / name for name in files if name.endswith(CODE))


def _digest(file: Path) -> str:
    """Of a file or a link; a folder is a repository of its own, known by its name."""
    if file.is_symlink():
        return hashlib.sha256(str(file.readlink()).encode(errors="replace")).hexdigest()[:16]
    if not file.exists():
        return GONE
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else ""
