"""Traces as values: what a step spent its time on, its operations, its memory; two compared."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.results.errors import StoreError, UsageError

MOST_BYTES = 90_000_000
"""A trace of 95 MB took 1.9 GB to convert."""
TIMEOUT_S = 300.0
MOST_AT_ONCE = 2
"""Processes that convert: each takes up to that memory."""


@dataclass(frozen=True)
class Operation:
    """One operation of a trace, all its runs together."""

    name: str
    kind: str
    place: str
    """`host` or `device`."""
    count: int
    self_us: float
    """Time not spent in operations it called, µs."""
    share: float
    """Of the self time of all operations."""


@dataclass(frozen=True)
class Holder:
    """An operation whose memory was in use at the peak."""

    name: str
    bytes: int
    shape: str


@dataclass(frozen=True)
class Trace:
    """What a trace says of one scenario in one configuration."""

    label: str
    steps: int
    step_ms: float
    shares: Mapping[str, float]
    """Share of a step by state: communication, compute, memory, input, python."""
    device_share: float | None
    """Share of a step in which the device ran kernels; None without a device."""
    operations: tuple[Operation, ...]
    """By self time, longest first."""
    pipeline: Mapping[str, float]
    """µs of each kind of operation that ran in the input pipeline's threads."""
    peak_bytes: int | None
    allocator: str
    holders: tuple[Holder, ...]
    warnings: tuple[str, ...] = ()

    def per_step_us(self, operation: Operation) -> float:
        """Self time of an operation in one step, µs."""
        return operation.self_us / max(1, self.steps)


@dataclass(frozen=True)
class Change:
    """One kind of operation in two traces."""

    kind: str
    before_us: float
    """Self time a step, µs; 0: it does not occur."""
    after_us: float

    @property
    def verdict(self) -> str:
        """faster, slower, same, new or gone."""
        if not self.before_us or not self.after_us:
            return "new" if self.after_us else "gone"
        ratio = self.after_us / self.before_us
        return "faster" if ratio < 0.95 else "slower" if ratio > 1.05 else "same"


def label_of(scenario: str, configuration: str) -> str:
    """Folder of a scenario's trace below `traces/`, and its name in TensorBoard."""
    return f"{scenario.replace('/', '-')}@{configuration}"


def find(run: Path, scenario: str, configuration: str | None = None) -> Path:
    """The trace file of a scenario in a run's folder.

    Raises:
        UsageError: There is none, or there are several and no configuration was named.
    """
    pattern = f"{label_of(scenario, configuration or '*')}/plugins/profile/*/*.xplane.pb"
    found = sorted((run / "traces").glob(pattern))
    if not found:
        there = sorted(p.name for p in (run / "traces").glob("*@*"))
        hint = f"there are: {', '.join(there)}" if there else "the run was made without traces"
        raise UsageError(f"{run} holds no trace of {scenario}; {hint}")
    names = sorted({file.parents[3].name for file in found})
    if len(names) > 1:
        raise UsageError(f"{scenario} has traces {', '.join(names)}: name one by --configuration")
    return found[-1]


def read(file: Path, warnings: Sequence[str] = ()) -> Trace:
    """Read a trace file in a process of its own.

    Raises:
        UsageError: It is too large to be converted in 2 GB of memory.
        StoreError: It cannot be converted.
    """
    if reason := _too_large(file):
        raise UsageError(reason)
    return from_facts(file.parents[3].name, _converted([file])[file], warnings)


def top_operations(run: Path, most: int = 10) -> dict[str, list[dict[str, object]] | str]:
    """The longest operations of every trace of a run, for its report.

    Args:
        run: A run's folder.
        most: Operations of each trace.

    Returns:
        By the trace's label: name, kind, count, self time a step in µs, and share, as text; of a
        trace that is too large, why there are none.

    Raises:
        StoreError: A trace cannot be converted.
    """
    files = sorted((run / "traces").glob("*/plugins/profile/*/*.xplane.pb"))
    found: dict[str, list[dict[str, object]] | str] = {
        file.parents[3].name: reason for file in files if (reason := _too_large(file))
    }
    files = [file for file in files if not _too_large(file)]
    for file, facts in _converted(files).items():
        trace = from_facts(file.parents[3].name, facts)
        found[trace.label] = [
            {
                "operation": each.name,
                "kind": each.kind,
                "where": each.place,
                "count": each.count,
                "self time a step": f"{trace.per_step_us(each):.3g} µs",
                "share": f"{each.share:.1%}",
            }
            for each in trace.operations[:most]
        ]
    return found


