"""Comparing with stored runs: refused, widened or judged, on fabricated runs."""

from __future__ import annotations

import dataclasses
import math
import re
import shutil
import time
from pathlib import Path

import pytest

from bench.guard import stored
from bench.guard.comparison import bases
from bench.guard.rule.evidence import Evidence, change
from bench.guard.rule.limits import Limits
from bench.results.errors import StoreError, UsageError
from bench.results.store import Run, RunFolder
from tests.reports.fabricate import ENVIRONMENT, Spec, fabricate

SPECS = (
    Spec("infer/function", size=1000),
    Spec("infer/xla", "infer/function", 1.5, size=2000),
)


def slower(share: float) -> tuple[Spec, ...]:
    return (SPECS[0], dataclasses.replace(SPECS[1], speedup=1.5 / (1 + share)))


def latency(found: stored.Comparison) -> dict[str, str]:
    return {j.scenario: j.verdict for j in found.judgements if j.metric == "latency"}


def test_an_effect_is_compared_although_the_machine_is_slower(tmp_path: Path) -> None:
    old = fabricate(tmp_path / "old", SPECS, seed=1)
    new = fabricate(tmp_path / "new", slower(0.6), seed=2, machine=0.7)
    found = stored.compare([old], new, Limits())
    assert latency(found)["infer/xla"] == "regression"
    assert latency(found)["infer/function"] != "no change"  # absolute: a session says little
    assert any("live" in warning for warning in found.warnings)
    assert any("assumed" in warning for warning in found.warnings)


def test_two_percent_cannot_be_seen_in_stored_runs(tmp_path: Path) -> None:
    old = fabricate(tmp_path / "old", SPECS, seed=1)
    found = stored.compare([old], fabricate(tmp_path / "new", slower(0.02), seed=2), Limits())
    assert latency(found)["infer/xla"] == "inconclusive"


def test_another_state_of_the_machine_is_no_regression(tmp_path: Path) -> None:
    """An effect across runtimes really was 4.77 and, minutes later, 4.10, the code unchanged."""
    old = fabricate(tmp_path / "old", SPECS, seed=1)
    new = fabricate(tmp_path / "new", slower(0.164), seed=2, machine=1.6)
    assert set(latency(stored.compare([old], new, Limits())).values()) == {"inconclusive"}


def test_several_runs_give_the_deviation_between_sessions(tmp_path: Path) -> None:
    for seed in range(6):
        fabricate(tmp_path / "old" / str(seed), SPECS, seed=seed)
    runs = bases.read(tmp_path / "old").runs
    assert len(runs) == 6
    found = stored.compare(runs, fabricate(tmp_path / "new", slower(0.1), seed=9), Limits())
    assert latency(found)["infer/xla"] == "regression"
    assert not any("assumed" in warning for warning in found.warnings)


def test_exact_figures_need_no_widening(tmp_path: Path) -> None:
    old = fabricate(tmp_path / "old", SPECS, seed=1)
    larger = (SPECS[0], dataclasses.replace(SPECS[1], size=2020))
    found = stored.compare([old], fabricate(tmp_path / "new", larger, seed=2), Limits())
    sizes = {j.scenario: j.verdict for j in found.judgements if j.metric == "size"}
    assert sizes == {"infer/function": "no change", "infer/xla": "regression"}


def test_memory_after_an_artifact_was_made_is_not_compared(tmp_path: Path) -> None:
    """LiteRT really grew by 0.13 MB where it had just converted, and by 5.9 MB where it had not."""

    def run(name: str, memory: int, build_s: float) -> Run:
        specs = [dataclasses.replace(spec, memory=memory) for spec in SPECS]
        found = fabricate(tmp_path / f"{name}{build_s}", specs)
        launches = [
            dataclasses.replace(x, build_s=build_s) if x.purpose == "probe" else x
            for x in found.launches
        ]
        return Run(found.folder, found.facts, launches)

    new = run("new", 5_922_816, 0.2)
    for build_s, verdict in ((0.04, "regression"), (0.9, "regression"), (1.9, "inconclusive")):
        found = stored.compare([run("old", 131_072, build_s)], new, Limits())
        verdicts = {j.verdict for j in found.judgements if j.metric == "peak_memory"}
        assert verdicts == {verdict}


@pytest.mark.parametrize(
    "changed",
    [
        {"cpu": "Another CPU"},
        {"cores": 4},
        {"packages": {"tensorflow": "2.20.0", "numpy": "2.4.0"}},
    ],
)
def test_another_environment_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    old = fabricate(tmp_path / "old", SPECS, facts={"environment": {**ENVIRONMENT, **changed}})
    new = fabricate(tmp_path / "new", SPECS)
    with pytest.raises(UsageError, match="--base REF") as error:
        stored.compare([old], new, Limits())
    assert next(iter(changed)) in str(error.value)


