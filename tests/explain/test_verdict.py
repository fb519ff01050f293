"""The verdict from measured times and traced shares, on cases with a known answer."""

from __future__ import annotations

from typing import Any

import pytest

from bench.explain.verdict import BOUNDS, from_trace, judge, leading, mixed

FACTS = {"dram_bytes_per_s": 10e9, "float32_flop_per_s": 100e9, "drawing_cpu": 1.0}


def times(**seconds: float) -> dict[str, list[float]]:
    """Five rounds that agree within 2 %."""
    return {name: [s * (1 + 0.005 * n) for n in range(5)] for name, s in seconds.items()}


CASES: dict[str, tuple[dict[str, float], dict[str, float], dict[str, float]]] = {
    "input": (
        {"full": 0.03, "cached": 0.002, "pipeline": 0.03, "products": 0.002},
        {},
        {"input": 0.9, "compute": 0.1},
    ),
    "io": (
        {"full": 0.05, "cached": 0.005, "pipeline": 0.045},
        {"drawing_cpu": 0.1, "file_bytes_per_step": 128e3},
        {"input": 0.9, "compute": 0.1},
    ),
    "compute": (
        {"full": 0.1, "cached": 0.1, "pipeline": 1e-6, "half": 0.05, "products": 0.095},
        {"other_bytes": 1e6},
        {"compute": 0.95, "python": 0.05},
    ),
    "memory": (
        {"full": 0.1, "cached": 0.1, "pipeline": 1e-6, "half": 0.05},
        {"other_bytes": 0.8e9},
        {"memory": 0.97, "python": 0.03},
    ),
    "overhead": (
        {"full": 0.06, "cached": 0.06, "pipeline": 1e-6, "half": 0.06, "graph": 0.001},
        {"other_bytes": 1e5},
        {"python": 0.9, "memory": 0.1},
    ),
    "communication": (
        {"full": 0.1, "cached": 0.1, "pipeline": 1e-6, "half": 0.099, "silent": 0.03},
        {"other_bytes": 7e8},
        {"communication": 0.9, "memory": 0.1},
    ),
    "balanced": (
        {"full": 0.1, "cached": 0.1, "pipeline": 1e-6, "half": 0.05, "products": 0.05},
        {"other_bytes": 0.4e9},
        {"compute": 0.5, "memory": 0.5},
    ),
}


@pytest.mark.parametrize("bound", CASES)
def test_planted_times_give_their_bound(bound: str) -> None:
    seconds, facts, shares = CASES[bound]
    found = judge(times(**seconds), FACTS | facts, shares)
    assert found.bound == bound
    assert found.confidence == "high"
    assert sum(found.ablation.values()) == pytest.approx(1)
    assert set(found.ablation) == set(BOUNDS)


@pytest.mark.parametrize(
    ("bound", "twice", "confidence"),
    [("compute", 0.19, "high"), ("compute", 0.11, "medium"), ("memory", 0.11, "high"),
     ("memory", 0.19, "medium")],
)  # fmt: skip
def test_twice_the_arithmetic_must_fit_the_verdict(
    bound: str, twice: float, confidence: str
) -> None:
    seconds, facts, shares = CASES[bound]
    found = judge(times(**seconds, twice=twice), FACTS | facts, shares)
    assert (found.bound, found.confidence) == (bound, confidence)
    assert any("done twice" in note for note in found.notes)
    assert any("does not fit" in note for note in found.notes) == (confidence == "medium")


def test_contradicting_evidence_lowers_the_confidence() -> None:
    seconds, facts, _ = CASES["compute"]
    found = judge(times(**seconds), FACTS | facts, {"python": 0.3, "compute": 0.3, "memory": 0.4})
    assert found.confidence != "high"


def test_without_operations_in_the_trace_ablation_decides_alone() -> None:
    seconds, facts, _ = CASES["compute"]
    found = judge(times(**seconds), FACTS | facts, {})
    assert (found.bound, found.confidence) == ("compute", "medium")
    assert any("rests on ablation" in note for note in found.notes)


def test_element_wise_work_far_below_the_bandwidth_is_arithmetic() -> None:
    seconds, facts, shares = CASES["memory"]
    found = judge(times(**seconds), FACTS | facts | {"other_bytes": 1e7}, shares)
    assert found.bound == "compute"


def test_an_overlapped_pipeline_as_long_as_the_step_is_balanced() -> None:
    seconds, facts, shares = CASES["compute"]
    found = judge(times(**(seconds | {"pipeline": 0.095})), FACTS | facts, shares)
    assert found.bound == "balanced"


def test_a_wait_is_never_longer_than_the_pipeline() -> None:
    seconds = {"full": 0.07, "cached": 0.05, "pipeline": 1e-6, "products": 0.05}
    found = judge(times(**seconds), FACTS, {"compute": 1.0})
    assert found.ablation["input"] < 0.001


def test_a_disturbed_round_does_not_move_the_shares_but_is_counted() -> None:
    """Another program makes all but the products three times slower, in most rounds."""
    seconds = times(full=0.1, cached=0.1, pipeline=1e-6, products=0.09)
    for name in ("full", "cached"):
        seconds[name][:3] = [0.3, 0.3, 0.3]
    found = judge(seconds, FACTS, {"compute": 0.8, "python": 0.2})
    assert found.bound == "compute"
    assert found.ablation["compute"] == pytest.approx(0.9, abs=0.03)
    assert (found.agreeing_rounds, found.rounds) == (2, 5)
    assert found.confidence == "medium"


def test_shares_are_named_alike() -> None:
    ablation: dict[str, Any] = dict.fromkeys(BOUNDS, 0.0) | {"io": 0.9, "compute": 0.1}
    traced = from_trace({"input": 0.8, "python": 0.2}, ablation)
    assert (traced["io"], traced["input"], traced["overhead"]) == (0.8, 0.0, 0.2)
    assert leading(mixed(ablation, traced), {"pipeline": 1.0, "cached": 0.1}) == "io"


def test_products_that_could_not_run_alone_lower_the_confidence() -> None:
    seconds, facts, shares = CASES["memory"]
    found = judge(times(**seconds), FACTS | facts | {"products": 15}, shares)
    assert found.confidence != "high"
    assert any("could not be run alone" in note for note in found.notes)


def test_storage_and_threads_are_reported_beside_the_verdict() -> None:
    seconds, facts, shares = CASES["io"]
    facts = facts | {"storage_cold_s": 0.0321, "storage_warm_s": 0.0004}
    found = judge(times(**seconds, **{"one core": 0.0085}), FACTS | facts, shares)
    assert found.bound == "io"
    assert "storage alone takes 32.1 ms with a cold page cache, 0.4 ms with a warm page cache a " \
        "batch" in found.notes  # fmt: skip
    assert "on one core the step takes 1.70 times as long as on all" in found.notes
