"""The kernel's counters beside a user's code, tried on page faults: every machine counts these."""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path

import pytest

from bench.guard.comparison import counted
from bench.guard.comparison.launcher import Subject
from bench.guard.rule.limits import Limits
from bench.guard.sources.source import Benchmark
from bench.launch.code import instructions
from bench.launch.code.commands import Runner
from bench.launch.code.launch import CodeLaunch
from bench.launch.code.timers import plain
from bench.results.values import Configuration, Launch

PAGE_FAULTS = 1, 2
"""A counter of the kernel's own: software, page faults."""
PAGES = 300


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let page faults be counted in the place of instructions."""
    counter = instructions.opened(event=PAGE_FAULTS)
    if counter < 0:
        pytest.skip("this kernel does not allow counters")
    os.close(counter)
    every = instructions.opened

    def opened(pid: int = 0, on_exec: bool = False, event: object = None) -> int:
        return every(pid, on_exec, PAGE_FAULTS)

    monkeypatch.setattr(instructions, "opened", opened)


def touch() -> None:
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE) as block:
        for place in range(0, len(block), mmap.PAGESIZE):
            block[place] = 1


@pytest.mark.usefixtures("faults")
def test_a_call_is_counted_alone() -> None:
    touched, nothing = instructions.of_call(touch), instructions.of_call(lambda: None)
    assert touched is not None
    assert nothing is not None
    assert PAGES <= touched - nothing < PAGES + 50


@pytest.mark.usefixtures("faults")
def test_a_function_and_a_command_say_their_instructions() -> None:
    launch = CodeLaunch(plain(touch))
    launch.build(first_step=False)
    assert launch.probe()["probes"]["instructions"] >= PAGES
    here = str(Path(__file__).resolve().parents[2])
    code = "from tests.launch.test_instructions import touch\nfor _ in range({}): touch()"

    def run(times: int) -> int:
        words = [sys.executable, "-c", code.format(times)]
        found = Runner().run(words, here, {**os.environ, "PYTHONHASHSEED": "0"}, 60, count=True)
        return int(found["instructions"])

    assert run(8) - run(0) > 7 * PAGES


def test_a_machine_without_counters_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "opened", lambda *_, **__: -1)
    assert instructions.of_call(touch) is None
    launch = CodeLaunch(plain(touch))
    launch.build(first_step=False)
    assert "instructions" not in launch.probe()["probes"]
    monkeypatch.undo()
    monkeypatch.setattr(instructions, "OPEN", {})
    assert instructions.opened() == -1


def test_a_counter_that_was_shared_counts_for_nothing(tmp_path: Path) -> None:
    for running, says in ((50, None), (100, 7)):
        (tmp_path / "counter").write_bytes(
            b"".join(n.to_bytes(8, sys.byteorder) for n in (7, 100, running))
        )
        with (tmp_path / "counter").open("rb") as file:
            assert instructions.read(file.fileno()) == says


def test_more_instructions_are_a_regression() -> None:
    (one,) = [each for each in counted.ALL if each.metric == "instructions"]
    subject = Subject("f", Configuration("cpu-1", 1, (0,)), Benchmark("f"), Benchmark("f"))

    def pair(before: int, after: int) -> tuple[Launch, Launch]:
        base, head = (
            Launch("f", "cpu-1", outcome="ok", probes={"instructions": count})
            for count in (before, after)
        )
        return base, head

    assert counted.differs(one, subject, pair(100_000, 103_000), Limits())
    assert not counted.differs(one, subject, pair(100_000, 100_500), Limits())
    pairs = [pair(100_000 + n, 103_000 + n) for n in range(3)]
    judged = counted.judge(one, subject, pairs, Limits())
    assert judged is not None
    assert judged.verdict == "regression"
