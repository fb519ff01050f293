"""Everything stops in the middle of a turn, or its cores are taken away: it is noticed and said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench.launch.timing.standstill import ASLEEP_NS, Standstill
from bench.results.as_json import from_json
from bench.results.values import Effect, Launch
from tests.conftest import ROOT

FEW, MANY = 0.3, 3.0
"""Seconds of standing still: fewer than a waiting parent notices by itself, and more."""
Act = Callable[[psutil.Process], None]


class Group:
    """A group in another process, one of whose turns waits for us."""

    def __init__(self, folder: Path, limit_s: float, cpus: str, unit: str = "step") -> None:
        self.folder = folder
        command = [
            sys.executable, "-m", "tests.faults.standin", str(folder), str(limit_s), cpus, unit
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def disturbed(self, act: Act) -> tuple[list[Launch], list[Effect]]:
        """What it found though we did this in the middle of a turn."""
        while not (self.folder / "turn").exists():
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.01)
        act(psutil.Process(self.process.pid))
        (self.folder / "enough").touch()
        said, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        launches, rows = json.loads(said)
        return [from_json(Launch, x) for x in launches], [from_json(Effect, x) for x in rows]


def stopped(everything: list[psutil.Process], seconds: float) -> None:
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for each in everything:
            each.send_signal(number)
        if number == signal.SIGSTOP:
            time.sleep(seconds)


def tree(group: psutil.Process) -> list[psutil.Process]:
    return [group, *group.children(recursive=True)]


def frozen(group: psutil.Process) -> None:
    """Freeze it as a container is: no process of it notices."""
    folder = Path("/sys/fs/cgroup/freezer") / f"tfbench{group.pid}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"this machine lets nobody freeze processes: {error}")
    try:
        for each in tree(group):
            (folder / "tasks").write_text(str(each.pid))
        (folder / "freezer.state").write_text("FROZEN")
        time.sleep(MANY)
        (folder / "freezer.state").write_text("THAWED")
        for each in tree(group):
            (folder.parent / "tasks").write_text(str(each.pid))
    finally:
        folder.rmdir()


@pytest.mark.faults(
    "In a launch",
    {
        "SIGSTOP of everything in a turn, as if suspended": "the turn is left out; the row says so",
        "the same for longer than the time limit": "the same: the limit does not run meanwhile",
        "SIGSTOP of one launch in its turn": "the turn is left out; the row says so",
        "a container frozen in a turn": "the turn is left out; the row says so",
    },
)
@pytest.mark.parametrize(
    ("act", "limit_s"),
    [
        (lambda group: stopped(tree(group), FEW), 60.0),
        (lambda group: stopped(tree(group), MANY), MANY - 1.0),
        (lambda group: stopped(group.children()[1:], FEW), 60.0),
        (frozen, 60.0),
    ],
    ids=["all", "longer than the limit", "one", "frozen"],
)
def test_a_turn_in_which_all_stands_still_is_left_out(
    act: Act, limit_s: float, tmp_path: Path
) -> None:
    (base, own), rows = Group(tmp_path, limit_s, "0").disturbed(act)
    assert (base.outcome, own.outcome) == ("ok", "ok"), own.reason
    assert [x.probes.get("turns_left_out", 0) for x in (base, own)] == [0, 1]
    assert max(turn.elapsed_ns for turn in own.turns) < FEW * 1e9
    assert len(own.turns) == len(base.turns) - 1
    said = [row.warnings for row in rows]
    line = "turns left out, for the machine or its processes stood still in them: 1"
    assert [line in each for each in said] == [False, True]


def test_a_turn_that_is_only_long_counts(tmp_path: Path) -> None:
    (base, own), _ = Group(tmp_path, 60.0, "0").disturbed(lambda group: time.sleep(FEW))
    assert "turns_left_out" not in own.probes
    assert len(own.turns) == len(base.turns)
    assert max(turn.elapsed_ns for turn in own.turns) > FEW * 1e9


@pytest.mark.faults("In a launch", {"a machine that sleeps in a turn": "the turn is left out"})
def test_a_suspended_machine_is_noticed_by_its_clocks() -> None:
    asleep_ns = iter([10, 10 + ASLEEP_NS, 10, 11 + ASLEEP_NS])
    assert [Standstill(lambda: next(asleep_ns)).seen() for _ in range(2)] == [False, True]


@pytest.fixture
def others() -> list[int]:
    """Two cores that this process may use."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("needs two cores")
    return cores[:2]


@pytest.mark.faults(
    "In a launch",
    {
        "its core is taken away in a turn": "`failed`, with the cores that it had and has",
        "one of two cores is taken away in a turn": "`failed`, with the cores that it had and has",
        "a job's core is taken away": "`failed`, with the cores that it had and has",
    },
)
@pytest.mark.parametrize(("count", "unit"), [(1, "step"), (2, "step"), (1, "job")])
def test_a_launch_whose_cores_are_taken_away_fails(
    count: int, unit: str, others: list[int], tmp_path: Path
) -> None:
    left = others[-1]

    def take_away(group: psutil.Process) -> None:
        for each in tree(group):
            for thread in each.threads():
                os.sched_setaffinity(thread.id, [left])

    had = ", ".join(map(str, others[:count]))
    (base, own), _ = Group(tmp_path, 60.0, had.replace(" ", ""), unit).disturbed(take_away)
    reason = f"its cores were taken away: it was to run on {had}, and has {left}"
    assert (own.outcome, own.reason) == ("failed", reason)
    assert (base.outcome, base.reason) == ("failed", reason)
