"""The sweep does what the plan says, with launches that only pretend: nothing measured is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.results.errors import UsageError
from bench.results.store import RunFolder, read_run
from bench.results.values import Configuration, Effect, Launch, Scenario
from bench.sweep.discovery import discover, select
from bench.sweep.executing import Executor, shares, slots
from bench.sweep.journal import Journal
from bench.sweep.pieces import Probe
from bench.sweep.planning import Plan
from bench.sweep.progress import Silent
from bench.sweep.running import LaunchFailed
from bench.sweep.schedule import Sweep
from bench.sweep.settings import PROFILES, load

IDS = ("infer/litert-float32", "infer/litert-int8", "infer/function")
CPU = Configuration("cpu-1", 1, (0,))


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    scenarios = {s.id: s for s in select(discover(), IDS)}
    settings = load(None, {"profile": "smoke", "configuration": "cpu-1"})
    folder = RunFolder.create(tmp_path / "run")
    return Sweep(settings, [scenarios[id] for id in IDS], folder, Silent())


def probing(
    monkeypatch: pytest.MonkeyPatch,
    found: Callable[[Scenario], Launch],
    ids: Sequence[str] = IDS,
    pool: Any = None,
    environment: Any = None,
) -> list[Launch]:
    """What an executor yields whose probes find this, in one place, in this order."""
    known = {s.id: s for s in select(discover(), ids)}
    executor = Executor(Plan(tuple(known.values()), (CPU,), PROFILES["smoke"]), pool, environment)
    monkeypatch.setattr(executor, "_probe", lambda scenario, _: found(scenario))
    monkeypatch.setattr("bench.sweep.executing.slots", lambda configuration: [configuration])
    kept = []
    try:
        for launch in executor.probe([Probe(id, "cpu-1", "infer", 1.0) for id in ids], Journal([])):
            kept.append(launch)
    except KeyboardInterrupt:
        return kept
    return kept


def test_probes_are_kept_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(scenario: Scenario) -> Launch:
        if scenario.id == "infer/litert-int8":
            raise KeyboardInterrupt
        return Launch(scenario.id, "cpu-1", purpose="probe", outputs=(0.1, 0.9))

    order = ("infer/function", "infer/litert-float32", "infer/litert-int8")
    kept = probing(monkeypatch, interrupted, order)
    assert [x.scenario for x in kept] == list(order[:2])


class Disturbed:
    """A pool whose launches train, and tell who asked for what."""

    def __init__(self, losses: Callable[[int], tuple[float, ...]]) -> None:
        self.losses, self.asked = losses, []

    def launch(self, *given: Any, comparable: bool, disturbed: str, disturbance: int) -> Any:
        assert comparable
        self.asked.append((given[1].id, disturbed, disturbance))
        answer = {"losses": self.losses(disturbance)}
        return SimpleNamespace(call=lambda *_, **__: answer, close=lambda: None)


def training_probes(
    monkeypatch: pytest.MonkeyPatch, pool: Disturbed, *ids: str
) -> dict[str, Launch]:
    """Probes of paths whose second loss is 2 % off their baseline's."""

    def off(scenario: Scenario) -> Launch:
        second = 1.0 if scenario.id == "train/function" else 1.02
        return Launch(scenario.id, "cpu-1", purpose="probe", losses=(2.0, second))

    found = probing(monkeypatch, off, ("train/function", *ids), pool, lambda *_: None)
    return {launch.scenario: launch for launch in found}


def test_paths_may_part_as_far_as_their_baseline_parts_from_its_own_rounded_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    amplifying = Disturbed(lambda number: (2.0, 1.0 + 0.006 * number))
    found = training_probes(monkeypatch, amplifying, "train/xla", "train/eager")
    assert {launch.outcome for launch in found.values()} == {"ok"}
    assert amplifying.asked == [("train/function", "float32", n) for n in range(3)], "once for both"
    steady = training_probes(monkeypatch, Disturbed(lambda _: (2.0, 1.0)), "train/xla")
    assert "does other work than train/function" in steady["train/xla"].reason


def test_what_was_probed_is_checked_before_more_is_probed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or a run of large models would show and keep nothing until all its probes are made."""
    pool, before = Disturbed(lambda _: (2.0, 1.0)), {}

    def off(scenario: Scenario) -> Launch:
        before[scenario.id] = len(pool.asked)
        second = 1.0 if scenario.id == "train/function" else 1.02
        return Launch(scenario.id, "cpu-1", purpose="probe", losses=(2.0, second))

    order = ("train/function", "train/xla", "train/eager", "train/fit")
    probing(monkeypatch, off, order, pool, lambda *_: None)
    assert before == dict(zip(order, (0, 0, 3, 3), strict=True))


def test_a_baseline_that_cannot_be_disturbed_allows_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(number: int) -> tuple[float, ...]:
        raise LaunchFailed("failed", "out of memory")

    found = training_probes(monkeypatch, Disturbed(broken), "train/xla")
    assert found["train/xla"].outcome == "failed"


def test_a_probe_waits_for_its_baseline_s(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(scenario: Scenario) -> Launch:
        wrong = (0.9, 0.1) if scenario.id == "infer/litert-float32" else (0.1, 0.9)
        return Launch(scenario.id, "cpu-1", purpose="probe", outputs=wrong)

    kept = {x.scenario: x for x in probing(monkeypatch, other)}
    assert kept["infer/function"].outcome == "ok"
    assert "does not answer as infer/function" in kept["infer/litert-float32"].reason


def test_a_follower_without_outputs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has nothing to compare was never seen to do its baseline's work."""

    def silent(scenario: Scenario) -> Launch:
        outputs = () if scenario.id == "infer/litert-float32" else (0.1, 0.9)
        return Launch(scenario.id, "cpu-1", purpose="probe", outputs=outputs)

    kept = {x.scenario: x for x in probing(monkeypatch, silent)}
    assert [id for id, x in kept.items() if x.outcome == "ok"] == ["infer/function"]
    assert "0 outputs, the baseline has 2" in kept["infer/litert-float32"].reason
    assert "the baseline has 0" in kept["infer/litert-int8"].reason


