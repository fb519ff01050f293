"""Users' code as a source: what is listed and refused; processes are started, nothing is timed."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from bench.guard.checkouts import worktrees
from bench.guard.checkouts.versions import Versions
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Subject
from bench.guard.loop.budget import Guard
from bench.guard.rule.limits import Limits
from bench.guard.sources import functions
from bench.guard.sources.code import Calls, Suite
from bench.guard.sources.commands import Command, words
from bench.guard.sources.processes import environment
from bench.guard.sources.source import Source, Wanted, chosen
from bench.results.effects import LEFT_OUT, STOOD_STILL
from bench.results.errors import UsageError
from bench.results.values import Configuration
from bench.sweep.progress import Silent
from tests.guard.repositories import commit, git

CPU_1 = Configuration("cpu-1", 1, (min(os.sched_getaffinity(0)),))
WANTED = Wanted((), (CPU_1,), 4 << 30)
HOT = "import work\ndef bench_sum():\n    work.work()\n"
SUITE = "import work\ndef test_sum(benchmark):\n    benchmark(work.work)\n"
WORK = "def work():\n    return sum(range(100))\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    commit(
        folder,
        "first",
        {"hot.py": HOT, "work.py": WORK, "tests/test_it.py": SUITE, "train.py": "import work\n"},
    )
    return folder


def opened(source: Source, mine: Path, wanted: Wanted = WANTED) -> tuple[list[Subject], list[str]]:
    """Subjects and warnings of the working tree against its last commit."""
    with Versions(mine).pair("HEAD") as sides, source.open(*sides, wanted, Silent()) as found:
        return list(found.subjects), list(found.warnings(()))


def test_functions_of_both_sides_are_subjects(mine: Path) -> None:
    (mine / "hot.py").write_text(HOT + "def bench_new():\n    pass\n")
    subjects, _ = opened(Calls("hot.py"), mine)
    assert {s.id: (s.base is not None, s.head is not None) for s in subjects} == {
        "hot.py::bench_sum": (True, True),
        "hot.py::bench_new": (False, True),
    }


def test_a_file_that_is_new_has_new_benchmarks(mine: Path) -> None:
    (mine / "other.py").write_text(HOT)
    ((only),) = opened(Calls("other.py"), mine)[0]
    assert only.base is None


def test_tests_of_one_side_and_left_out_ones_are_reported(mine: Path) -> None:
    text = SUITE + (
        "import pytest\n"
        "def test_never(benchmark): pass\n"
        "def test_bad(benchmark):\n    assert False\n"
    )
    commit(mine, "more", {"tests/test_it.py": text})
    (mine / "tests/test_it.py").write_text(
        text + "def test_new(benchmark):\n    benchmark(len, '')"
    )
    subjects, warnings = opened(Suite("tests"), mine)
    assert [s.id.partition("::")[2] for s in subjects if s.base is None] == ["test_new"]
    assert warnings == ["tests/test_it.py::test_never is not measured: it never called benchmark"]


def test_a_finding_of_each_kind_has_one_line(mine: Path) -> None:
    """Through the whole guard, in no time: nothing is timed."""
    commit(
        mine, "more", {"tests/test_it.py": SUITE + "def test_gone(benchmark): benchmark(len, '')"}
    )
    (mine / "tests/test_it.py").write_text("def test_sum(benchmark):\n    benchmark(int, 'x')\n")
    with (
        Versions(mine).pair("HEAD") as sides,
        Suite("tests").open(*sides, WANTED, Silent()) as found,
    ):
        guard = Guard(found.launcher, found.subjects, Limits(), 0.01, Silent())
        judged = {j.scenario.partition("::")[2]: (j.metric, j.reason) for j in guard.run()}
    assert judged["test_gone"] == ("presence", "it vanished: it exists in the base only")
    assert judged["test_sum"][0] == "outcome"
    assert "newly failed: ValueError: invalid literal" in judged["test_sum"][1]


def test_patterns_choose_and_may_hold_brackets() -> None:
    known = {"test_a[1]": 1, "test_a[2]": 2, "test_b": 3}
    wanted = Wanted(("test_a[1]", "test_b"), (CPU_1,), 1, exclude=("*b",))
    assert chosen(known, wanted, "benchmark") == {"test_a[1]": 1}
    with pytest.raises(UsageError, match="no benchmark 'test_c'"):
        chosen(known, Wanted(("test_c",), (CPU_1,), 1), "benchmark")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Calls("no.py"), "there is no such file"),
        (Calls("work.py"), "no functions bench_"),
        (Suite("no"), "there is no no here"),
        (Suite("work.py"), "no tests with the fixture or mark"),
        (Suite("tests", "nothing"), "no tests with the fixture or mark"),
        (Command(""), "empty"),
        (Command("'x"), "is no command"),
        (Command("/no/such/program"), "cannot start /no/such/program"),
        (Command(f"{sys.executable} -c 1/0"), "ZeroDivisionError"),
        (Command("true", prepare="false"), "--prepare false: exit status 1"),
    ],
)
def test_what_cannot_be_compared_says_why(mine: Path, source: Source, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        opened(source, mine)
    assert len(str(raised.value).splitlines()) == 1


def test_nothing_is_not_compared_as_if_it_were_something() -> None:
    wanted = Wanted((), (CPU_1,), 4 << 30, exclude=("a*",))
    assert chosen({"a::b": 1, "b::c": 2}, wanted, "benchmark") == {"b::c": 2}
    with pytest.raises(UsageError, match="no benchmark is left to compare"):
        chosen({"a::b": 1}, wanted, "benchmark")


def test_a_short_budget_looks_at_the_memory_of_few(mine: Path) -> None:
    wanted = Wanted((), (CPU_1,), 4 << 30, budget_s=0.0)
    with (
        Versions(mine).pair("HEAD") as sides,
        Calls("hot.py").open(*sides, wanted, Silent()) as found,
    ):
        time.sleep(0.01)
        (one,) = found.launcher.probe([(found.subjects[0], "head")])
        assert one.outcome == "ok"
        assert one.peak_memory_bytes is None
        assert list(found.warnings([one])) == [
            "memory of 1 benchmarks was not looked at: the budget is too short"
        ]


def test_what_probes_took_before_an_interruption_counts(mine: Path) -> None:
    wanted = Wanted((), (CPU_1,), 4 << 30, budget_s=600.0)
    with (
        Versions(mine).pair("HEAD") as sides,
        Calls("hot.py").open(*sides, wanted, Silent()) as found,
    ):
        (one,) = found.launcher.probe([(found.subjects[0], "head")], 600.0)
        assert one.peak_memory_bytes is None
        assert len(list(found.warnings([one]))) == 1


def test_compiled_files_ask_for_an_installation(mine: Path) -> None:
    (mine / "fast.so").touch()
    with pytest.raises(UsageError, match=r"--install 'pip install \.'"):
        opened(Calls("hot.py"), mine)
    _, warnings = opened(Command("true"), mine)
    assert warnings == [
        "fast.so is compiled and not in the base: if the command uses it, give --install"
    ]
    (mine / "fast.so").unlink()
    (mine / "env/lib").mkdir(parents=True)
    (mine / "env/pyvenv.cfg").touch()
    (mine / "env/lib/other.so").touch()
    opened(Calls("hot.py"), mine)


def test_a_command_that_the_head_breaks_is_a_regression(mine: Path) -> None:
    (mine / "train.py").write_text("1/0\n")
    with (
        Versions(mine).pair("HEAD") as sides,
        Command(f"{sys.executable} train.py").open(*sides, WANTED, Silent()) as found,
    ):
        guard = Guard(found.launcher, found.subjects, Limits(), 0.01, Silent())
        (judged,) = guard.run()
    assert (judged.metric, judged.verdict) == ("outcome", "regression")
    assert "newly failed: exit status 1: ZeroDivisionError" in judged.reason


STILL = """
import os, signal, sys, time
number = len(open("runs").read()) if os.path.exists("runs") else 0
open("runs", "a").write("x")
if number in {which}:
    os.kill(os.getppid(), signal.SIGSTOP)
    time.sleep(0.05)
    os.kill(os.getppid(), signal.SIGCONT)
