"""The harness inside a side's launches: its own, or the head's where it speaks other messages."""

from __future__ import annotations

import re
from pathlib import Path

PROTOCOL_FILE = "bench/results/messages.py"
PROTOCOL = re.compile(r"^PROTOCOL\s*=\s*(\d+)", re.MULTILINE)


def protocol(root: Path) -> int | None:
    """Version of the messages that a tree's launches speak; None without a harness in it."""
    try:
        found = PROTOCOL.search((root / PROTOCOL_FILE).read_text(encoding="utf-8"))
    except OSError:
        return None
    return int(found[1]) if found else 0


def launchable(head_root: Path, base_root: Path, home: Path, warnings: list[str]) -> Path:
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
