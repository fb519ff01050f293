"""Suites of pytest-benchmark and pytest-codspeed, unchanged, in a user's interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.sweep.running import LaunchFailed
from tests.launch.beside import ask, beside, turn

CONFTEST = """
import pytest

def pytest_benchmark_update_json(config, benchmarks, output_json):
    raise RuntimeError

@pytest.fixture(params=[1, 100])
def many(request):
    return request.param

@pytest.fixture(scope="session")
def server(tmp_path_factory):
    yield 7
    with open("ended", "w") as file:
        file.write("down")
"""
TESTS = """
import pytest
from pytest_codspeed import BenchmarkFixture
import mine

def test_call(benchmark: BenchmarkFixture, many):
    assert benchmark(mine.work, many) == many

def test_decorated(benchmark):
    @benchmark
    def run():
        mine.work(10)

@pytest.mark.benchmark
def test_marked(server):
    mine.work(server)

@pytest.mark.benchmark(group="grouped")
def test_rounds(benchmark):
    benchmark.pedantic(mine.work, args=(5,), rounds=3, iterations=2)

def test_setup(benchmark):
    left = []
    def setup():
        left.append(1)
        return (left,), {}
    def target(left):
        assert len(left) == 1
        left.pop()
    benchmark.pedantic(target, setup=setup, rounds=5)

def test_asserts(benchmark):
    assert benchmark.stats is None
    assert benchmark(len, "a") == 2

@pytest.mark.skip(reason="not here")
def test_skipped(benchmark):
    benchmark(len, "a")

def test_never(benchmark):
    pass

def test_weaves(benchmark):
    benchmark.weave("os.path.join")

def test_twice(benchmark):
    benchmark(len, "a")
    benchmark(len, "a")

def test_plain():
    raise RuntimeError("it is no benchmark, and must not run")
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "mine.py").write_text("calls = []\ndef work(n):\n    calls.append(n)\n    return n\n")
    (folder / "tests").mkdir()
    (folder / "tests/conftest.py").write_text(CONFTEST)
    (folder / "tests/test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --benchmark-only --benchmark-columns=min,max --benchmark-warmup=on\n"
        "filterwarnings = error\n"
    )
    return folder


@pytest.fixture(scope="module")
def listed(mine: Path) -> dict[str, dict[str, Any]]:
    answer = ask(mine, {"kind": "pytest", "arguments": ["tests"]})
    assert answer["root"] == str(mine)
    assert answer["broken"] == []
    return {each["name"].removeprefix("tests/test_it.py::"): each for each in answer["found"]}


def test_every_benchmark_is_found_or_has_a_reason(listed: dict[str, dict[str, Any]]) -> None:
    good = {name for name, each in listed.items() if each["outcome"] == "ok"}
    assert good == {
        "test_call[1]", "test_call[100]", "test_decorated", "test_marked", "test_rounds",
        "test_setup",
    }  # fmt: skip
    assert {name for name, each in listed.items() if each["job"]} == {"test_rounds"}
    reasons = {name: each["reason"] for name, each in listed.items() if name not in good}
    assert reasons == {
        "test_asserts": "AssertionError: assert 1 == 2",
        "test_skipped": "skipped: not here",
        "test_never": "it never called benchmark",
        "test_weaves": "Failed: benchmark.weave and patch are not supported: measure the caller",
        "test_twice": "Failed: it calls benchmark twice: split it in two",
    }
    assert listed["test_call[1]"]["line"] == 6
    assert listed["test_call[1]"]["file"] == "tests/test_it.py"


def test_expressions_choose(mine: Path) -> None:
    answer = ask(mine, {"kind": "pytest", "arguments": ["tests", "-k", "call and 100"]})
    assert [each["name"] for each in answer["found"]] == ["tests/test_it.py::test_call[100]"]


def launch(name: str) -> dict[str, Any]:
    return {
        "kind": "pytest", "arguments": ["tests/test_it.py"], "name": f"tests/test_it.py::{name}",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["test_call[100]", "test_setup"])
def test_it_takes_turns_inside_the_test(mine: Path, name: str) -> None:
    with beside(mine, launch(name)) as process:
        assert turn(process)["elapsed_ns"] > 0


def test_rounds_without_a_setup_are_one_turn_of_so_many_calls(mine: Path) -> None:
    (mine / "mine.py").write_text(
        "calls = []\ndef work(n):\n    calls.append(n)\n    print(len(calls), flush=True)\n"
    )
    with beside(mine, launch("test_rounds")) as process:
        assert "first_step_s" not in process.call("build", 60)
        process.call("turn", 60, steps=1)
    (mine / "mine.py").write_text("def work(n):\n    return n\n")


def test_fixtures_live_during_the_turns_and_end_after_them(mine: Path) -> None:
    (mine / "ended").unlink(missing_ok=True)  # listing has run it too
    with beside(mine, launch("test_marked")) as process:
        turn(process)
        assert not (mine / "ended").exists()
    assert (mine / "ended").read_text() == "down"


def test_a_test_that_takes_no_turns_says_why(mine: Path) -> None:
    for name, says in (("test_gone", "does not find it"), ("test_never", "never called benchmark")):
        with beside(mine, launch(name)) as process, pytest.raises(LaunchFailed, match=says):
            process.call("build", 60)


def test_a_file_that_cannot_be_collected_is_named(mine: Path) -> None:
    (mine / "broken").mkdir()
    (mine / "broken/test_broken.py").write_text("import no_such_package\n")
    answer = ask(mine, {"kind": "pytest", "arguments": ["broken"]})
    assert answer["found"] == []
    assert "no_such_package" in answer["broken"][0]
    both = ask(mine, {"kind": "pytest", "arguments": ["broken", "tests", "-k", "decorated"]})
    assert len(both["found"]) == 1


def test_options_of_plugins_that_are_not_needed_are_accepted(mine: Path) -> None:
    (mine / "ini").mkdir()
    text = "--cov=mine --cov-report=xml --numprocesses=auto --benchmark-group-by=name"
    (mine / "ini/pytest.ini").write_text(f"[pytest]\naddopts = {text}\n")
    (mine / "ini/test_one.py").write_text("def test_one(benchmark): benchmark(len, '')\n")
    assert len(ask(mine, {"kind": "pytest", "arguments": ["ini"]})["found"]) == 1
    (mine / "ini/pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    with pytest.raises(LaunchFailed, match=r"usage error: .*--no-such-option"):
        ask(mine, {"kind": "pytest", "arguments": ["ini"]})


def test_an_interpreter_without_pytest_says_so(mine: Path, bare: Path) -> None:
    with pytest.raises(LaunchFailed, match="pytest"):
        ask(mine, {"kind": "pytest", "arguments": ["tests"]}, python=str(bare))
