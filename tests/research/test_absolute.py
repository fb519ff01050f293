"""Absolute latency beside MLPerf loadgen."""

from __future__ import annotations

import os
import time
from statistics import median

import pytest

from bench.launch import devices
from research.absolute import p50, reached, single_stream


def test_it_tells_what_loadgen_s_binding_adds() -> None:
    record = {"scenario": "infer/x", "median_ns": 990.0, "loadgen_ns": 1000.0, "inside_ns": 980.0}
    found = reached([record, record, record | {"median_ns": 500.0}])
    assert found["infer/x"] == pytest.approx((-0.01, 0.0204), abs=1e-4)


def test_loadgen_s_summary_gives_its_p50() -> None:
    summary = "Min latency (ns) : 1\n50.00 percentile latency (ns)   : 280120\n"
    assert p50(summary) == 280120
    with pytest.raises(ValueError, match="holds no"):
        p50("nothing")


def test_loadgen_makes_as_many_queries_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlperf_loadgen")
    monkeypatch.setattr(devices, "_gpus", False)  # or TensorFlow would be asked
    cores = os.sched_getaffinity(0)
    times: list[int] = []
    steps: list[str] = []

    def step() -> None:
        steps.append("query")
        time.sleep(0.002)

    begun = time.perf_counter_ns()
    latency = single_stream(step, 21, times, lambda: steps.append("lead-in"), cores)
    assert steps == ["lead-in"] + 21 * ["query"]
    assert len(times) == 21
    assert median(times) <= latency <= time.perf_counter_ns() - begun
    assert os.sched_getaffinity(0) == cores
