"""Recording a trace: bounds, layout, what it costs, and what it says when something is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def step() -> Callable[[], Any]:
    import tensorflow as tf

    weights = tf.random.normal([64, 64])
    product = tf.function(lambda x: tf.reduce_sum(tf.matmul(x, weights)))
    product(weights)
    return lambda: product(weights)


def test_layout_and_facts(step: Callable[[], Any], tmp_path: Path) -> None:
    from bench.launch.analysis import trace

    folder = tmp_path / "infer-x@cpu-1"
    facts = trace.record(step, folder, "infer-x@cpu-1", max_seconds=0.5, max_steps=7)
    file = folder / "plugins/profile/steps/infer-x@cpu-1.xplane.pb"
    assert facts["file"] == str(file)
    assert facts["steps"] == 7
    assert facts["bytes"] == file.stat().st_size > 0
    assert facts["overhead_share"] > -0.9
    assert facts["warnings"] == []
    assert [p for p in folder.rglob("*") if p.is_file()] == [file]


def test_every_step_is_in_the_trace(step: Callable[[], Any], tmp_path: Path) -> None:
    from bench.explain import events
    from bench.launch.analysis import trace

    facts = trace.record(step, tmp_path, "x", max_seconds=0.5, max_steps=5)
    seen = events.read(Path(facts["file"]))
    assert len(seen.steps) == 5
    shares = events.shares(seen)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["compute"] > 0


def test_a_long_step_is_cut_and_said(tmp_path: Path) -> None:
    from bench.launch.analysis import trace

    made = []

    def job() -> None:
        made.append(1)
        time.sleep(0.4)

    facts = trace.record(job, tmp_path, "x", max_seconds=0.1)
    assert made == [1]  # the job was done once, and to its end
    assert facts["overhead_share"] is None
    assert any("inside a step" in warning for warning in facts["warnings"])


def test_a_trace_beyond_the_limit_is_not_kept(step: Callable[[], Any], tmp_path: Path) -> None:
    from bench.launch.analysis import trace

    facts = trace.record(step, tmp_path, "x", max_seconds=0.2, max_bytes=10)
    assert "file" not in facts
    assert any("over the limit" in warning for warning in facts["warnings"])
    assert not list(tmp_path.rglob("*.pb"))


def test_kernels_outside_tensorflow_are_said(tmp_path: Path) -> None:
    from bench.launch.analysis import trace

    facts = trace.record(lambda: sum(range(1000)), tmp_path, "x", max_seconds=0.1)
    assert any("outside TensorFlow" in warning for warning in facts["warnings"])


@pytest.mark.parametrize(
    ("paces", "kept"), [([0.019], 0), ([0.03, 0.02], 1), ([0.05, 0.04, 0.03, 0.06], 2)]
)
def test_the_least_disturbed_of_several_traces_is_kept(
    paces: list[float], kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes 0.017 s undisturbed, 0.02 s where tracing adds a sixth."""
    from bench.launch.analysis import trace

    left = iter(paces)

    def record(advance: object, folder: Path, host: str) -> dict[str, Any]:
        return {"seconds": 5 * next(left), "steps": 5, "overhead_share": 0.17, "file": str(folder)}

    monkeypatch.setattr(trace, "record", record)
    found = trace.record_undisturbed(lambda: None, tmp_path, "x", 0.017)
    assert found["file"] == str(tmp_path / str(kept))
    assert next(left, None) is None  # neither more nor fewer tries


def test_no_trace_at_all_keeps_its_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.launch.analysis import trace

    none = {"seconds": 0.1, "steps": 0, "overhead_share": None, "warnings": ["none"]}
    monkeypatch.setattr(trace, "record", lambda *_: none)
    assert trace.record_undisturbed(lambda: None, tmp_path, "x", 0.1)["warnings"] == ["none"]
