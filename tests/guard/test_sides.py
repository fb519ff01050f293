"""Worktrees, environments and bisection on scratch repositories; nothing is launched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.guard.checkouts import environments, harness, worktrees
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import Comparison, Judgement
from bench.guard.loop import bisect
from bench.guard.loop.planned import Plan
from bench.guard.rule.limits import Limits
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from bench.sweep.progress import Reporter, Silent

PLAN = Plan((), (), WorkloadSpec(), Limits(), 60.0, 1 << 30)


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", "-C", str(folder), *author, *arguments],
                          check=True, capture_output=True, text=True)  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, message: str, **files: str) -> str:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py").replace("_toml", ".toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first", scenarios__x_py="one = 1\n", pyproject_toml="[project]\n")
    commit(folder, "second", scenarios__x_py="one = 2\n")
    return folder


def test_the_base_is_another_version_and_leaves_nothing_behind(repository: Path) -> None:
    (repository / "scenarios/x.py").write_text("one = 3\n")  # not committed
    with worktrees.checkout(repository, "HEAD~1") as base:
        assert (base.root / "scenarios/x.py").read_text() == "one = 1\n"
        assert base.python == sys.executable
        assert base.warnings == ()
        kept = base.root
    assert not kept.exists()
    assert git(repository, "worktree", "list").count("\n") == 0
    assert (repository / "scenarios/x.py").read_text() == "one = 3\n"
    assert worktrees.head(repository).label.endswith("with changes")


def test_a_folder_inside_the_repository_stays_that_folder(repository: Path) -> None:
    commit(repository, "sub", part__x_py="1\n")
    with worktrees.checkout(repository / "part", "HEAD") as base:
        assert (base.root / "x.py").exists()


@pytest.mark.parametrize("ref", ["no-such-branch", "--help"])
def test_an_unknown_ref_says_what_to_do(repository: Path, ref: str) -> None:
    with pytest.raises(UsageError, match="fetch it first"), worktrees.checkout(repository, ref):
        pass


def test_outside_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="git rev-parse"), worktrees.checkout(tmp_path, "HEAD"):
        pass


def test_a_repository_of_somebody_else_says_what_git_says(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    told = "dubious ownership.*; git config --global --add safe.directory"
    with pytest.raises(UsageError, match=told), worktrees.checkout(repository, "HEAD"):
        pass


def test_launches_that_speak_other_messages_run_with_this_harness(repository: Path) -> None:
    commit(repository, "old", bench__results__messages_py="PROTOCOL = 1\n", bench__old_py="")
    commit(repository, "new", bench__results__messages_py="PROTOCOL = 2\n")
    with worktrees.checkout(repository, "HEAD~1") as base:
        assert harness.protocol(base.root) == 2
        assert (base.root / "scenarios/x.py").read_text() == "one = 2\n"
        assert "other messages" in base.warnings[0]
    with worktrees.checkout(repository, "HEAD") as base:
        assert base.warnings == ()


def test_other_dependencies_get_an_environment_of_their_own(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFBENCH_CACHE", str(tmp_path / "cache"))
    base = tmp_path / "base"
    base.mkdir()
    (base / "pyproject.toml").write_text('[project]\ndependencies = ["tensorflow==2.20"]\n')
    (base / "constraints.txt").write_text("numpy==2.0\n")
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> None:
        commands.append(command)
        python = next((tmp_path / "cache/environments").glob("*"), None)
        if python is None:
            Path(command[-1], "bin").mkdir(parents=True)

    warnings: list[str] = []
    python = environments.interpreter(repository, base, warnings, run)
    assert python != sys.executable
    assert "tensorflow==2.20" in commands[-1]
    assert "-c" in commands[-1]
    assert len(warnings) == 1
    commands.clear()
    assert environments.interpreter(repository, base, warnings, run) == python
    assert commands == []  # made once


def test_requirements_written_otherwise_need_no_environment(
    repository: Path, tmp_path: Path
) -> None:
    """What this interpreter has anyway is no other environment: extras, wider bounds."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["pytest>=1", "none==1; python_version < '
        "'3'"
        '"]\n'
        '[project.optional-dependencies]\nmore = ["no-such-package"]\n'
    )
    (tmp_path / "constraints.txt").write_text("# pins\nno-such-package==1.0\n")
    warnings: list[str] = []
    assert environments.interpreter(repository, tmp_path, warnings) == sys.executable
    assert warnings == []


def measure_by_number(base: Checkout, head: Checkout, plan: Plan, reporter: Reporter) -> Comparison:
    """Each version's `one` is its time: 10 % more a step beyond 4."""
    numbers = [
        int((side.root / "scenarios/x.py").read_text().split("=")[1]) for side in (base, head)
    ]
    if numbers[1] == 5:
        raise UsageError("does not start")
    change = 0.2 if numbers[1] >= 6 else 0.01
    verdict = "regression" if change > 0.1 else "no change"
    judged = Judgement("infer/x", "cpu-1", "latency", verdict, change=change, visible=0.01)  # type: ignore[arg-type]
    return Comparison(base.label, head.label, (judged,), 1, 1)


def test_bisection_finds_the_commit(repository: Path) -> None:
    for number in (3, 4, 6, 7, 8, 9, 10):
        commit(repository, f"number {number}", scenarios__x_py=f"one = {number}\n")
    found = bisect.find(repository, "HEAD~7..HEAD", PLAN, Silent(), measure_by_number)
    assert found.exit_code == 1
    assert "number 6" in found.text
    assert len(found.commits) == 1


def test_bisection_steps_over_versions_that_do_not_start(repository: Path) -> None:
    for number in (3, 4, 5, 6, 7):
        commit(repository, f"number {number}", scenarios__x_py=f"one = {number}\n")
    found = bisect.find(repository, "HEAD~5..HEAD", PLAN, Silent(), measure_by_number)
    assert len(found.commits) == 2  # 5 cannot be distinguished from 6
    assert "one of" in found.text


def test_bisection_without_a_regression(repository: Path) -> None:
    commit(repository, "three", scenarios__x_py="one = 3\n")
    found = bisect.find(repository, "HEAD~1..HEAD", PLAN, Silent(), measure_by_number)
    assert found.exit_code == 0
    assert "nothing to look for" in found.text


@pytest.mark.parametrize("span", ["main", "main..", "..main", "a...b"])
def test_a_span_is_two_commits(repository: Path, span: str) -> None:
    with pytest.raises(UsageError):
        bisect.find(repository, span, PLAN, Silent(), measure_by_number)


def test_programs_of_a_cache_that_others_may_write_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFBENCH_CACHE", str(tmp_path))
    assert environments.home() == tmp_path / "environments"
    for folder in (environments.home(), tmp_path):
        folder.chmod(0o777)
        with pytest.raises(UsageError, match="by everybody"):
            environments.home()
        folder.chmod(0o755)
