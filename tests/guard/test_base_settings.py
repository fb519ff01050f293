"""A change is judged by the base's settings and benchmarks, not by those that it brings along."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Subject
from bench.guard.sources.scenarios import subjects
from bench.guard.sources.source import Benchmark, changed_files
from bench.results.errors import UsageError
from bench.sweep.settings import find_configuration
from tests.guard.fakes import CPU_1
from tests.guard.repositories import commit
from tfbench.command import guard_settings, guarding
from tfbench.command.guard_request import Asked, Request

BASE = """
[tool.tfbench]
scenarios = ["infer/one", "infer/two"]
[tool.tfbench.guard]
latency = 0.03
"""
HEAD = """
[tool.tfbench]
scenarios = ["infer/one"]
exclude = ["infer/two"]
[tool.tfbench.guard]
latency = 9.0
budget = "1s"
[tool.tfbench.guard.scenarios."infer/*"]
latency = false
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a repository whose working tree changes the settings."""
    place = tmp_path / "mine" / "below"
    commit(tmp_path / "mine", "first", {"below/pyproject.toml": BASE})
    (place / "pyproject.toml").write_text(HEAD)
    monkeypatch.chdir(place)
    return place


def asked(base: str | None = "HEAD", file: Path | None = None) -> Asked:
    return Asked((), Request(base=base), {}, file, ".")


@pytest.mark.faults(
    "Around it", {"a change raises its own limits": "the base's count; the guard says which"}
)
def test_limits_and_choice_are_the_base_s(here: Path) -> None:
    plan = guarding._plan(asked())
    assert plan.patterns == ("infer/one", "infer/two")
    assert plan.exclude == ()
    assert plan.budget_s == 600
    assert plan.limits.margin("latency", "infer/one", "cpu-1") == 0.03
    _, (said,) = guard_settings.table(asked())
    names = "exclude, guard.budget, guard.latency, guard.scenarios.infer/*.latency, scenarios"
    assert f"do not count ({names})" in said


def test_a_file_that_is_named_counts(here: Path) -> None:
    own = asked(file=Path("pyproject.toml"))
    assert guarding._plan(own).budget_s == 1
    assert guard_settings.table(own)[1] == ()
    assert guarding._plan(asked(base=None)).budget_s == 1  # the same code in two environments


def test_without_settings_in_the_base_none_count(here: Path) -> None:
    (here / "pyproject.toml").unlink()
    commit(here.parent, "second", {"notes.txt": "x"})
    (here / "pyproject.toml").write_text(HEAD)
    assert guarding._plan(asked()).limits.margin("latency", "infer/one", "cpu-1") == 0.02
    (here / "pyproject.toml").write_text("")
    assert guard_settings.table(asked()) == ({}, ())


def test_what_is_wrong_in_the_base_is_named(here: Path) -> None:
    first = commit(here.parent, "second", {"below/pyproject.toml": "[tool"})
    (here / "pyproject.toml").write_text(BASE)
    with pytest.raises(UsageError, match=f"pyproject.toml of {first[:9]} cannot be read"):
        guard_settings.table(asked())


OWN = "@scenario({})\ndef mine(workload) -> InferencePath:\n    '''Own.'''\n"


def test_a_change_does_not_take_itself_out_of_the_suite(tmp_path: Path) -> None:
    sides = []
    for name, suite in (("base", ""), ("head", "suite='full'")):
        (tmp_path / name / "mine").mkdir(parents=True)
        (tmp_path / name / "mine/a.py").write_text(OWN.format(suite))
        sides.append(Checkout(name, tmp_path / name, sys.executable))
    folders = [str(tmp_path / "head/mine")]
    found = subjects(*sides, (), [find_configuration("cpu-1", {})], folders=folders)
    assert "infer/mine" in {each.id for each in found}


def test_benchmarks_that_changed_are_reported(tmp_path: Path) -> None:
    sides = [Checkout(x, tmp_path / x, sys.executable) for x in ("base", "head")]
    for side in sides:
        side.root.mkdir()
        (side.root / "same.py").write_text("x")
        (side.root / "other.py").write_text(side.label)
    known = [Benchmark(x, file=f"{x}.py") for x in ("same", "other")]
    every = [Subject(each.name, CPU_1, each, each) for each in known]
    (said,) = changed_files(every, *sides)
    assert said.endswith("may do other work: other.py")
    assert list(changed_files(every[:1], *sides)) == []
    new = [dataclasses.replace(each, base=None) for each in every]
    assert list(changed_files(new, *sides)) == []