def _too_large(file: Path) -> str:
    """Why a trace is not converted; empty where it is."""
    size = file.stat().st_size
    if size <= MOST_BYTES:
        return ""
    return (
        f"{file.name} takes {size / 1e6:.0f} MB; above {MOST_BYTES / 1e6:.0f} MB its "
        "conversion needs more than 2 GB of memory: trace fewer steps"
    )


def _converted(files: Sequence[Path]) -> dict[Path, Mapping[str, object]]:
    """Facts of trace files, by processes of their own, each of which converts as many bytes."""
    parts: list[list[Path]] = [
        [] for _ in range(min(MOST_AT_ONCE, os.cpu_count() or 1, len(files)))
    ]
    for file in sorted(files, key=lambda file: -file.stat().st_size):
        min(parts, key=lambda part: sum(each.stat().st_size for each in part)).append(file)
    with contextlib.ExitStack() as ends:
        running = [ends.enter_context(_Conversion(part)) for part in parts]
        found = {file: facts for each in running for file, facts in each.facts()}
    return {file: found[file] for file in files}


class _Conversion:
    """A process that converts files, one after the other; ended with the block."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._said, self._errors = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        names = (str(file.resolve()) for file in files)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.explain.convert", *names],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._errors,
            cwd=Path(__file__).parents[2],
        )

    def facts(self) -> list[tuple[Path, Mapping[str, object]]]:
        """What it found of each file, once it has ended."""
        try:
            status = self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            first = self._files[0]
            raise StoreError(f"{first} was not converted within {TIMEOUT_S:.0f} s") from None
        lines = [line for line in _lines(self._said) if line.startswith("{")]
        if status != 0 or len(lines) != len(self._files):
            last = (_lines(self._errors) or ["it said nothing"])[-1]
            raise StoreError(f"{self._files[len(lines)]} cannot be converted: {last}")
        return [(file, json.loads(line)) for file, line in zip(self._files, lines, strict=True)]

    def __enter__(self) -> _Conversion:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()
        self._errors.close()


def _lines(file: IO[bytes]) -> list[str]:
    file.seek(0)
    return file.read().decode("utf-8", "replace").strip().splitlines()


def from_facts(label: str, facts: Mapping[str, object], warnings: Sequence[str] = ()) -> Trace:
    """The value of what `bench.explain.convert` printed."""
    data = json.loads(json.dumps(facts))
    total = sum(row["self_us"] for row in data["operations"]) or 1.0
    operations = [Operation(**row, share=row["self_us"] / total) for row in data["operations"]]
    memory = data["memory"] or {"peak_bytes": None, "allocator": "", "holders": []}
    return Trace(
        label=label,
        steps=data["steps"],
        step_ms=data["step_ms"],
        shares=data["shares"],
        device_share=data["device_share"],
        operations=tuple(sorted(operations, key=lambda o: -o.self_us)),
        pipeline=data["pipeline"],
        peak_bytes=memory["peak_bytes"],
        allocator=memory["allocator"],
        holders=tuple(Holder(**row) for row in memory["holders"]),
        warnings=tuple(warnings),
    )


def by_kind(trace: Trace) -> dict[str, float]:
    """Self time a step of each kind of operation, µs: names differ between two models."""
    spent: Counter[str] = Counter()
    for operation in trace.operations:
        spent[operation.kind] += trace.per_step_us(operation)  # type: ignore[assignment]
    return dict(spent)


def difference(before: Trace, after: Trace) -> list[Change]:
    """What changed from one trace to another, largest change of time first."""
    one, other = by_kind(before), by_kind(after)
    changes = [Change(kind, one.get(kind, 0.0), other.get(kind, 0.0)) for kind in one | other]
    return sorted(changes, key=lambda c: -abs(c.after_us - c.before_us))
