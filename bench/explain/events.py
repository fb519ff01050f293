"""A trace's raw events: what each moment of a step was spent on, and what eager operations cost.

xprof's converters see no eager operations and no input waits in traces of a CPU; both are in the
events. The schema is loaded from TensorFlow's own files without importing TensorFlow.
"""

from __future__ import annotations

import importlib.util
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STEP = "step"
"""Name of the events that mark steps (bench.launch.analysis.trace)."""
STATES = ("communication", "compute", "memory", "input", "python")
"""What a moment may be spent on; where several overlap, the first in this order."""
COMMUNICATION = re.compile(
    r"Collective|AllReduce|AllGather|Nccl|nccl|_?HostSend|_?HostRecv|^_?(Send|Recv)$"
)
COMPUTE = re.compile(r"[Cc]onv|MatMul|Einsum|gemm|cudnn|cutlass|^dot")
INPUT = re.compile(r"IteratorGetNext|IteratorV2|OptionalGetValue")
WAITING = re.compile(r"^IteratorGetNext(Sync|AsOptional)?Op::DoCompute$")
OPERATION = re.compile(r"^(?!Iterator)([\w./-]+):(_?[A-Z]\w+)$")
EAGER = "EagerLocalExecute: "
KERNEL = "KernelAndDeviceFunc::Run"
PIPELINE_THREAD = "tf_data"
XLA = "ThunkExecutor::Execute"
"""Around the kernels that XLA compiled for a CPU."""

Interval = tuple[int, int]


@dataclass
class Events:
    """What was read of a trace; times in ps."""

    steps: list[Interval] = field(default_factory=list)
    spans: dict[str, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    """Intervals by state."""
    own: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Time of operations that xprof leaves out, by way (`eager`, `xla`) and kind; eager ones with
    their dispatch."""
    own_counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    pipeline: Counter[str] = field(default_factory=Counter)
    """Time of each operation that ran in the input pipeline's threads."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each operation (name, kind) ran; a kernel inside its own event counts once."""
    device: list[Interval] = field(default_factory=list)
    """Intervals in which a device (GPU, TPU) ran a kernel."""


def read(file: Path) -> Events:
    """The events of an `.xplane.pb` file."""
    space = _schema().XSpace.FromString(file.read_bytes())
    events = Events()
    for plane in space.planes:
        names = {number: m.name for number, m in plane.event_metadata.items()}
        marks = {number for number, m in plane.stat_metadata.items() if m.name == "step_num"}
        for line in plane.lines:
            if plane.name.startswith("/device:"):
                _device_line(line, names, events)
            elif plane.name.startswith("/host:CPU"):
                _host_line(line, names, marks, events)
    return events


def shares(events: Events) -> dict[str, float]:
    """Share of the steps' time by state, in sum 1; empty without steps or without operations."""
    total = sum(end - start for start, end in events.steps)
    if not total or not any(events.spans.values()):
        return {}
    spent: Counter[str] = Counter()
    changes = [
        (at, change, state)
        for state, spans in events.spans.items()
        for start, end in spans
        for at, change in ((start, 1), (end, -1))
    ]
    changes += [(at, change, STEP) for s, e in events.steps for at, change in ((s, 1), (e, -1))]
    running: Counter[str] = Counter()
    last = 0
    for at, change, state in sorted(changes):
        if running[STEP] > 0:
            now = next((s for s in STATES[:-1] if running[s] > 0), "python")
            spent[now] += at - last
        running[state] += change
        last = at
    return {state: spent[state] / total for state in STATES}


def covered(intervals: Iterable[Interval], within: Iterable[Interval]) -> float:
    """Share of `within` that `intervals` cover, both unions."""
    changes = sorted(
        [(at, change, 0) for s, e in intervals for at, change in ((s, 1), (e, -1))]
        + [(at, change, 1) for s, e in within for at, change in ((s, 1), (e, -1))]
    )
    running, last, both, whole = [0, 0], 0, 0, 0
    for at, change, which in changes:
        if running[1] > 0:
            whole += at - last
            both += (at - last) * (running[0] > 0)
        running[which] += change
        last = at
    return both / whole if whole else 0.0


def _host_line(line: Any, names: dict[int, str], marks: set[int], events: Events) -> None:
    base = int(line.timestamp_ns) * 1000
    for event in line.events:
        if names.get(event.metadata_id) == STEP and any(
            s.metadata_id in marks for s in event.stats
        ):
            start = base + event.offset_ps
            events.steps.append((start, start + event.duration_ps))
    in_pipeline = line.name.startswith(PIPELINE_THREAD)
    for name, start, end, inside in _nested(line, names, base):
        if WAITING.match(name):
            events.spans["input"].append((start, end))
        elif name.startswith(EAGER):
            kind = name[len(EAGER) :]
            if not kind.startswith("__"):
                events.own["eager", kind] += end - start
                events.own_counts["eager", kind] += 1
        elif name == KERNEL:
            kind = next((n[len(EAGER) :] for n in reversed(inside) if n.startswith(EAGER)), "")
            if kind and not kind.startswith("__") and not INPUT.search(kind):
                events.spans[state_of(kind)].append((start, end))
        elif inside and inside[-1] == XLA and not name.startswith("end: "):
            kind = name.partition(".")[0]
            events.own["xla", kind] += end - start
            events.own_counts["xla", kind] += 1
            events.spans[state_of(kind)].append((start, end))
        elif (found := OPERATION.match(name)) and not found[2].startswith("__"):
            events.counts[found[1], found[2]] += name not in inside
            if in_pipeline:
                events.pipeline[found[2]] += end - start
            elif not INPUT.search(found[2]):
                events.spans[state_of(found[2])].append((start, end))


def _device_line(line: Any, names: dict[int, str], events: Events) -> None:
    if not line.name.startswith(("Stream", "XLA Ops")):
        return
    base = int(line.timestamp_ns) * 1000
    for name, start, end, _ in _nested(line, names, base):
        events.device.append((start, end))
        events.spans[state_of(name)].append((start, end))


def state_of(kind: str) -> str:
    """State of a moment in which an operation or kernel of this kind runs."""
    if COMMUNICATION.search(kind):
        return "communication"
    return "compute" if COMPUTE.search(kind) else "memory"


def _nested(
    line: Any, names: dict[int, str], base: int
) -> Iterator[tuple[str, int, int, list[str]]]:
    """Events of a thread in order: name, start, end, names of the events around it."""
    ordered = sorted((e.offset_ps, -e.duration_ps, e.metadata_id) for e in line.events)
    stack: list[tuple[int, str]] = []
    for offset, minus_duration, number in ordered:
        start, end = base + offset, base + offset - minus_duration
        while stack and stack[-1][0] <= start:
            stack.pop()
        name = names.get(number, "")
        yield name, start, end, [n for _, n in stack[-6:]]
        stack.append((end, name))


def _schema() -> Any:
    """TensorFlow's protocol buffer classes of traces, from its folder; nothing else is imported."""
    found = importlib.util.find_spec("tensorflow")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(name="tensorflow")
    file = Path(found.submodule_search_locations[0], "tsl/profiler/protobuf/xplane_pb2.py")
    spec = importlib.util.spec_from_file_location("tfbench_xplane_pb2", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
