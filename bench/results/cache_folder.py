"""The folder of trained models and converted artifacts: where it is, who uses it, what it holds."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.results.errors import UsageError

WORKLOAD = re.compile(r"[0-9a-f]{16}")
OTHERS = {"models": "facts of models"}
"""Entries that belong to no workload."""
IN_USE = ".in-use.lock"
RECENT_S = 86400.0
"""While a run goes on, what was used within this time is kept."""


def default() -> Path:
    """`TFBENCH_CACHE`, or tfbench's folder in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("TFBENCH_CACHE") or Path(base) / "tfbench")


@contextlib.contextmanager
def used(folder: str) -> Iterator[None]:
    """Keep what is in the cache (empty: the default one) from being cleared meanwhile.

    Raises:
        UsageError: Others may write there, or this process may not.
    """
    place = Path(folder) if folder else default()
    try:
        place.mkdir(parents=True, exist_ok=True)
        check_private(place)
        lock = (place / IN_USE).open("w")
    except OSError as error:
        raise UsageError(
            f"the cache {place} cannot be written ({error.strerror}): give a folder of your own by "
            "--cache or TFBENCH_CACHE"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def check_private(folder: Path) -> None:
    """Refuse a cache in which others may put files: loading a model runs its code.

    Raises:
        UsageError: It is someone else's, or everybody may write there.
    """
    found = folder.stat()
    if found.st_uid != os.getuid():
        whose = f"belongs to another user (id {found.st_uid})"
    elif found.st_mode & stat.S_IWOTH:
        whose = f"may be written by everybody: `chmod o-w {folder}`"
    else:
        return
    raise UsageError(
        f"the cache {folder} {whose}; models in it would be loaded, which runs their code: give a "
        "folder of your own by --cache or TFBENCH_CACHE"
    )


@dataclass(frozen=True)
class Entry:
    """What is kept of one workload."""

    path: Path
    what: str
    size_bytes: int
    last_use_s: float
    """Unix time."""


def entries(folder: Path) -> list[Entry]:
    """What the cache holds, the least recently used first.

    Raises:
        UsageError: It is no cache of tfbench: there is something else in it.
    """
    if not folder.exists():
        return []
    there = [each for each in folder.iterdir() if each.name != IN_USE] if folder.is_dir() else []
    other = [each.name for each in there if not _is_own(each)]
    if other or not folder.is_dir():
        what = f": it holds {other[0]}" if other else ""
        raise UsageError(f"{folder} is no cache of tfbench{what}; give its folder by --cache")
    found = [Entry(each, _what(each), *_used(each)) for each in there]
    return sorted(found, key=lambda entry: entry.last_use_s)


def clear(
    folder: Path,
    older_than_s: float = 0.0,
    max_bytes: int | None = None,
    now_s: float | None = None,
) -> tuple[list[Entry], list[Entry]]:
    """Remove entries, the least recently used first.

    Args:
        folder: The cache.
        older_than_s: Only what was not used for so long.
        max_bytes: Only until no more than this is left; None: all.
        now_s: Unix time; None: now.

    Returns:
        What was removed, and what was to go but is in use.

    Raises:
        UsageError: The folder is no cache of tfbench.
    """
    found = entries(folder)
    now = time.time() if now_s is None else now_s
    left = sum(entry.size_bytes for entry in found)
    removed: list[Entry] = []
    kept: list[Entry] = []
    if not found:
        return removed, kept
    with (folder / IN_USE).open("w") as lock:
        alone = _taken(lock)
        for entry in found:
            age_s = max(0.0, now - entry.last_use_s)
            if age_s < older_than_s or (max_bytes is not None and left <= max_bytes):
                continue
            if (not alone and age_s < RECENT_S) or not _remove(entry.path):
                kept.append(entry)
                continue
            removed.append(entry)
            left -= entry.size_bytes
    return removed, kept


def _is_own(path: Path) -> bool:
    return path.is_dir() and (path.name in OTHERS or bool(WORKLOAD.fullmatch(path.name)))


def _what(folder: Path) -> str:
    """Names of the artifacts in it."""
    if folder.name in OTHERS:
        return OTHERS[folder.name]
    names = {lock.name[1:].removesuffix(".lock") for lock in folder.rglob(".*.lock")}
    return ", ".join(sorted(names)) or "nothing"


def _used(folder: Path) -> tuple[int, float]:
    """Size and last use of a folder: the newest time of reading or writing anything in it."""
    size, last = 0, folder.stat().st_mtime
    for file in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # made or removed meanwhile
            found = file.lstat()
            if not file.is_dir():
                size += found.st_size
                last = max(last, found.st_mtime, found.st_atime)
    return size, last


def _remove(folder: Path) -> bool:
    """Remove it, unless something in it is being made; whether it is gone."""
    with contextlib.ExitStack() as held:
        for path in folder.rglob(".*.lock"):
            lock = held.enter_context(path.open("a"))
            if not _taken(lock):
                return False
        shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
