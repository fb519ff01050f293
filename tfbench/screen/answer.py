"""What `--json` prints: one object on standard output; everything else goes to standard error."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfbench.screen.plain import tell

SCHEMA = 1
"""Version of all objects; `docs/schemas/` describes them. Fields are added, never renamed."""


def answer(command: str, **fields: Any) -> None:
    """Print a command's answer.

    Args:
        command: Its name; `docs/schemas/COMMAND.json` is its schema.
        fields: Values, dataclasses among them. Numbers that are not finite become null.
    """
    what = {"schema": SCHEMA, "command": command, **fields}
    tell(json.dumps(_plain(what), indent=1, ensure_ascii=False, allow_nan=False))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """A table that was written as CSV; what is missing is null, numbers are numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: _value(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text or None


def _plain(item: Any) -> Any:
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        return {f.name: _plain(getattr(item, f.name)) for f in dataclasses.fields(item)}
    if isinstance(item, Mapping):
        return {str(key): _plain(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [_plain(each) for each in item]
    if isinstance(item, float) and not math.isfinite(item):
        return None
    if isinstance(item, Path):
        return str(item)
    return item.item() if hasattr(item, "item") else item
