"""An environment a version, made by the user's own command and kept by what it was made from."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.guard.checkouts import environments
from bench.results.errors import UsageError

LOCKS = (
    "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements*.txt", "constraints*.txt",
)  # fmt: skip
IN_PLACE = ("-e", "--editable", "develop", "sync")
"""Words of a command that installs a link to the tree, which is another one the next time."""
GENERIC = re.compile(r"error: [a-z]+(-[a-z]+)+")
"""pip's words for any failure, such as metadata-generation-failed; the cause stands elsewhere."""
KEPT = 10
"""Environments that stay."""


def install(label: str, root: Path, state: str, command: str, python: str) -> str:
    """Interpreter of an environment in which the command has installed this version.

    Args:
        label: Names the version in errors.
        root: Folder in which the command runs.
        state: What the version is: its commit, and what of it was not committed.
        command: As a shell takes it: `pip install .`.
        python: Interpreter that the environment is made with.

    Raises:
        UsageError: The environment cannot be made, or the command fails.
    """
    linked = any(word in IN_PLACE for word in command.split())
    made_from = "\n".join([python, command, state, *_locks(root), str(root) if linked else ""])
    folder = environments.home() / hashlib.sha256(made_from.encode()).hexdigest()[:16]
    program = folder / "bin" / "python"
    if linked or not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _forget(folder.parent)
        variables = dict(os.environ)
        for name in ("PYTHONPATH", "PYTHONHOME"):
            variables.pop(name, None)
        variables |= {
            "VIRTUAL_ENV": str(folder),
            "PATH": os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", "")]),
        }
        _run([python, "-m", "venv", str(folder)], root, variables, f"{label}: no environment")
        what = f"{label} cannot be installed by '{command}'"
        _run(["/bin/sh", "-c", command], root, variables, what)
        (folder / "ready").write_text(made_from, encoding="utf-8")
    return str(program)


def _run(words: list[str], folder: Path, variables: dict[str, str], what: str) -> None:
    try:
        done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)
    except OSError as error:
        raise UsageError(f"{what}: {words[0]}: {error.strerror}") from None
    if done.returncode != 0:
        lines = [x.strip() for x in (done.stdout + done.stderr).splitlines() if x.strip()]
        telling = [x for x in lines if "error:" in x.lower() and not GENERIC.fullmatch(x)]
        raise UsageError(f"{what}: {(telling or lines or ['no reason given'])[-1][:300]}")


def _locks(root: Path) -> Iterator[str]:
    for pattern in LOCKS:
        for file in sorted(root.glob(pattern)):
            yield hashlib.sha256(file.read_bytes()).hexdigest()


def _forget(home: Path) -> None:
    """Remove the oldest environments."""
    home.mkdir(parents=True, exist_ok=True)
    ages = sorted(home.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in ages[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
