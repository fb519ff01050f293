"""The sweep's order of work, with probes that only pretend: nothing measured is lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.results.store import RunFolder
from bench.results.values import Effect, Launch, Scenario
from bench.sweep.discovery import discover, select
from bench.sweep.progress import Silent
from bench.sweep.schedule import Sweep
from bench.sweep.settings import load

IDS = ("infer/litert-float32", "infer/litert-int8", "infer/function")


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    scenarios = {s.id: s for s in select(discover(), IDS)}
    settings = load(None, {"profile": "smoke", "configuration": "cpu-1"})
    folder = RunFolder.create(tmp_path / "run")
    return Sweep(settings, [scenarios[id] for id in IDS], folder, Silent())


def probe(sweep: Sweep, scenario: Scenario) -> Launch:
    return Launch(scenario.id, "cpu-1", purpose="probe", outputs=(0.1, 0.9))


def test_probes_are_kept_as_they_come(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(scenario: Scenario, _: Any) -> Launch:
        if scenario.id == IDS[1]:
            raise KeyboardInterrupt
        return probe(sweep, scenario)

    sweep.scenarios = (sweep.scenarios[2], sweep.scenarios[0], sweep.scenarios[1])
    monkeypatch.setattr(sweep, "_probe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep._probe_all(sweep.settings.configurations[0])
    assert [x.scenario for x in sweep.launches] == ["infer/function", "infer/litert-float32"]


def test_a_probe_waits_for_its_baseline_s(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def other(scenario: Scenario, _: Any) -> Launch:
        wrong = (0.9, 0.1) if scenario.id == "infer/litert-float32" else (0.1, 0.9)
        return Launch(scenario.id, "cpu-1", purpose="probe", outputs=wrong)

    monkeypatch.setattr(sweep, "_probe", other)
    good = sweep._probe_all(sweep.settings.configurations[0])
    assert "infer/function" in good
    assert "infer/litert-float32" not in good
    failed = next(x for x in sweep.launches if x.scenario == "infer/litert-float32")
    assert "does not answer as infer/function" in failed.reason


def test_a_follower_without_outputs_fails(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has nothing to compare was never seen to do its baseline's work."""

    def silent(scenario: Scenario, _: Any) -> Launch:
        outputs = () if scenario.id == "infer/litert-float32" else (0.1, 0.9)
        return Launch(scenario.id, "cpu-1", purpose="probe", outputs=outputs)

    monkeypatch.setattr(sweep, "_probe", silent)
    good = sweep._probe_all(sweep.settings.configurations[0])
    assert good == {"infer/function"}
    reasons = {x.scenario: x.reason for x in sweep.launches}
    assert "0 outputs, the baseline has 2" in reasons["infer/litert-float32"]
    assert "the baseline has 0" in reasons["infer/litert-int8"]


class Told(Silent):
    """Keeps the rows that are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, bool]] = []

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        self.told += [(row.scenario, row.status, settled) for row in rows]


def test_rows_are_told_as_launches_end(sweep: Sweep) -> None:
    sweep.reporter = told = Told()
    bad = Launch(IDS[1], "cpu-1", purpose="probe", outcome="failed", reason="it broke")
    sweep._keep([probe(sweep, sweep.scenarios[2]), bad])
    assert told.told == [("infer/function", "probed", False), (IDS[1], "failed", True)]
