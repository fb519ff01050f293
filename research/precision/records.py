"""Results on disk: JSON lines that are appended as they come, so that a run resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NAMES = ("sessions", "ours", "rivals", "absolute")
"""Files: of a session, of a launch, of another tool's decision, beside loadgen."""


class Records:
    """One file of JSON objects, a line each.

    Args:
        path: The file; its folder is made.
        stamp: What is added to each appended record.
    """

    def __init__(self, path: Path, stamp: Mapping[str, Any] | None = None) -> None:
        self.path, self.stamp = path, stamp or {}
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, *records: Mapping[str, Any]) -> None:
        """Add records and sync them to the disk."""
        with self.path.open("a", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps({**self.stamp, **record}, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """All whole records; a line that a crash cut short is left out."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    continue
