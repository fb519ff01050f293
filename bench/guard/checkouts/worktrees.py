"""Versions of the code: the head is the working tree, the base another commit in a worktree.

The head is the working tree as it is; the base is another version in its own git worktree. Each
side's launches import `scenarios` and `bench.launch` from their own tree, and its own dependencies
where they differ. The harness that steers both is always the head's.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.guard.checkouts import environments, harness
from bench.results import locks
from bench.results.errors import UsageError

PREFIX, LOCK = "tfbench-base-", ".lock"


@dataclass(frozen=True)
class Checkout:
    """One version of the code, ready to be launched."""

    label: str
    """For people: the ref and its commit."""
    root: Path
    """Folder that holds `scenarios` and `bench`; launches import from it and run in it."""
    python: str
    """Interpreter of its launches."""
    warnings: tuple[str, ...] = ()
    installed: bool = False
    """Its code is installed in the interpreter's environment, and not imported from the root."""
    commit: str = ""
    """Its commit in full, where it is one."""


def repository(folder: Path) -> Path:
    """The top of the git repository that holds `folder`; raises UsageError outside of one."""
    return Path(git(folder, "rev-parse", "--show-toplevel"))


def head(root: Path) -> Checkout:
    """The working tree as it is, changes that are not committed included."""
    try:
        commit = git(root, "rev-parse", "--short", "HEAD")
    except UsageError:
        return Checkout("working tree", root, sys.executable)
    dirty = git(root, "status", "--porcelain", "--untracked-files=no")
    return Checkout(
        f"working tree at {commit}{' with changes' if dirty else ''}", root, sys.executable
    )


@contextlib.contextmanager
def checkout(root: Path, ref: str, python: str = "", own: bool = True) -> Iterator[Checkout]:
    """A version of the code that `root` belongs to, in a worktree that goes away afterwards.

    Args:
        root: Folder of the head's code, anywhere inside a git repository.
        ref: Branch, tag or commit.
        python: Interpreter of its launches; empty: this one, or one made for its dependencies.
        own: It is a tree of this project, whose launches need a harness that fits this one's.

    Raises:
        UsageError: Not a repository, an unknown ref, or dependencies that cannot be installed.
    """
    top = repository(root)
    try:
        commit = git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except UsageError:
        raise UsageError(
            f"no commit {ref!r} in {top}: fetch it first (git fetch origin; in CI check out with "
            "fetch-depth: 0)"
        ) from None
    forget_left(root)
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    alive = locks.hold(home / LOCK)
    tree = home / "tree"
    try:
        git(root, "worktree", "add", "--detach", str(tree), commit)
        place = tree / root.resolve().relative_to(top.resolve())
        if not place.is_dir():
            raise UsageError(f"{ref} has no folder {root.resolve().relative_to(top.resolve())}")
        warnings: list[str] = []
        code = harness.launchable(root, place, home, warnings) if own else place
        interpreter = python or environments.interpreter(root, place, warnings)
        yield Checkout(f"{ref} ({commit[:9]})", code, interpreter, tuple(warnings), commit=commit)
    finally:
        with contextlib.suppress(UsageError):
            git(root, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(home, ignore_errors=True)
        if alive is not None:
            alive.close()
        with contextlib.suppress(UsageError):
            git(root, "worktree", "prune")


def forget_left(root: Path) -> None:
    """Remove worktrees of this project that processes have left which were killed."""
    for line in git(root, "worktree", "list", "--porcelain").splitlines():
        home = Path(line.removeprefix("worktree ")).parent
        ours = home.name.startswith(PREFIX) and home.parent == Path(tempfile.gettempdir()).resolve()
        if not (line.startswith("worktree ") and ours and (home / LOCK).exists()):
            continue
        alive = locks.hold(home / LOCK)
        if alive is not None:
            with contextlib.suppress(UsageError):
                git(root, "worktree", "remove", "--force", str(home / "tree"))
            shutil.rmtree(home, ignore_errors=True)
            alive.close()


def git(folder: Path, *arguments: str) -> str:
    """Output of a git command; raises UsageError with git's own reason where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=120,
            errors="backslashreplace",  # names of files may be any bytes
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be run: {error}") from None
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        fatal = [line for line in said if line.startswith("fatal: ")]
        reason = dict.fromkeys([*fatal[:1], *said[-1:]])  # a way out stands in the last line
        raise UsageError(f"git {arguments[0]}: {'; '.join(reason) or 'no reason given'}")
    return done.stdout.strip()
