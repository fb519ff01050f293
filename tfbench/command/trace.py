"""`tfbench trace`: a scenario's Profiler trace as tables, or two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.table import Table

from bench.explain import traces
from bench.explain.traces import Change, Trace
from bench.results.errors import UsageError
from bench.results.store import Run, read_run
from tfbench.screen.terminal import Console

HOLDERS = 5


def show(
    run: Path,
    scenario: str,
    other: str | None = None,
    configuration: str | None = None,
    top: int = 15,
    console: Console | None = None,
) -> None:
    """Print the trace of a scenario, or what changes from it to another.

    Args:
        run: A run's folder.
        scenario: Id of a traced scenario.
        other: A second one to compare it with.
        configuration: Needed where the run has several.
        top: Rows of the tables.
        console: Where to print.

    Raises:
        UsageError: There is no such trace, or it is too large.
    """
    out = console or Console()
    known = read_run(run)
    first = _read(known, scenario, configuration)
    if other is None:
        for part in one(first, top):
            out.print(part)
        return
    for part in two(first, _read(known, other, configuration), top):
        out.print(part)


def one(trace: Trace, top: int) -> Iterable[Table | str]:
    """What is printed of one trace."""
    yield summary([trace])
    yield operations(trace, top)
    if trace.pipeline:
        yield pipeline(trace, top)
    if trace.peak_bytes is not None:
        yield holders(trace)
    yield from (f"warning: {warning}" for warning in trace.warnings)


def two(before: Trace, after: Trace, top: int) -> Iterable[Table | str]:
    """What is printed of two traces."""
    yield summary([before, after])
    yield changes(before, after, top)
    for trace in (before, after):
        yield from (f"warning: {trace.label}: {warning}" for warning in trace.warnings)


def summary(traces: list[Trace]) -> Table:
    """Steps, time by state, host against device, and peak memory."""
    table = _table("trace", *(trace.label for trace in traces))
    table.add_row("traced steps", *(str(t.steps) for t in traces))
    table.add_row("a step", *(f"{t.step_ms:.3f} ms" for t in traces))
    for state, words in STATES.items():
        table.add_row(words, *(_share(t.shares.get(state)) for t in traces))
    table.add_row("device busy", *(_share(t.device_share, "no device") for t in traces))
    table.add_row("peak memory of tensors", *(_bytes(t.peak_bytes) for t in traces))
    return table


STATES = {
    "compute": "matrix products",
    "memory": "other operations",
    "input": "waiting for input",
    "communication": "communication",
    "python": "no operation (Python, dispatch)",
}


def operations(trace: Trace, top: int) -> Table:
    """Top operations by self time."""
    table = _table("operation", "kind", "on", "self time a step", "share", "runs a step")
    for operation in trace.operations[:top]:
        table.add_row(
            _end(operation.name),
            operation.kind,
            operation.place,
            f"{trace.per_step_us(operation):,.1f} µs",
            _share(operation.share),
            f"{operation.count / max(1, trace.steps):.3g}",
        )
    return table


def pipeline(trace: Trace, top: int) -> Table:
    """What the input pipeline's threads ran."""
    table = _table("in the input pipeline", "time a step")
    for kind, spent in list(trace.pipeline.items())[:top]:
        table.add_row(kind, f"{spent / max(1, trace.steps):,.1f} µs")
    return table


def holders(trace: Trace) -> Table:
    """Who held memory at the peak."""
    table = _table(f"held at the peak ({trace.allocator})", "size", "tensor")
    for holder in trace.holders[:HOLDERS]:
        table.add_row(_end(holder.name), _bytes(holder.bytes), holder.shape)
    return table


def changes(before: Trace, after: Trace, top: int) -> Table:
    """Which kinds of operations got faster, slower, appeared and vanished."""
    table = _table("kind of operation", before.label, after.label, "difference", "")
    for change in traces.difference(before, after)[:top]:
        table.add_row(change.kind, *_times(change), change.verdict)
    return table


def _times(change: Change) -> tuple[str, str, str]:
    before, after = (f"{us:,.1f} µs" if us else "–" for us in (change.before_us, change.after_us))
    return before, after, f"{change.after_us - change.before_us:+,.1f} µs"


def _read(run: Run, scenario: str, configuration: str | None) -> Trace:
    if run.scenarios and scenario not in run.scenarios:
        raise UsageError(f"{run.folder} holds no scenario {scenario}: see tfbench report")
    file = traces.find(run.folder, scenario, configuration)
    name = file.parents[3].name.rpartition("@")[2]
    facts = [
        launch.probes["trace"]
        for launch in run.launches
        if (launch.scenario, launch.configuration) == (scenario, name) and "trace" in launch.probes
    ]
    warnings = [warning for fact in facts for warning in fact.get("warnings", ())]
    overhead = [f["overhead_share"] for f in facts if f.get("overhead_share") is not None]
    if overhead:
        warnings.append(f"tracing makes a step {overhead[0]:+.1%} longer; its times include that")
    return traces.read(file, warnings)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _share(value: float | None, missing: str = "–") -> str:
    return missing if value is None else f"{100 * value:.1f} %"


def _bytes(value: int | None) -> str:
    return "–" if value is None else f"{value / 2**20:,.1f} MiB"


def _end(name: str, width: int = 56) -> str:
    return name if len(name) <= width else "…" + name[-width + 1 :]
