"""Files written whole or not at all, with the system's errors as lines that say what to do."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.results.errors import StoreError, UsageError


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV; None is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def replace_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Raises:
        StoreError: The disk is full, say; the file that was there stays.
    """
    replace_bytes(path, text.encode())


def replace_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        StoreError: The disk is full, say; the file that was there stays.
    """
    part = path.with_name(path.name + ".part")
    with writing(path):
        part.unlink(missing_ok=True)  # it may be a stranger's link
        try:
            part.write_bytes(data)
            part.rename(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def identity(folder: Path) -> tuple[int, int] | None:
    """Device and number of a folder, whatever its name; None: it is not there."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def refuse_links(folder: Path) -> None:
    """Refuse a folder whose files lie elsewhere: what is read or written there would be as well.

    Raises:
        UsageError: It holds a link, or something that is neither a file nor a folder.
    """
    for place, names, files in os.walk(folder):
        for name in (*names, *files):
            path = Path(place) / name
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:  # another process has just put it into its place
                continue
            if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
                shown = path.relative_to(folder)
                raise UsageError(f"{shown} in {folder} is a link or a device: do not use it")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an error of the system into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): make room there, or choose another "
            "folder; what was written before is kept"
        ) from None
