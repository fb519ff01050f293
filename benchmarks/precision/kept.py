"""What sessions recorded, compressed and kept beside the page, so that machines add up."""

from __future__ import annotations

import json
import lzma
import time
from pathlib import Path
from typing import Any

from benchmarks.precision.records import Records

NAMES = ("sessions", "ours", "rivals", "absolute")
"""Kinds of records: of a session, of a launch, of another tool's decision, beside loadgen."""
LEFT_OUT = ("outputs", "losses", "predictions", "correct", "proof", "output")
"""Of a launch: what no figure of the page is made from."""

Recorded = dict[str, list[dict[str, Any]]]


def keep(out: Path, kept: Path) -> None:
    """Write the records of each session in `out` to a file of its own.

    Args:
        out: Folder of the results.
        kept: Where the files go; a session that is there is written anew.
    """
    sessions: dict[float, list[dict[str, Any]]] = {}
    for name in NAMES:
        for record in Records(out / f"{name}.jsonl"):
            sessions.setdefault(record["session"], []).append({"of": name, **_slim(record)})
    for session, records in sessions.items():
        if any(record["of"] != "sessions" for record in records):
            kept.mkdir(parents=True, exist_ok=True)
            with lzma.open(kept / _file(session), "wt", encoding="utf-8") as file:
                file.writelines(json.dumps(r, separators=(",", ":")) + "\n" for r in records)


def recorded(kept: Path) -> Recorded:
    """The records of all sessions that are kept, the first session first, by their kind."""
    found: Recorded = {name: [] for name in NAMES}
    for path in sorted(kept.glob("*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for record in map(json.loads, file):
                found[record.pop("of")].append(record)
    return found


def _slim(record: dict[str, Any]) -> dict[str, Any]:
    if "launch" not in record:
        return record
    launch = {key: value for key, value in record["launch"].items() if key not in LEFT_OUT}
    return record | {"launch": launch}


def _file(session: float) -> str:
    return time.strftime("%Y-%m-%dT%H%M%S", time.gmtime(session)) + ".jsonl.xz"
