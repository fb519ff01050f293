from __future__ import annotations

import pytest

from bench.results.difficulty import difficulty
from bench.results.effects import Effects
from bench.results.values import Launch, Scenario, Turn

BASE = Scenario("infer/function", "infer", "base.", "m", "function", "p", 1)
FAST = Scenario("infer/fast", "infer", "fast.", "m", "fast", "p", 2, baseline="infer/function")
FASTER = Scenario("infer/faster", "infer", "faster.", "m", "faster", "p", 3, baseline="infer/fast")
ALL = {s.id: s for s in (BASE, FAST, FASTER)}
TRAIN = {
    f"train/{name}": Scenario(f"train/{name}", "train", "", "m", name, "p", 1, baseline=baseline)
    for name, baseline in (("function", None), ("fast", "train/function"))
}


def launch(
    scenario: str, index: int, step_ns: int, group: str, role: str, **fields: object
) -> Launch:
    turns = tuple(Turn(r, r % 2, 10, 10 * (step_ns + r)) for r in range(6))
    fields = {"examples_per_step": 1, "first_step_s": 1.0, "start_order": index % 2} | fields
    return Launch(scenario, "cpu-1", group=group, role=role, index=index, turns=turns, **fields)


def group(
    base: tuple[str, int], own: tuple[str, int], count: int = 4, **fields: object
) -> list[Launch]:
    found = []
    for k in range(count):
        found.append(launch(*(base[0], k, base[1]), group=base[0], role="baseline"))
        found.append(
            launch(own[0], k, own[1], base[0], "candidate", **({"start_order": 1 - k % 2} | fields))
        )
    return found


def test_a_candidate_of_half_the_time_is_twice_as_fast() -> None:
    effects = Effects(group(("infer/function", 1_000_000), ("infer/fast", 500_000)), ALL)
    row = effects.row("infer/fast", "cpu-1")
    assert row is not None
    assert row.status == "ok"
    assert row.speedup == pytest.approx(2, rel=1e-4)
    assert row.speedup_low is not None
    assert row.speedup_high is not None
    assert row.speedup_low <= row.speedup <= row.speedup_high
    assert row.latency_ns == pytest.approx(500_002.5, abs=1)
    assert row.throughput_per_s == pytest.approx(2000, rel=1e-4)


def test_batches_are_compared_per_example() -> None:
    launches = group(("infer/function", 1_000_000), ("infer/fast", 2_000_000), examples_per_step=8)
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert row.speedup == pytest.approx(4, rel=1e-4)


def test_effects_chain_over_the_baselines_in_between() -> None:
    launches = group(("infer/function", 8_000_000), ("infer/fast", 4_000_000))
    launches += group(("infer/fast", 4_000_000), ("infer/faster", 1_000_000))
    total = Effects(launches, ALL).against("infer/faster", "infer/function", "cpu-1")
    assert total is not None
    assert 2.718281828**-total.value == pytest.approx(8, rel=1e-4)
    assert Effects(launches, ALL).against("infer/fast", "infer/faster", "cpu-1") is None


def test_break_even_counts_the_longer_first_step() -> None:
    launches = group(("infer/function", 3_000_000), ("infer/fast", 1_000_000), first_step_s=6.0)
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert row.break_even_steps == pytest.approx(5.0 / 0.002, rel=1e-3)


def test_a_slower_path_never_breaks_even() -> None:
    launches = group(("infer/function", 1_000_000), ("infer/fast", 3_000_000), first_step_s=6.0)
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert row.break_even_steps is None


@pytest.mark.parametrize("outcome", ["failed", "unsupported", "timeout"])
def test_what_did_not_run_shows_its_reason_and_no_value(outcome: str) -> None:
    launches = group(("infer/function", 1000), ("infer/fast", 500))
    launches = [x for x in launches if x.role == "baseline"]
    launches.append(
        Launch("infer/fast", "cpu-1", purpose="probe", outcome=outcome, reason="because")
    )
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert (row.status, row.reason) == (outcome, "because")
    values = (row.latency_ns, row.throughput_per_s, row.speedup, row.size_bytes, row.accuracy,
              row.accuracy_delta_pp, row.peak_memory_bytes, row.first_step_s)  # fmt: skip
    assert values == (None,) * 8


def test_a_single_launch_has_no_interval_and_says_so() -> None:
    row = Effects(group(("infer/function", 1000), ("infer/fast", 500), count=1), ALL).row(
        "infer/fast", "cpu-1"
    )
    assert row is not None
    assert row.speedup is not None
    assert row.speedup_low is None
    assert row.speedup_high is None
    assert any("single launch" in w for w in row.warnings)


def test_accuracy_and_size_come_from_the_probes() -> None:
    launches = group(("infer/function", 1000), ("infer/fast", 500))
    launches += [
        Launch("infer/function", "cpu-1", purpose="probe", accuracy=0.99, artifact_bytes=400),
        Launch("infer/fast", "cpu-1", purpose="probe", accuracy=0.98, artifact_bytes=100),
    ]
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert row.accuracy_delta_pp == pytest.approx(-1)
    assert row.size_ratio == pytest.approx(0.25)


def test_accuracy_is_the_mean_over_a_path_s_trainings() -> None:
    launches = group(("train/function", 1000), ("train/fast", 500))
    launches += [
        Launch("train/function", "cpu-1", purpose="probe", accuracy=0.9, accuracies=(0.9, 0.94)),
        Launch("train/fast", "cpu-1", purpose="probe", accuracy=0.95, accuracies=(0.95, 0.93)),
    ]
    row = Effects(launches, TRAIN).row("train/fast", "cpu-1")
    assert row is not None
    assert row.accuracy == pytest.approx(0.94)
    assert row.accuracy_delta_pp == pytest.approx(2)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((), "low"),
        (("other runtime",), "low"),
        (("other runtime", "calibration data"), "medium"),
        (("retraining",), "medium"),
        (("special hardware",), "medium"),
        (("special hardware", "other runtime"), "high"),
    ],
)
def test_difficulty_follows_from_facts(facts: tuple[str, ...], expected: str) -> None:
    assert difficulty(facts) == expected


def test_an_unknown_fact_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown deployment fact"):
        difficulty(("magic",))
