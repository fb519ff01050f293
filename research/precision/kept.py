"""What sessions recorded, compressed and kept beside the page, so that machines add up."""

from __future__ import annotations

import json
import lzma
import time
from pathlib import Path
from typing import Any

from research.precision.records import Records

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
    """The records of all sessions that are kept, the first session first, by their kind.

    Each names its machine (`cpu`): machines whose processors have one name are numbered.
    """
    found: Recorded = {name: [] for name in NAMES}
    for path in sorted(kept.glob("*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for record in map(json.loads, file):
                found[record.pop("of")].append(record)
    names = _machines(found["sessions"])
    for records in found.values():
        for record in records:
            record["cpu"] = names.get(record["session"], record["cpu"])
    return found


def _machines(sessions: list[dict[str, Any]]) -> dict[float, str]:
    """Of each session its machine's name; virtual ones hide which model of processor they have."""
    machines: dict[str, list[tuple[Any, ...]]] = {}
    places: dict[float, tuple[str, int]] = {}
    for session in sessions:
        about = session["environment"]
        alike = machines.setdefault(about["cpu"], [])
        machine = about["kernel"], about["memory_bytes"], about["cpu_flags"]
        if machine not in alike:
            alike.append(machine)
        places[session["session"]] = about["cpu"], alike.index(machine) + 1
    return {
        session: f"{cpu} ({number})" if len(machines[cpu]) > 1 else cpu
        for session, (cpu, number) in places.items()
    }


def _slim(record: dict[str, Any]) -> dict[str, Any]:
    if "launch" not in record:
        return record
    launch = {key: value for key, value in record["launch"].items() if key not in LEFT_OUT}
    return record | {"launch": launch}


def _file(session: float) -> str:
    return time.strftime("%Y-%m-%dT%H%M%S", time.gmtime(session)) + ".jsonl.xz"