"""


@pytest.mark.parametrize(
    ("which", "outcome"), [("(1,)", "ok"), ("range(1, 99)", "failed")], ids=["once", "always"]
)
def test_runs_of_a_command_that_stood_still_are_left_out(
    which: str, outcome: str, mine: Path
) -> None:
    """Here the command stops who runs it, as a suspended machine does."""
    (mine / "train.py").write_text(STILL.replace("{which}", which))
    with (
        Versions(mine).pair("HEAD") as sides,
        Command(f"{sys.executable} -S -E train.py").open(*sides, WANTED, Silent()) as found,
    ):
        base, head = found.launcher.time(found.subjects[0], "screen", 0)
    assert (base.outcome, base.probes.get(LEFT_OUT)) == ("ok", None)
    assert head.outcome == outcome
    assert len(head.turns) + head.probes[LEFT_OUT] == len(base.turns)
    if outcome == "ok":
        assert head.probes[LEFT_OUT] == 1
    else:
        assert head.turns == ()
        assert head.reason == f"{STOOD_STILL} in its turns: measure it again"


def test_a_shell_is_used_where_it_is_needed() -> None:
    assert words("python train.py --name 'a b'") == ["python", "train.py", "--name", "a b"]
    assert words("a | b") == ["/bin/sh", "-c", "a | b"]


def test_each_side_has_its_own_code_first(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{mine / 'lib'}:/elsewhere")
    (mine / "src").mkdir()
    head = Checkout("head", mine, sys.executable)
    base = Checkout("base", tmp_path / "tree", sys.executable)
    base.root.mkdir()
    assert environment(head, head)["PYTHONPATH"] == f"{mine}/src:{mine}:{mine}/lib:/elsewhere"
    assert environment(base, head)["PYTHONPATH"] == f"{base.root}:{base.root}/lib:/elsewhere"
    own = Checkout("own", mine, str(tmp_path / "env/bin/python"), installed=True)
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    found = environment(own, head)
    assert found["PYTHONPATH"] == f"{mine}/lib:/elsewhere"
    assert found["PATH"].startswith(f"{tmp_path}/env/bin:")
    assert found["VIRTUAL_ENV"] == str(tmp_path / "env")


def test_a_version_is_installed_once(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFBENCH_CACHE", str(tmp_path / "cache"))
    record = tmp_path / "record"
    versions = Versions(mine, install=f'echo "$VIRTUAL_ENV" >> {record}')
    for _ in range(2):
        with versions.pair("HEAD") as (base, head):
            assert base.python == head.python  # nothing has changed
            assert base.installed
    assert len(record.read_text().splitlines()) == 1
    (mine / "new.py").touch()
    assert versions.head().python != base.python
    assert len(record.read_text().splitlines()) == 2
    with versions.at(mine, "HEAD") as again:
        assert again.python == base.python


def test_a_base_that_does_not_build_says_so(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFBENCH_CACHE", str(tmp_path / "cache"))
    generic = "echo 'error: metadata-generation-failed' >&2"
    command = f"echo 'error: no compiler' >&2; echo more; {generic}; exit 1"
    with (
        pytest.raises(UsageError, match=r"^HEAD \(\w+\) cannot be installed by .*no compiler"),
        Versions(mine, install=command).pair("HEAD"),
    ):
        pass
    assert "tree" not in git(mine, "worktree", "list").replace(str(mine), "")


def test_another_interpreter_is_the_same_code(mine: Path) -> None:
    with Versions(mine, base_python=sys.executable).pair(None) as (base, head):
        assert base.root == head.root
        assert sys.executable in base.label
    with pytest.raises(UsageError, match="cannot start"), Versions(mine, "/no").pair("HEAD"):
        pass


def test_functions_that_changed_come_in_order_of_their_time() -> None:
    base = [
        {"name": "a", "calls": 1.0, "self_ns": 900.0},
        {"name": "same", "calls": 1.0, "self_ns": 500.0},
        {"name": "gone", "calls": 2.0, "self_ns": 50.0},
    ]
    head = [
        {"name": "a", "calls": 1.0, "self_ns": 1200.0},
        {"name": "same", "calls": 1.0, "self_ns": 505.0},
        {"name": "new", "calls": 4.0, "self_ns": 10.0},
    ]
    found = functions.changes(base, head)
    assert [change.name for change in found] == ["a", "gone", "new"]
    assert found[2].head_count == 4


def test_the_worktree_of_a_users_repository_needs_no_harness(mine: Path) -> None:
    commit(mine, "a module of that name", {"bench/results/messages.py": "PROTOCOL = 1\n"})
    commit(mine, "and another", {"bench/results/messages.py": "PROTOCOL = 2\n"})
    with worktrees.checkout(mine, "HEAD~1", own=False) as base:
        assert (base.root / "bench/results/messages.py").read_text() == "PROTOCOL = 1\n"
        assert base.warnings == ()
