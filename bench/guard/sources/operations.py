"""Which operations changed between the traces of both sides."""

from __future__ import annotations

from pathlib import Path

from bench.explain import traces
from bench.guard.comparison.values import OperationChange

SHOWN = 8
LEAST_NS = 100.0


def changes(base: Path, head: Path) -> tuple[OperationChange, ...]:
    """Kinds of operations whose self time a step differs, largest difference first.

    Raises:
        TfbenchError: A trace cannot be read.
    """
    before, after = traces.read(base), traces.read(head)
    counts = [_counts(trace) for trace in (before, after)]
    found = [
        OperationChange(
            change.kind,
            1e3 * change.before_us,
            1e3 * change.after_us,
            counts[0].get(change.kind, 0.0),
            counts[1].get(change.kind, 0.0),
        )
        for change in traces.difference(before, after)
        if change.verdict != "same"
    ]
    return tuple([c for c in found if abs(c.head_ns - c.base_ns) >= LEAST_NS][:SHOWN])


def _counts(trace: traces.Trace) -> dict[str, float]:
    counts: dict[str, float] = {}
    for operation in trace.operations:
        counts[operation.kind] = counts.get(operation.kind, 0.0) + operation.count
    return {kind: count / max(1, trace.steps) for kind, count in counts.items()}
