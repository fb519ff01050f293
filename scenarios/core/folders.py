"""Folders that a job writes to and nobody keeps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def scratch_folder() -> Iterator[str]:
    """A new folder, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="tfbench-") as folder:
        yield folder
