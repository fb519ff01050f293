"""A run in pytest-benchmark's own format, for `pytest-benchmark compare` and tools that read it.

A round is one turn of a timing launch and its time is the turn's mean step, so that turns of all
launches are the data. pytest-benchmark compares absolute times: good for trends, while effects,
which cancel the machine's drift, are in `extra_info`.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import json
import math
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import extras
from bench.results.errors import UsageError
from bench.results.files import replace_text
from bench.results.store import Run
from bench.results.values import Effect, Launch

FILE = "pytest-benchmark.json"


def write(run: Run) -> Path:
    """Write pytest-benchmark.json into the run's folder.

    Raises:
        UsageError: pytest-benchmark is not installed.
    """
    if importlib.util.find_spec("pytest_benchmark") is None:
        raise UsageError(f"{FILE} is not written: it {extras.lacking('pytest_benchmark')}")
    file = run.folder / FILE
    replace_text(file, json.dumps(document(run), indent=4) + "\n")
    return file


def document(run: Run) -> dict[str, Any]:
    """The whole document; one benchmark for each scenario and configuration that was timed."""
    facts = run.facts
    environment = facts.get("environment", {})
    started = datetime.datetime.fromtimestamp(float(facts.get("started", 0.0)), datetime.UTC)
    git = facts.get("git", {})
    benchmarks = [
        _benchmark(row, run.effects.timed(row.scenario, row.configuration), run)
        for row in run.effects.rows
        if row.status == "ok"
    ]
    return {
        "machine_info": _machine(environment),
        "commit_info": {
            "id": git.get("commit", "unversioned"),
            "time": None,
            "author_time": None,
            "dirty": bool(git.get("dirty", False)),
            "project": "tfbench",
            "branch": git.get("branch", "(unknown)"),
        },
        "benchmarks": benchmarks,
        "datetime": started.isoformat(),
        "version": importlib.metadata.version("pytest-benchmark"),
    }


def _machine(environment: dict[str, Any]) -> dict[str, Any]:
    return {
        "node": environment.get("host", ""),
        "processor": platform.processor(),
        "machine": platform.machine(),
        "python_compiler": platform.python_compiler(),
        "python_implementation": platform.python_implementation(),
        "python_implementation_version": environment.get("python", sys.version.split()[0]),
        "python_version": environment.get("python", sys.version.split()[0]),
        "python_build": list(platform.python_build()),
        "release": environment.get("kernel", ""),
        "system": environment.get("system", ""),
        "cpu": {"brand_raw": environment.get("cpu", ""), "count": environment.get("cores")},
    }


def _benchmark(row: Effect, launches: Sequence[Launch], run: Run) -> dict[str, Any]:
    seconds = [
        turn.step_ns / launch.updates_per_step * 1e-9
        for launch in launches
        for turn in launch.turns
    ]
    info = run.scenarios.get(row.scenario)
    place = info.path.removeprefix("scenarios/") if info else ""
    profile = run.facts.get("settings", {})
    return {
        "group": f"{info.kind if info else ''}@{row.configuration}",
        "name": f"{row.scenario}[{row.configuration}]",
        "fullname": f"scenarios/{place}::{row.scenario}[{row.configuration}]",
        "params": {"configuration": row.configuration},
        "param": row.configuration,
        "extra_info": {
            "baseline": row.baseline,
            "speedup": _finite(row.speedup),
            "speedup_low": _finite(row.speedup_low),
            "speedup_high": _finite(row.speedup_high),
            "size_bytes": row.size_bytes,
            "accuracy": row.accuracy,
            "peak_memory_bytes": row.peak_memory_bytes,
            "first_step_s": row.first_step_s,
            "launches": len(launches),
        },
        "options": {
            "disable_gc": True,
            "timer": "perf_counter_ns",
            "min_rounds": min((len(launch.turns) for launch in launches), default=0),
            "max_time": float(profile.get("member_s", 0.0)),
            "min_time": float(profile.get("turn_ms", 0.0)) / 1e3,
            "warmup": True,
        },
        "stats": stats(seconds, _steps(launches)),
    }


def _steps(launches: Sequence[Launch]) -> int:
    """Steps of a typical turn."""
    return round(statistics.median(turn.steps for x in launches for turn in x.turns))


def stats(seconds: Sequence[float], iterations: int) -> dict[str, Any]:
    """The statistics block of one benchmark, computed by pytest-benchmark itself.

    Args:
        seconds: Time of a step in each round, s.
        iterations: Steps in a round.
    """
    from pytest_benchmark.stats import Stats

    rounds = Stats()
    for each in seconds:
        rounds.update(each)
    return {**rounds.as_dict(), "data": list(seconds), "iterations": iterations}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
