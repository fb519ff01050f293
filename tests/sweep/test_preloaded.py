"""Real launches of scenarios that misbehave: each becomes a reason, and the next one still runs."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from bench.launch.preload import ENDING
from bench.results.errors import UsageError
from bench.results.values import Scenario, WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool, Preloaded
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import PROFILES, find_configuration

BAD = '''
import os, tempfile, time
from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import InferencePath, scenario

def path(infer, proof=dict):
    return InferencePath(infer=infer, inputs=[1, 2], examples=1, predict=lambda x: x, proof=proof)

@scenario()
def fine(workload):
    """Spins for a millisecond."""
    def spin(x):
        until = time.perf_counter() + 0.001
        while time.perf_counter() < until:
            pass
    return path(spin)

@scenario(baseline="infer/fine")
def raises(workload):
    """Raises."""
    raise RuntimeError("the first line\\nthe second line")

@scenario(baseline="infer/fine")
def dies(workload):
    """Is killed."""
    print("last words", flush=True)
    os.kill(os.getpid(), 11)

@scenario(baseline="infer/fine")
def exits(workload):
    """Exits."""
    os._exit(3)

@scenario(baseline="infer/fine")
def litters(workload):
    """Leaves a temporary folder behind, whose path it tells."""
    raise RuntimeError(tempfile.mkdtemp())

@scenario(baseline="infer/fine")
def hangs(workload):
    """Never returns."""
    time.sleep(1000)

@scenario(baseline="infer/fine")
def eats(workload):
    """Uses too much memory."""
    held = bytearray(3 << 30)
    for i in range(0, len(held), 4096):
        held[i] = 1
    time.sleep(1000)

@scenario(baseline="infer/fine", needs=("package:there_is_no_such_package",))
def lacks(workload):
    """Needs what is not there."""

@scenario(baseline="infer/fine")
def refuses(workload):
    """Cannot run here."""
    raise Unsupported("needs a flux capacitor: install one")

@scenario(baseline="infer/fine")
def dies_later(workload):
    """Is killed in a turn."""
    calls = []
    def infer(x):
        time.sleep(0.001)
        calls.append(x)
        if len(calls) > 30:
            os.kill(os.getpid(), 9)
    return path(infer)

@scenario(baseline="infer/fine")
def kills_its_parent(workload):
    """Kills what it was forked from, in a turn."""
    calls = []
    def infer(x):
        time.sleep(0.001)
        calls.append(x)
        if len(calls) > 30:
            os.kill(os.getppid(), 9)
    return path(infer)
'''


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bad")
    (root / "bench").symlink_to(ROOT / "bench")
    (root / "scenarios" / "infer").mkdir(parents=True)
    (root / "scenarios" / "core").symlink_to(ROOT / "scenarios" / "core")
    (root / "scenarios" / "__init__.py").touch()
    (root / "scenarios" / "infer" / "__init__.py").touch()
    (root / "scenarios" / "infer" / "bad.py").write_text(BAD)
    return root


@pytest.fixture(scope="module")
def bad_pool(cache: Path) -> Iterator[Pool]:
    with Pool(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 2 << 30) as pool:
        yield pool


CONFIGURATION = find_configuration("cpu-1", {})


def build(pool: Pool, root: Path, name: str, timeout_s: float = 60.0) -> LaunchFailed:
    scenario = discover(root)[f"infer/{name}"]
    environment = Environment.of(scenario, CONFIGURATION, "", root)
    launch = pool.launch(environment, scenario, CONFIGURATION)
    try:
        with pytest.raises(LaunchFailed) as caught:
            launch.call("build", timeout_s)
        return caught.value
    finally:
        launch.close()


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("raises", "failed", "RuntimeError: the first line"),
        ("dies", "failed", "the launch was ended by SIGSEGV"),
        ("exits", "failed", "the launch ended with exit status 3"),
        ("eats", "failed", "more than its limit of 2.0 GiB"),
        ("lacks", "unsupported", "needs the package there_is_no_such_package"),
        ("refuses", "unsupported", "needs a flux capacitor: install one"),
    ],
)
@pytest.mark.faults(
    "In a launch",
    {
        "segmentation fault": "`failed`, with the signal and what may help",
        "a package or a device is missing": "`unsupported`, with what to install",
    },
)
def test_what_goes_wrong_becomes_a_reason(
    bad_pool: Pool, root: Path, name: str, outcome: str, reason: str
) -> None:
    error = build(bad_pool, root, name)
    assert error.outcome == outcome
    assert reason in error.reason


@pytest.mark.faults("In a launch", {"a sleep without end": "ended at its limit, `timeout`"})
def test_a_hang_is_ended_at_its_limit(bad_pool: Pool, root: Path) -> None:
    error = build(bad_pool, root, "hangs", timeout_s=1.0)
    assert error.outcome == "timeout"
    assert error.reason == "build took longer than 1 s"


@pytest.mark.faults("In a launch", {"SIGKILL in a turn": "the group goes on without it"})
def test_a_group_goes_on_without_the_member_that_died(bad_pool: Pool, root: Path) -> None:
    scenarios = discover(root)
    names = ("fine", "dies-later", "raises", "refuses")
    members = [
        Member(
            scenarios[f"infer/{name}"],
            CONFIGURATION,
            bad_pool.starting(Environment.of(scenarios[f"infer/{name}"], CONFIGURATION, "", root)),
            "baseline" if name == "fine" else "candidate",
        )
        for name in names
    ]
    launches = run_launch("g", members, 0, PROFILES["smoke"], seed=1)
    assert [x.outcome for x in launches] == ["ok", "failed", "failed", "unsupported"]
    assert len(launches[0].turns) == PROFILES["smoke"].rounds
    assert launches[1].reason == "the launch was ended by SIGKILL (out of memory?)"
    assert all(not x.turns for x in launches[1:])
    assert launches[0].waiting_cpu_share is not None


def test_members_take_one_turn_a_round_and_none_twice_in_a_row(bad_pool: Pool, root: Path) -> None:
    fine = discover(root)["infer/fine"]
    start = bad_pool.starting(Environment.of(fine, CONFIGURATION, "", root))
    members = [
        Member(fine, CONFIGURATION, start, "baseline"),
        Member(fine, CONFIGURATION, start, "control-same"),
        Member(fine, CONFIGURATION, start, "control-slow", slowdown=1.0),
    ]
    pair = [run_launch("g", members, k, PROFILES["smoke"], seed=3) for k in (0, 1)]
    for launches in pair:
        turns = [(t.round, t.position, i) for i, x in enumerate(launches) for t in x.turns]
        assert [position for _, position, _ in sorted(turns)] == [0, 1, 2] * (len(turns) // 3)
        assert all(one != other for (*_, one), (*_, other) in pairwise(sorted(turns)))
    orders = [[x.start_order for x in launches] for launches in pair]
    assert orders[1] == [2 - place for place in orders[0]]


def test_launches_are_pinned_and_gone_afterwards(bad_pool: Pool, root: Path) -> None:
    fine = discover(root)["infer/fine"]
    launch = bad_pool.launch(Environment.of(fine, CONFIGURATION, "", root), fine, CONFIGURATION)
    launch.call("build", 60.0)
    assert os.sched_getaffinity(launch.pid) == set(CONFIGURATION.cpus)
    launch.close()
    assert not psutil.pid_exists(launch.pid)


@pytest.mark.faults(
    "Around it", {"the interpreter has no TensorFlow": "refused, with what to install"}
)
def test_an_interpreter_without_tensorflow_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    empty = tmp_path / "tensorflow"
    empty.mkdir()
    (empty / "__init__.py").write_text("raise ImportError('broken install')")
    with pytest.raises(UsageError, match="does not start"):
        Preloaded(Environment(sys.executable, str(ROOT), ())).versions  # noqa: B018


def test_the_preloaded_process_initialises_nothing(bad_pool: Pool, root: Path) -> None:
    """A launch can still set threads and devices, which TensorFlow refuses once it is running."""
    scenario = dataclasses.replace(discover(root)["infer/fine"], devices=2)
    launch = bad_pool.launch(
        Environment.of(scenario, CONFIGURATION, "", root), scenario, CONFIGURATION
    )
    try:
        assert launch.call("build", 60.0)["examples_per_step"] == 1
    finally:
        launch.close()


def test_a_forked_launch_costs_no_new_import(bad_pool: Pool, root: Path) -> None:
    fine: Scenario = discover(root)["infer/fine"]
    environment = Environment.of(fine, CONFIGURATION, "", root)
    process = bad_pool.process(environment)
    _ = process.versions
    before = time.process_time()
    launch = bad_pool.launch(environment, fine, CONFIGURATION)
    launch.close()
    # CPU time of the parent, not wall time: forking is a message, not an import
    assert time.process_time() - before < 0.5


@pytest.mark.faults(
    "Around it",
    {"SIGKILL of a preloaded process": "its launches `failed`, the next come from a new one"},
)
def test_a_preloaded_process_that_was_killed_is_started_again(root: Path, cache: Path) -> None:
    known = discover(root)
    fine, kills = known["infer/fine"], known["infer/kills-its-parent"]
    environment = Environment.of(fine, CONFIGURATION, "", root)
    with Pool(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 2 << 30) as pool:
        start = pool.starting(environment)
        members = [
            Member(fine, CONFIGURATION, start, "baseline"),
            Member(kills, CONFIGURATION, start, "candidate"),
        ]
        launches = run_launch("g", members, 0, PROFILES["smoke"], seed=1)
        assert [x.outcome for x in launches] == ["failed", "failed"]
        reason = "the preloaded process was ended by SIGKILL (out of memory?)"
        assert any(reason in x.reason for x in launches)
        launches = run_launch("g", members[:1], 1, PROFILES["smoke"], seed=1)
        assert launches[0].outcome == "ok"
        os.kill(pool.process(environment)._process.pid, signal.SIGKILL)
        launch = pool.launch(environment, fine, CONFIGURATION)  # noticed while it is asked
        assert launch.call("build", 60.0)["examples_per_step"] == 1
        launch.close()


@pytest.mark.faults(
    "Around it",
    {
        "the thread that started a preloaded process ends": "it goes on",
        "a killed launch leaves temporary files": "they are removed when the run ends",
        "SIGINT, SIGTERM and SIGHUP to all processes of a run": "what forks launches tidies up",
    },
)
def test_it_outlives_the_thread_that_started_it_and_removes_what_is_left(
    root: Path, cache: Path
) -> None:
    fine = discover(root)["infer/fine"]
    environment = Environment.of(fine, CONFIGURATION, "", root)
    with Pool(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 2 << 30) as pool:
        starter = threading.Thread(target=lambda: pool.process(environment).versions)
        starter.start()
        starter.join()
        launch = pool.launch(environment, fine, CONFIGURATION)
        assert launch.call("build", 60.0)["examples_per_step"] == 1
        launch.close()
        folder = Path(build(pool, root, "litters").reason.removeprefix("RuntimeError: "))
        assert folder.is_dir()
        for number in ENDING:
            os.kill(pool.process(environment)._process.pid, number)
        launch = pool.launch(environment, fine, CONFIGURATION)
        launch.call("build", 60.0)
        os.kill(launch.pid, signal.SIGTERM)  # a launch does end
        with pytest.raises(LaunchFailed, match="SIGTERM"):
            launch.call("build", 60.0)
        launch.close()
    assert not folder.parent.exists()


def test_models_of_a_cache_that_others_may_write_are_not_loaded(tmp_path: Path) -> None:
    """Whoever launches: sweep, guard, bundles, fixture."""
    tmp_path.chmod(0o777)
    with pytest.raises(UsageError, match="by everybody"):
        Pool(WorkloadSpec(cache=str(tmp_path)), 1 << 30)