def test_another_host_is_widened_and_reported(tmp_path: Path) -> None:
    facts = {"environment": {**ENVIRONMENT, "host": "elsewhere"}}
    old = fabricate(tmp_path / "old", SPECS, seed=1, facts=facts)
    found = stored.compare([old], fabricate(tmp_path / "new", SPECS, seed=2), Limits())
    assert any("host" in w and "doubled" in w for w in found.warnings)
    visible = {j.scenario: j.visible for j in found.judgements if j.metric == "latency"}
    here = stored.compare([fabricate(tmp_path / "here", SPECS, seed=1)],
                          fabricate(tmp_path / "now", SPECS, seed=2), Limits())  # fmt: skip
    assert visible["infer/xla"] > 1.5 * next(
        j.visible or 0
        for j in here.judgements
        if (j.scenario, j.metric) == ("infer/xla", "latency")
    )


def test_another_workload_is_refused(tmp_path: Path) -> None:
    facts = {"workload": {"model": "nets/mine.py:build", "data": "digits"}}
    old = fabricate(tmp_path / "old", SPECS, facts=facts)
    with pytest.raises(UsageError, match="another workload"):
        stored.compare([old], fabricate(tmp_path / "new", SPECS), Limits())


def test_a_scenario_that_fails_now_is_a_regression(tmp_path: Path) -> None:
    broken = (SPECS[0], dataclasses.replace(SPECS[1], outcome="failed", reason="it broke"))
    old = fabricate(tmp_path / "old", SPECS)
    found = stored.compare([old], fabricate(tmp_path / "new", broken), Limits())
    assert ("outcome", "regression") in {(j.metric, j.verdict) for j in found.judgements}


def test_a_folder_without_runs(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="holds none"):
        bases.read(tmp_path)


@pytest.mark.faults("Stored files", {"a baseline without launches": "refused"})
def test_a_run_without_launches_is_no_baseline(tmp_path: Path) -> None:
    fabricate(tmp_path / "old" / "fine", SPECS)
    fabricate(tmp_path / "old" / "empty", [])
    with pytest.raises(StoreError, match="empty holds no launches"):
        bases.read(tmp_path / "old")


@pytest.mark.faults("Stored files", {"an unfinished run among baselines": "left out, with a line"})
def test_an_unfinished_run_is_no_baseline(tmp_path: Path) -> None:
    """However much of it is measured, and however new it is."""
    fabricate(tmp_path / "old" / "fine", SPECS)
    assert bases.read(tmp_path / "old").left_out == ""
    newer = {"started": time.time()}
    guarded = {"guard": {}, **newer}
    for name, facts, said in (
        ("run", newer, r"unfinished \(to go on: tfbench run --resume \S+/run\)"),
        ("own", guarded, r"unfinished \(to go on: tfbench guard --resume \S+/own\)"),
        ("live", {"kind": "guard", **guarded}, "compares two versions"),
    ):
        run = fabricate(tmp_path / "old" / name, slower(1.0), facts=facts)
        run.facts.pop("ended")
        RunFolder(run.folder).write_facts(run.facts)
        found = bases.read(tmp_path / "old")
        assert [each.name for each in found.runs] == ["fine"]
        assert re.search(said, found.left_out)
        assert "\n" not in found.left_out
        with pytest.raises(StoreError, match=f"{said}: it can be no baseline"):
            bases.read(run.folder)
        shutil.rmtree(run.folder)


def test_variables_that_are_no_longer_kept_do_not_differ() -> None:
    old = {"environment": {"variables": {"CUDA_HOME": "/usr", "XLA_FLAGS": "a"}}}
    stored.check_environment(old, {"environment": {"variables": {"XLA_FLAGS": "a"}}})
    with pytest.raises(UsageError, match="XLA_FLAGS a, now b"):
        stored.check_environment(old, {"environment": {"variables": {"XLA_FLAGS": "b"}}})


def test_a_spread_that_no_float_can_hold_is_inconclusive() -> None:
    """Two launches of a damaged run may lie far apart, and Student's t with them."""
    assert change(math.log(1.02)) == pytest.approx(0.02)
    assert change(-2000.0) == -1.0
    assert math.isfinite(change(Evidence(-4.9, 5.1, 1, 2).visible(0.0025, 0.0025)))
