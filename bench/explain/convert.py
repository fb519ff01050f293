"""Converting traces to plain facts: `python -m bench.explain.convert FILE…`, a JSON line each.

A process of its own, because the converters are native code that logs, keeps memory, and writes
caches beside the file they read.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.explain import events
from bench.results import extras

Table = dict[str, Any]


def convert(file: Path) -> dict[str, Any]:
    """Facts of an `.xplane.pb` file: steps, shares by state, operations, memory, pipeline."""
    seen = events.read(file)
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, file.name)
        link.symlink_to(file.resolve())
        rows = _rows(_tool(link, "framework_op_stats"), seen)
        memory = _tool(link, "memory_profile") or {}
    total = sum(end - start for start, end in seen.steps)
    return {
        "steps": len(seen.steps),
        "step_ms": total / max(1, len(seen.steps)) / 1e9,
        "shares": events.shares(seen),
        "device_share": events.covered(seen.device, seen.steps) if seen.device else None,
        "operations": [*rows, *_own(seen)],
        "pipeline": {kind: spent / 1e6 for kind, spent in seen.pipeline.most_common(20)},
        "memory": _memory(memory),
    }


def _tool(file: Path, name: str) -> Any:
    """What one of xprof's converters makes of a trace; None where it makes nothing."""
    from xprof.convert import raw_to_tool_data

    data, _ = raw_to_tool_data.xspace_to_tool_data([str(file)], name, {})
    return json.loads(data) if data else None


def _rows(tables: Any, seen: events.Events) -> list[Table]:
    """Rows of framework_op_stats: the first table, idle time left out."""
    tables = [tables] if isinstance(tables, dict) else tables or []
    if not tables or not tables[0].get("cols"):
        return []
    columns = [column["id"] for column in tables[0]["cols"]]
    rows = [
        dict(zip(columns, (c["v"] for c in row["c"]), strict=False)) for row in tables[0]["rows"]
    ]
    return [
        {
            "name": row["operation"],
            "kind": row["type"],
            "place": row["host_or_device"].lower(),
            "count": seen.counts[row["operation"], row["type"]] or int(row["occurrences"]),
            "self_us": float(row["total_self_time"]),
        }
        for row in rows
        if row["type"] not in ("IDLE", "") and not row["type"].startswith("__")
    ]


def _own(seen: events.Events) -> list[Table]:
    """Rows of what xprof leaves out on a CPU: eager operations, and XLA's kernels."""
    return [
        {
            "name": f"{way} {kind}",
            "kind": kind,
            "place": "host",
            "count": seen.own_counts[way, kind],
            "self_us": spent / 1e6,
        }
        for (way, kind), spent in seen.own.most_common()
    ]


def _memory(profile: Any) -> Table | None:
    """The allocator with the highest peak, and what was alive at that moment."""
    allocators = profile.get("memoryProfilePerAllocator") or {}
    peaks = {
        name: int(a["profileSummary"]["peakStats"]["peakBytesInUse"])
        for name, a in allocators.items()
        if a.get("profileSummary", {}).get("peakStats")
    }
    if not peaks:
        return None
    name = max(peaks, key=lambda key: peaks[key])
    return {"allocator": name, "peak_bytes": peaks[name], "holders": _holders(allocators[name])}


def _holders(allocator: Any) -> list[Table]:
    snapshots = allocator.get("memoryProfileSnapshots", [])
    special = allocator.get("specialAllocations", [])
    found = []
    for active in allocator.get("activeAllocations", []):
        index, other = int(active["snapshotIndex"]), int(active["specialIndex"])
        data = snapshots[index]["activityMetadata"] if index >= 0 else special[other]
        found.append(
            {
                "name": data["tfOpName"],
                "bytes": int(data["allocationBytes"]) * int(active["numOccurrences"]),
                "shape": f"{data['dataType']}{data['tensorShape']}".replace("INVALIDunknown", ""),
            }
        )
    return sorted(found, key=lambda holder: -holder["bytes"])


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        try:
            print(json.dumps(convert(Path(argument))), flush=True)
        except ModuleNotFoundError as error:
            sys.exit(f"reading a trace {extras.lacking(error.name or str(error))}")
