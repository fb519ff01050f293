"""The two sides of a comparison: which code, in which environment.

The head is the working tree as it is; the base is another version in its own git worktree. Each
side's launches import `scenarios` and `bench.launch` from their own tree, and its own dependencies
where they differ. The harness that steers both is always the head's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.results.errors import UsageError

PROTOCOL_FILE = "bench/results/messages.py"
PROTOCOL = re.compile(r"^PROTOCOL\s*=\s*(\d+)", re.MULTILINE)
Run = Callable[[Sequence[str]], None]


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
def checkout(root: Path, ref: str, python: str = "") -> Iterator[Checkout]:
    """A version of the code that `root` belongs to, in a worktree that goes away afterwards.

    Args:
        root: Folder of the head's code, anywhere inside a git repository.
        ref: Branch, tag or commit.
        python: Interpreter of its launches; empty: this one, or one made for its dependencies.

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
    home = Path(tempfile.mkdtemp(prefix="tfbench-base-"))
    tree = home / "tree"
    try:
        git(root, "worktree", "add", "--detach", str(tree), commit)
        place = tree / root.resolve().relative_to(top.resolve())
        if not place.is_dir():
            raise UsageError(f"{ref} has no folder {root.resolve().relative_to(top.resolve())}")
        warnings: list[str] = []
        code = _launchable(root, place, home, warnings)
        interpreter = python or environment_for(root, place, warnings)
        yield Checkout(f"{ref} ({commit[:9]})", code, interpreter, tuple(warnings))
    finally:
        with contextlib.suppress(UsageError):
            git(root, "worktree", "remove", "--force", str(tree))
        shutil.rmtree(home, ignore_errors=True)
        with contextlib.suppress(UsageError):
            git(root, "worktree", "prune")


def git(folder: Path, *arguments: str) -> str:
    """Output of a git command; raises UsageError with git's own last line where it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git cannot be run: {error}") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageError(f"git {arguments[0]}: {last}")
    return done.stdout.strip()


# --- the harness inside the launches --------------------------------------------------------------


def protocol(root: Path) -> int | None:
    """Version of the messages that a tree's launches speak; None without a harness in it."""
    try:
        found = PROTOCOL.search((root / PROTOCOL_FILE).read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(found[1]) if found else 0


def _launchable(head_root: Path, base_root: Path, home: Path, warnings: list[str]) -> Path:
    """The base's tree; with the head's harness in it where its own speaks other messages.

    A user's repository holds no harness at all: both sides then use the installed one.
    """
    ours, theirs = protocol(head_root), protocol(base_root)
    if ours == theirs:
        return base_root
    mixed = home / "mixed"
    mixed.mkdir()
    for entry in base_root.iterdir():
        if entry.name not in ("bench", ".git"):
            (mixed / entry.name).symlink_to(entry)
    if ours is not None:
        (mixed / "bench").symlink_to(head_root / "bench")
    warnings.append(
        "the base's harness speaks other messages than this one, so both sides ran with this "
        "one's: only changes of scenarios and models are compared, not of the harness"
    )
    return mixed


# --- the environment ------------------------------------------------------------------------------


def dependencies(root: Path) -> str:
    """What decides which packages a tree is run with: its requirements and constraints."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {})
    except (OSError, tomllib.TOMLDecodeError):
        project = {}
    wanted = sorted(map(str, project.get("dependencies", ())))
    constraints = root / "constraints.txt"
    pins = constraints.read_text("utf-8") if constraints.is_file() else ""
    return "\n".join([str(project.get("requires-python", "")), *wanted, pins])


def environment_for(
    head_root: Path, base_root: Path, warnings: list[str], run: Run | None = None
) -> str:
    """Interpreter for the base: this one, or a virtual environment with its own dependencies.

    The environment is made once and kept in the cache folder, by what it was made from.

    Raises:
        UsageError: The dependencies cannot be installed.
    """
    theirs = dependencies(base_root)
    if dependencies(head_root) == theirs:
        return sys.executable
    warnings.append("dependencies differ: the base ran in an environment of its own")
    digest = hashlib.sha256(f"{sys.version}\n{theirs}".encode()).hexdigest()[:16]
    folder = _environments() / digest
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    execute = run or _execute
    uv = shutil.which("uv")
    wanted = _requirements(base_root)
    if uv:
        execute([uv, "venv", "--python", sys.executable, str(folder)])
        install = [uv, "pip", "install", "--compile-bytecode", "--python", str(python)]
    else:
        execute([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet"]
    execute([*install, *wanted])
    (folder / "ready").write_text(theirs, encoding="utf-8")
    return str(python)


def _requirements(root: Path) -> list[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {})
    pins = root / "constraints.txt"
    chosen = ["-c", str(pins)] if pins.is_file() else []
    return [*chosen, *map(str, project.get("dependencies", ()))]


def _environments() -> Path:
    base = os.environ.get("TFBENCH_CACHE") or (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tfbench"
    )
    return Path(base) / "environments"


def _execute(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UsageError(
            f"the base's dependencies cannot be installed ({last}): make an environment for it and "
            "name its interpreter by --base-python"
        )
