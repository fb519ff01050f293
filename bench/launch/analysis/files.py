"""Size and contents of a deployable file or folder."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path


def size_bytes(path: Path) -> int:
    """Size of a file, or of all files in a folder."""
    return sum(file.stat().st_size for file in _files(path))


def gzip_bytes(path: Path) -> int:
    """Size after gzip -9 of a file, or the sum over a folder's files."""
    return sum(
        len(gzip.compress(file.read_bytes(), compresslevel=9, mtime=0)) for file in _files(path)
    )


def content_digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in _files(path))).hexdigest()


def _files(path: Path) -> list[Path]:
    """A file, or a folder's files but for TensorFlow's `fingerprint.pb`.

    That names one act of saving by random numbers, which take a byte more or less: the same model
    saved again would be a growth of the artifact.
    """
    if path.is_file():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and p.name != "fingerprint.pb")
