"""The files of a bundle: none may lie outside of it, and each has its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bench.bundle import claim as claims
from bench.results.errors import UsageError

UNSTABLE = "fingerprint.pb"
"""Names one act of saving by random numbers of a byte more or less: no part of a form's size."""


def inside(bundle: Path, place: str) -> Path:
    """The path of a place in a bundle.

    Raises:
        UsageError: It leaves the bundle, or there is nothing.
    """
    pure = PurePosixPath(place)
    if not place or pure.is_absolute() or ".." in pure.parts or "\\" in place or "\0" in place:
        raise UsageError(f"{place!r} leaves the bundle {bundle}: do not use it")
    path = bundle.joinpath(*pure.parts)
    if not path.exists():
        raise UsageError(f"{bundle} lacks {place}, which its claim names: it is not whole")
    return path


def digests(bundle: Path) -> dict[str, str]:
    """SHA-256 of every file but the claim, by its place."""
    return {
        path.relative_to(bundle).as_posix(): _sha256(path)
        for path in _files(bundle)
        if path != bundle / claims.NAME
    }


def size_bytes(path: Path) -> int:
    """Size of a file, or of a folder's files."""
    return sum(each.stat().st_size for each in _files(path) if each.name != UNSTABLE)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from sorted(each for each in path.rglob("*") if each.is_file())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