@pytest.mark.parametrize(
    ("cpus", "device", "available", "expected"),
    [
        ((3,), "cpu", range(4), [(0,), (1,), (2,), (3,)]),
        ((3,), "cpu", range(16), [(0,), (1,), (2,), (3,)]),
        ((0, 1), "cpu", range(4), [(0, 1), (2, 3)]),
        ((0, 1), "cpu", range(2), [(0, 1), (0, 1)]),
        ((0,), "cpu", range(1), [(0,)]),
        ((0, 1), "gpu:0", range(4), [(0, 1)]),
    ],
)
def test_probes_run_beside_each_other_where_there_is_room(
    cpus: tuple[int, ...], device: str, available: Sequence[int], expected: list[tuple[int, ...]]
) -> None:
    configuration = Configuration("c", len(cpus), cpus, device)
    assert [place.cpus for place in slots(configuration, available)] == expected


@pytest.mark.parametrize(
    ("cpus", "threads", "available", "expected"),
    [
        ((0, 1), 2, range(2), [((0,), 1), ((1,), 1)]),
        (tuple(range(8)), 8, range(8), [((0, 1), 2), ((2, 3), 2), ((4, 5), 2), ((6, 7), 2)]),
        ((0, 1), 1, range(2), [((0,), 1), ((1,), 1)]),
        ((0, 1), 2, range(4), [((0, 1), 2), ((2, 3), 2)]),
        ((3,), 1, range(4), [((core,), 1) for core in range(4)]),
        ((0,), 2, range(1), [((0,), 2)]),
    ],
)
def test_probes_that_share_cores_have_a_part_of_them(
    cpus: tuple[int, ...], threads: int, available: Sequence[int],
    expected: list[tuple[tuple[int, ...], int]],
) -> None:  # fmt: skip
    places = slots(Configuration("c", threads, cpus), available)
    assert [(each.cpus, each.threads) for each in shares(places)] == expected


def test_only_repeated_trainings_run_on_a_part_of_the_cores() -> None:
    known = {s.id: s for s in select(discover(), ["train/function"])}
    both, part = Configuration("c", 2, (0, 1)), Configuration("c", 1, (1,))
    profile = dataclasses.replace(PROFILES["smoke"], trainings=3)
    asked = []

    def launch(environment: Any, scenario: Scenario, place: Configuration, **changes: Any) -> Any:
        asked.append((place, changes))
        answer = {"build_s": 0.1, "made": False, "accuracy": 0.5, "losses": [1.0]}
        return SimpleNamespace(call=lambda *_, **__: dict(answer), close=lambda: None)

    plan = Plan(tuple(known.values()), (both,), profile)
    executor = Executor(plan, SimpleNamespace(launch=launch), lambda *_: None)  # type: ignore[arg-type, return-value]
    found = executor._probe(known["train/function"], (both, part))
    assert (found.outcome, found.accuracies) == ("ok", (0.5, 0.5, 0.5))
    assert asked == [(both, {}), (part, {"training": 1}), (part, {"training": 2})]


class Kept(Silent):
    """Keeps the rows that are reported."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bool]] = []

    def rows(self, rows: Sequence[Effect], settled: bool) -> None:
        self.kept += [(row.scenario, row.status, settled) for row in rows]


def test_rows_are_reported_as_launches_end(sweep: Sweep) -> None:
    sweep.reporter = reporter = Kept()
    good = Launch("infer/function", "cpu-1", purpose="probe", outputs=(0.1, 0.9))
    bad = Launch(IDS[1], "cpu-1", purpose="probe", outcome="failed", reason="it broke")
    sweep._keep([good])
    sweep._keep([bad])
    assert reporter.kept == [("infer/function", "probed", False), (IDS[1], "failed", True)]
    assert len(read_launches(sweep)) == 2


def read_launches(sweep: Sweep) -> tuple[Launch, ...]:
    sweep.folder.write_facts(sweep.facts)
    return read_run(sweep.folder.folder).launches


def test_a_refused_run_leaves_its_folder_empty(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> Any:
        raise UsageError("the model cannot be read")

    monkeypatch.setattr(sweep, "_describe", refused)
    with pytest.raises(UsageError):
        sweep.run()
    assert not list(sweep.folder.folder.iterdir())
    RunFolder.create(sweep.folder.folder)
