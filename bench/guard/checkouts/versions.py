"""The two versions of a user's code: their trees, interpreters and, where asked, installations."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.guard.checkouts import installs, worktrees
from bench.guard.checkouts.worktrees import Checkout
from bench.results.errors import UsageError

COMPILED = (".so", ".pyd")
BESIDE = {"build", "dist", "node_modules", "site-packages"}


@dataclass(frozen=True)
class Versions:
    """How versions of a user's code are made ready."""

    root: Path
    """Folder of the head's code."""
    python: str = ""
    """Interpreter of both; empty: this one."""
    base_python: str = ""
    """Interpreter of the base, where it is another one."""
    install: str = ""
    """Command that installs a version into an environment of its own; empty: none is needed."""

    def check(self) -> None:
        """Raise UsageError where an interpreter is none."""
        for each in (self.python, self.base_python):
            if each and (not os.access(each, os.X_OK) or Path(each).is_dir()):
                raise UsageError(f"cannot start {each}: give the path of a Python interpreter")

    def head(self) -> Checkout:
        """The working tree."""
        found = dataclasses.replace(worktrees.head(self.root), python=self._python(self.python))
        return self._installed(found, self._state() if self.install else "")

    @contextlib.contextmanager
    def pair(self, ref: str | None) -> Iterator[tuple[Checkout, Checkout]]:
        """The base, another commit or the working tree in another environment, and the head."""
        self.check()
        if ref is None:
            head = self.head()
            python = self._python(self.base_python)
            base = dataclasses.replace(head, label=f"{head.label}, {python}", python=python)
            yield (self._installed(base, self._state()) if self.install else base), head
            return
        with self.at(self.root, ref) as base:
            yield base, self.head()

    @contextlib.contextmanager
    def at(self, root: Path, ref: str) -> Iterator[Checkout]:
        """A commit in a worktree."""
        python = self._python(self.base_python or self.python)
        with worktrees.checkout(root, ref, python, own=False) as found:
            yield self._installed(found, worktrees.git(found.root, "rev-parse", "HEAD"))

    def _python(self, given: str) -> str:
        return str(Path(given).absolute()) if given else sys.executable

    def _installed(self, side: Checkout, state: str) -> Checkout:
        if not self.install:
            return side
        python = installs.install(side.label, side.root, state, self.install, side.python)
        return dataclasses.replace(side, python=python, installed=True)

    def _state(self) -> str:
        """The head's commit, and a digest of what is not committed."""
        git = worktrees.git
        try:
            commit = git(self.root, "rev-parse", "HEAD")
        except UsageError:
            return os.urandom(8).hex()  # no repository: installed anew each time
        changed = git(self.root, "diff", "HEAD", "--binary")
        new = git(self.root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
        digest = hashlib.sha256(changed.encode())
        for name in filter(None, new):
            file = self.root / name
            digest.update(name.encode() + (file.read_bytes() if file.is_file() else b""))
        return f"{commit} {digest.hexdigest()}" if changed or any(new) else commit


def compiled_in_head_alone(base: Checkout, head: Checkout) -> Path | None:
    """A compiled file of the working tree that the base's fresh tree lacks, if there is one."""
    if base.installed or base.root == head.root:
        return None
    for folder, folders, files in os.walk(head.root):
        folders[:] = [x for x in folders if not is_elsewhere(Path(folder) / x)]
        for name in files:
            place = (Path(folder) / name).relative_to(head.root)
            if name.endswith(COMPILED) and not (base.root / place).exists():
                return place
    return None


def is_elsewhere(folder: Path) -> bool:
    """Whether nothing in it is imported as the project's: hidden, built, or an environment."""
    return folder.name.startswith(".") or folder.name in BESIDE or (folder / "pyvenv.cfg").exists()
