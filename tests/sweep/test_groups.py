"""A group's launch with processes that only pretend: orders, steps, rounds and failures."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bench.results.values import Configuration, Launch, Scenario
from bench.sweep import rounds
from bench.sweep.groups import run_launch
from bench.sweep.members import Member
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile

CPU = Configuration("cpu-1", 1, (0,))
PROFILE = Profile("test", (2,), 0.01, 10.0, 12, 10.0, 1.0, 1, 60)
MS = 1e6


def member(name: str, role: Any = "candidate", unit: Any = "step", **settings: Any) -> Member:
    scenario = Scenario(name, "infer", "", "", "", "", 0, unit=unit)
    return Member(scenario, CPU, Pool().start, role, **settings)


class Process:
    """Answers as a launch would; `pool.turns` tells who took a turn."""

    def __init__(self, pool: Pool, name: str) -> None:
        self.pool, self.name = pool, name
        self.waited_s = self.waited_cpu_s = self.stood_still_s = 0.0

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        self.pool.running.add(self.name)
        if (self.name, do) in self.pool.failing:
            raise LaunchFailed("failed", f"{do} broke")
        step_ns = self.pool.step_ns.get(self.name, MS)
        if do == "build":
            with self.pool.build():
                return {"build_s": 0.1, "first_step_s": 0.2, "resident_bytes": 1,
                        "examples_per_step": 1}  # fmt: skip
        if do == "pin":
            self.pool.pinned.append(tuple(arguments["cpus"]))
            return {}
        if do == "warm":
            steps = max(1, round(arguments["turn_ns"] / step_ns))
            return {"steps": steps, "step_ns": step_ns, "turns": [], "steady": True, "reason": ""}
        if do == "renew":
            assert self.pool.running == {self.name}
            self.pool.turns.append("remap " + self.name)
            return {"pages": 5}
        if do == "turn":
            assert self.pool.running == {self.name}
            self.pool.turns.append(self.name)
            self.waited_s += 0.01
            self.waited_cpu_s += 0.00005
            noise = self.pool.rng.gauss(0, self.pool.noise)
            faster = self.pool.faster.get(self.name, 1.0)
            elapsed = round(arguments["steps"] * step_ns * math.exp(noise) / faster)
            return {"elapsed_ns": elapsed, "delayed_ns": 7, "retraced": 0}
        if do == "done":
            self.pool.inside += [self.name] * arguments["inside"]
        if do == "trace":
            self.pool.traced.append(self.name)
            return {"trace": {}}
        return {"histogram": {}, "cpu_share": 1.0, "waiting_cpu_share": 0.0, "probes": {}}

    def pause(self) -> None:
        self.pool.running.discard(self.name)

    def output(self) -> str:
        return "last words"

    def close(self) -> None:
        self.pool.running.discard(self.name)
        self.pool.closed.append(self.name)


class Pool:
    def __init__(self, step_ns: dict[str, float] | None = None, failing: Any = ()) -> None:
        self.step_ns, self.failing = step_ns or {}, set(failing)
        self.turns: list[str] = []
        self.closed: list[str] = []
        self.running: set[str] = set()
        self.paddings: list[int] = []
        self.slowdowns: list[float] = []
        self.started: list[str] = []
        self.cores: list[tuple[int, ...]] = []
        self.pinned: list[tuple[int, ...]] = []
        self.noise, self.rng = 0.0, random.Random(0)
        self.building = threading.Barrier(1)
        self.most_building = self.now_building = 0
        self.lock = threading.Lock()
        self.inside: list[str] = []
        self.traced: list[str] = []
        self.faster: dict[str, float] = {}

    @contextlib.contextmanager
    def build(self) -> Iterator[None]:
        """While others are built too, as many as shall meet."""
        with self.lock:
            self.now_building += 1
            self.most_building = max(self.most_building, self.now_building)
        self.building.wait(10)
        yield
        self.building.wait(10)
        with self.lock:
            self.now_building -= 1

    def start(self, member: Member, configuration: Configuration, padding: int) -> Process:
        self.slowdowns.append(member.slowdown - member.held_up)
        self.paddings.append(padding)
        self.started.append(member.scenario.id)
        self.cores.append(configuration.cpus)
        return Process(self, member.scenario.id)


def launch(
    pool: Pool, members: list[Member], index: int = 0, profile: Profile = PROFILE, **extra: Any
) -> dict[str, Launch]:
    return {x.scenario: x for x in run(pool, members, index, profile, **extra)}


def run(
    pool: Pool, members: list[Member], index: int = 0, profile: Profile = PROFILE, **extra: Any
) -> list[Launch]:
    started_here = [dataclasses.replace(m, start=pool.start) for m in members]
    return run_launch("group", started_here, index, profile, 0, **extra)


def test_an_input_pipeline_is_slowed_while_it_is_stopped(monkeypatch: Any) -> None:
    """Its threads would go on beside a spin of its own; other paths spin.

    It is slowed by what was meant, though sleeps end late.
    """
    now, slept = [0], []

    def clock() -> int:
        now[0] += 5
        return now[0]

    def sleep(seconds: float) -> None:
        assert not pool.running
        slept.append(seconds)
        now[0] += round(seconds * 1e9) + 100_000

    monkeypatch.setattr(rounds.time, "perf_counter_ns", clock)
    monkeypatch.setattr(rounds.time, "sleep", sleep)
    base = member("a", "baseline")
    scenario = dataclasses.replace(base.scenario, kind="input")
    plain = dataclasses.replace(base, scenario=scenario)
    pair = [plain, dataclasses.replace(plain, role="control-slow", slowdown=0.05)]
    pool = Pool()
    first, slow = run(pool, pair)
    meant = [1.05 * t.elapsed_ns for t in first.turns]
    assert [t.elapsed_ns for t in slow.turns] == pytest.approx(meant, abs=10)
    assert len(slept) == len(slow.turns)
    assert pool.slowdowns == [0.0, 0.0]
    pool = Pool()
    other = [base, dataclasses.replace(base, role="control-slow", slowdown=0.05)]
    run(pool, other)
    assert sorted(pool.slowdowns) == [0.0, 0.05]


GROUP = [member("a", "baseline"), member("b"), member("c"), member("d")]


def test_rounds_have_random_orders_and_nobody_takes_two_turns_in_a_row() -> None:
    pool = Pool()
    launch(pool, GROUP, profile=dataclasses.replace(PROFILE, rounds=60))
    rounds = [pool.turns[i : i + 4] for i in range(0, len(pool.turns), 4)]
    assert len(rounds) == 60
    assert all(sorted(r) == ["a", "b", "c", "d"] for r in rounds)
    assert all(one != other for one, other in pairwise(pool.turns))
    for position in range(4):  # everybody is everywhere
        assert Counter(r[position] for r in rounds).keys() == set("abcd")


def test_two_members_alternate_and_either_begins() -> None:
    begun = set()
    for index in range(8):
        pool = Pool()
        launch(pool, GROUP[:2], index)
        assert all(one != other for one, other in pairwise(pool.turns))
        begun.add(pool.turns[0])
    assert begun == {"a", "b"}


def test_members_memory_is_remapped_between_the_segments_of_a_launch() -> None:
    pool = Pool()
    profile = dataclasses.replace(PROFILE, placements=3)
    found = launch(pool, GROUP, profile=profile)
    remapped = sorted(f"remap {name}" for name in "abcd")
    assert sorted(pool.turns[16:20]) == remapped
    assert pool.turns[36:40] == pool.turns[16:20][::-1]
    for one in found.values():
        assert [t.round for t in one.turns] == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13]
        assert one.probes["pages_remapped"] == [5, 5]
        assert one.level is not None


def test_each_member_is_now_and_then_the_first_whose_memory_is_remapped() -> None:
    profile = dataclasses.replace(PROFILE, placements=2)
    firsts = set()
    for index in range(20):
        pool = Pool()
        launch(pool, GROUP, index, profile=profile)
        firsts.add(next(turn for turn in pool.turns if turn.startswith("remap")))
    assert firsts == {f"remap {name}" for name in "abcd"}


def test_a_launch_of_few_rounds_has_fewer_segments_and_jobs_and_devices_one() -> None:
    profile = dataclasses.replace(PROFILE, placements=5)
    few = launch(Pool({"a": 2500 * MS}), GROUP, profile=profile)  # 4 rounds
    assert few["a"].probes["pages_remapped"] == [5]
    job = launch(Pool(), [member("a", "baseline", unit="job")], profile=profile)
    assert "pages_remapped" not in job["a"].probes
    gpu = dataclasses.replace(CPU, device="gpu")
    group = [dataclasses.replace(m, configuration=gpu) for m in GROUP]
    assert "pages_remapped" not in launch(Pool(), group, profile=profile)["a"].probes


def test_a_member_that_fails_while_its_memory_is_remapped_fails_alone() -> None:
    profile = dataclasses.replace(PROFILE, placements=2)
    do = "renew"  # the message's name
    found = launch(Pool(failing=[("b", do)]), GROUP, profile=profile)
    assert (found["b"].outcome, found["b"].reason) == ("failed", f"{do} broke")
    assert found["c"].outcome == "ok"


def test_starts_are_reversed_in_every_second_launch_and_shuffled_between() -> None:
    starts = []
    for index in range(6):
        pool = Pool()
        found = launch(pool, GROUP, index)
        starts.append(pool.started)
        assert [found[name].start_order for name in pool.started] == [0, 1, 2, 3]
        assert len(set(pool.paddings)) == 4
    assert all(starts[i] == starts[i + 1][::-1] for i in (0, 2, 4))
    assert len({tuple(s) for s in starts}) > 2


def test_all_others_are_paused_while_one_takes_its_turn() -> None:
    pool = Pool()  # whose processes check it in every turn
    launch(pool, GROUP)
    assert pool.turns
    assert pool.running == set()


def test_turns_know_round_position_and_delay() -> None:
    pool = Pool()
    found = launch(pool, GROUP)
    assert sum(len(one.turns) for one in found.values()) == len(pool.turns) > 0
    for name, one in found.items():
        for turn in one.turns:
            assert pool.turns[turn.round * 4 + turn.position] == name
            assert turn.delayed_ns == 7


def test_members_of_one_scenario_take_equal_turns() -> None:
    same = [member("a", "baseline", side="base"), member("a", side="head"), member("b")]
    pool = Pool({"a": 0.5 * MS, "b": 2 * MS})
    found = run(pool, same)
    assert [{t.steps for t in x.turns} for x in found] == [{20}, {20}, {5}]


@pytest.mark.parametrize(
    ("faster", "told"),
    [(20, "less than 1/3 of what"), (2, ""), (0.5, ""), (0.25, "more than 3 times what")],
)
def test_turns_quite_unlike_the_warm_up_are_reported(faster: float, told: str) -> None:
    pool = Pool()
    pool.faster["b"] = faster
    found = launch(pool, GROUP)
    assert [told in warning for warning in found["b"].warnings] == [True] * bool(told)
    assert not found["a"].warnings


def test_more_work_takes_turns_of_whole_further_steps() -> None:
    group = [member("a", "baseline"), member("a", side="more", more_work=0.02)]
    found = run(Pool(), group)
    assert {t.steps for x in found for t in x.turns} == {50}


def test_slow_members_take_part_in_a_stride_of_rounds() -> None:
    pool = Pool({"b": 1000 * MS})
    profile = Profile("test", (2,), 0.01, 10.0, 40, 10.0, 1.0, 1, 60)
    found = launch(pool, [GROUP[0], GROUP[1]], profile=profile)
    rounds = [t.round for t in found["b"].turns]
    assert rounds == list(range(0, 40, rounds[1]))
    assert 4 <= len(rounds) <= 10
    assert len(found["a"].turns) == 40


def test_a_slow_baseline_has_fewer_rounds_for_all() -> None:
    found = launch(Pool({"a": 2000 * MS}), GROUP)
    assert {len(x.turns) for x in found.values()} == {5}  # 10 s of turns of 2 s


def test_a_job_is_done_once() -> None:
    pool = Pool()
    launch(pool, [member("a", "baseline", "job"), member("b", unit="job")])
    assert sorted(pool.turns) == ["a", "b"]


def test_a_candidate_that_fails_costs_only_itself() -> None:
    pool = Pool(failing=[("c", "turn")])
    found = launch(pool, GROUP)
    assert (found["c"].outcome, found["c"].reason) == ("failed", "turn broke")
    assert found["c"].output == "last words"
    assert len(found["b"].turns) == len(found["a"].turns) == PROFILE.rounds


@pytest.mark.parametrize("when", ["build", "warm", "turn"])
@pytest.mark.faults(
    "In a launch", {"the baseline fails": "nobody of its group is measured, each row says why"}
)
def test_without_its_baseline_nobody_is_measured(when: str) -> None:
    pool = Pool(failing=[("a", when)])
    found = launch(pool, GROUP)
    assert {x.outcome for x in found.values()} == {"failed"}
    assert "its baseline a failed" in found["b"].reason
    assert len(pool.turns) < 2 * len(GROUP)


def test_every_process_is_ended() -> None:
    pool = Pool(failing=[("b", "build")])
    launch(pool, GROUP)
    assert set(pool.closed) == {"a", "b", "c", "d"}


def test_the_parent_s_cpu_share_is_kept_with_the_baseline() -> None:
    found = launch(Pool(), GROUP)
    assert found["a"].probes["parent_cpu_share"] == pytest.approx(0.005)


def test_what_takes_steps_to_find_out_is_found_once_and_not_of_controls(tmp_path: Path) -> None:
    group = [*GROUP[:2], member("c", "control-same"), member("d", "control-slow")]
    for index, expected in ((0, ["a", "b"]), (1, [])):
        pool = Pool()
        launch(pool, group, index, traces=tmp_path if index == 0 else None)
        assert pool.inside == pool.traced == expected


@pytest.mark.faults("In a launch", {"a trace fails": "its figures stand"})
def test_a_trace_that_fails_costs_only_the_trace(tmp_path: Path) -> None:
    found = launch(Pool(failing=[("b", "trace")]), GROUP, traces=tmp_path)
    assert found["b"].outcome == "ok"
    assert found["b"].probes["trace"] == {"failed": "trace broke"}


def test_steps_of_many_seconds_are_taken_twice_and_say_so() -> None:
    found = launch(Pool({"a": 10_000 * MS, "b": 10_000 * MS}), GROUP[:2])
    for each in found.values():
        assert len(each.turns) == 2
        assert each.warnings == ("steps of more than 5 s: few turns a launch",)
    assert not any(each.warnings for each in launch(Pool(), GROUP[:2]).values())


def test_a_quiet_launch_takes_its_rounds_and_a_noisy_one_more() -> None:
    careful = dataclasses.replace(PROFILE, within_error=0.003, member_s=1.0)
    quiet, noisy = Pool(), Pool()
    noisy.noise = 0.02
    assert {len(x.turns) for x in launch(quiet, GROUP[:2], profile=careful).values()} == {12}
    turns = {len(x.turns) for x in launch(noisy, GROUP[:2], profile=careful).values()}
    assert len(turns) == 1
    assert 98 <= max(turns) <= 102  # of 10 ms: the time it may spend


def test_more_rounds_are_taken_for_noise_and_never_for_the_effect() -> None:
    careful = dataclasses.replace(PROFILE, within_error=0.003, member_s=1.0)
    counts = []
    for slower in (1.0, 1.5):
        pool = Pool({"b": slower * MS})
        pool.noise = 0.01
        counts.append(len(launch(pool, GROUP[:2], profile=careful)["a"].turns))
    assert counts[0] == counts[1]


def test_members_built_apart_meet_on_the_shared_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    apart = dataclasses.replace(PROFILE, build_apart=True)
    pool = Pool()
    found = launch(pool, GROUP[:2], profile=apart)
    assert sorted(pool.cores) == [(0,), (1,)]
    assert pool.pinned == [CPU.cpus, CPU.cpus]
    assert {len(x.turns) for x in found.values()} == {PROFILE.rounds}
    assert sorted(x.start_order for x in found.values()) == [0, 1]


@pytest.mark.parametrize(("cpus", "pins"), [((0, 1), 0), ((0,), 4)])
def test_later_launches_are_built_at_the_same_time_and_tell_no_build_times(
    cpus: tuple[int, ...], pins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the cores of the turns where members share them, else each on a core of its own."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    configuration = Configuration("c", len(cpus), cpus)
    group = [dataclasses.replace(m, configuration=configuration) for m in GROUP]
    for index, at_once in ((0, 1), (1, 1), (2, 2), (3, 2)):
        pool = Pool()
        pool.building = threading.Barrier(at_once)
        found = launch(pool, group, index)
        assert {x.outcome for x in found.values()} == {"ok"}
        assert pool.most_building == at_once
        assert len(pool.pinned) == (pins if at_once > 1 else 0)
        known = {(x.build_s, x.first_step_s) for x in found.values()}
        assert known == ({(0.1, 0.2)} if at_once == 1 else {(None, None)})


def test_later_launches_on_one_core_or_on_a_device_are_built_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    device = Configuration("gpu-0", 2, (0, 1), "gpu:0")
    for group in (GROUP, [dataclasses.replace(m, configuration=device) for m in GROUP]):
        pool = Pool()
        found = launch(pool, group, 2)
        assert pool.most_building == 1
        assert {x.build_s for x in found.values()} == {0.1}


def test_a_single_core_has_no_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    pool = Pool()
    launch(pool, GROUP[:2], profile=dataclasses.replace(PROFILE, build_apart=True))
    assert pool.cores == [CPU.cpus, CPU.cpus]
    assert pool.pinned == []


def test_a_build_that_fails_apart_fails_its_member_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    pool = Pool(failing={("b", "build")})
    found = launch(pool, GROUP[:3], profile=dataclasses.replace(PROFILE, build_apart=True))
    assert found["b"].reason == "build broke"
    assert len(found["c"].turns) == PROFILE.rounds


def test_levels_are_those_of_the_whole_group() -> None:
    found = launch(Pool({"b": 1.5 * MS}), GROUP)
    base = found["a"].level
    assert base is not None
    assert [found[x].level for x in "bcd"] == pytest.approx([base + math.log(1.5), base, base])
