"""Real comparisons of users' code through the command line: changes far above any noise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.guard.repositories import commit, git

Command = Callable[..., subprocess.CompletedProcess[str]]
WORK = "def inner(n):\n    return sum(range(n))\n\n\ndef work():\n    inner(2000)\n"
SLOWER = (
    "def inner(n):\n    return sum(range(n))\n\n\ndef work():\n    inner(2000)\n    inner(2000)\n"
)
FILES = {
    "work.py": WORK,
    "hot.py": "import work\n\n\ndef bench_work():\n    work.work()\n",
    "tests/test_it.py": "import work\n\n\ndef test_work(benchmark):\n    benchmark(work.work)\n",
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    commit(folder, "before", FILES)
    return folder


def judged(done: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads(done.stdout)
    return {(j["scenario"], j["metric"]): j for j in found["judgements"]}


@pytest.mark.launches
@pytest.mark.parametrize(
    ("arguments", "id"),
    [
        (("--calls", "hot.py"), "hot.py::bench_work"),
        (("--pytest", "tests"), "tests/test_it.py::test_work"),
    ],
)
def test_twice_the_work_is_found_and_named(
    mine: Path, tfbench: Command, arguments: tuple[str, ...], id: str
) -> None:
    (mine / "work.py").write_text(SLOWER)
    done = tfbench("guard", "--base", "HEAD", *arguments, "--budget", "80s", "--json", cwd=mine)
    assert done.returncode == 1, done.stderr
    found = judged(done)[id, "latency"]
    assert found["verdict"] == "regression"
    assert found["change"] > 0.5
    (inner,) = [o for o in found["operations"] if o["name"] == "work.py:inner"]
    assert (inner["base_count"], inner["head_count"]) == (1, 2)
    assert git(mine, "worktree", "list").count("\n") == 0


@pytest.mark.launches
def test_what_a_command_uses_more_of_is_found(mine: Path, tfbench: Command) -> None:
    before = "import subprocess\nsubprocess.run(['true'])\nblock = bytearray(30 << 20)\n"
    commit(mine, "a program", {"train.py": before, "data.txt": "x"})
    (mine / "train.py").write_text(
        "import asyncio, email.mime.text, xml.dom.minidom\n"  # import time
        + before.replace("30 <<", "36 <<")
        + "subprocess.run(['true'])\nopen('data.txt').read()\n"
    )
    command = f"{sys.executable} train.py"
    done = tfbench(
        "guard", "--base", "HEAD", "--command", command, "--budget", "60s", "--json", cwd=mine
    )
    assert done.returncode == 1, done.stderr
    found = {metric: each for (_, metric), each in judged(done).items()}
    for metric in ("cpu_time", "peak_memory", "bytes_read"):
        assert found[metric]["verdict"] == "regression", metric
    if "processes" in found:  # the kernel may not say it
        assert found["files"]["verdict"] == "regression"
        assert (found["processes"]["base"], found["processes"]["head"]) == (2, 3)


@pytest.mark.launches
def test_a_commit_is_found_by_bisection(mine: Path, tfbench: Command) -> None:
    """By an exact figure, which needs little time."""
    text = "import subprocess\n"
    commit(mine, "a program", {"train.py": text})
    for number in range(3):
        extra = "subprocess.run(['true'])\n" if number else ""
        commit(mine, f"number {number}", {"train.py": f"{text}{extra}# {number}\n"})
    command = f"{sys.executable} -S -E train.py"
    done = tfbench(
        "guard", "--bisect", "HEAD~3..HEAD", "--command", command, "--budget", "12s", cwd=mine
    )
    assert done.returncode == 1, done.stderr
    assert "number 1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "id"),
    [
        (("--calls", "hot.py"), "hot.py::bench_work"),
        (("--pytest", "tests", "-k", "work"), "tests/test_it.py::test_work"),
    ],
)
def test_a_commit_is_found_by_bisection_over_functions_and_tests(
    mine: Path, tfbench: Command, arguments: tuple[str, ...], id: str
) -> None:
    """By memory alone, so that nothing is timed."""
    settings = "[tool.tfbench.guard]\nlatency = false\nfirst_step = false\n"
    commit(mine, "settings", {"pyproject.toml": settings})
    for number in range(3):
        held = "kept = bytes(100_000)\n    " if number else ""
        text = WORK.replace("inner(2000)", f"{held}inner(2000)")
        commit(mine, f"number {number}", {"work.py": f"{text}# {number}\n"})
    done = tfbench("guard", "--bisect", "HEAD~3..HEAD", *arguments, "--budget", "5m", cwd=mine)
    assert done.returncode == 1, done.stderr
    assert "number 1" in done.stdout
    assert f"{id}@cpu-1: allocated" in done.stdout


@pytest.mark.faults("Around it", {"SIGTERM to `guard`": "its worktrees are removed"})
def test_a_terminated_guard_leaves_no_worktree(mine: Path) -> None:
    (mine / "train.py").write_text("import time\ntime.sleep(60)\n")
    commit(mine, "it sleeps", {})
    running = subprocess.Popen(
        [sys.executable, "-m", "tfbench", "guard", "--base", "HEAD", "--command",
         f"{sys.executable} train.py"],
        cwd=mine, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _ in range(300):
            if git(mine, "worktree", "list").count("\n"):
                break
            time.sleep(0.1)
        assert git(mine, "worktree", "list").count("\n") == 1
        running.send_signal(signal.SIGTERM)
        running.wait(30)
    finally:
        running.kill()
    assert running.returncode == 130
    assert git(mine, "worktree", "list").count("\n") == 0


def test_wrong_usage(
    mine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfbench.command.cli import main

    monkeypatch.chdir(mine)
    base = ["--base", "HEAD"]
    for arguments, hint in (
        ([*base, "--calls", "hot.py", "--command", "true"], "one of --pytest"),
        ([*base, "-k", "x"], "-k belongs to --pytest"),
        ([*base, "--calls", "hot.py", "--prepare", "true"], "--prepare belongs to --command"),
        ([*base, "--install", "true"], "--install belongs to"),
        ([*base, "--python", "/no"], "--python belongs to"),
        ([*base, "--calls", "no.py"], "no such file"),
        ([*base, "--calls", "hot.py", "--python", "/no"], "cannot start /no"),
        (["--base", "nowhere", "--calls", "hot.py"], "no commit 'nowhere'"),
        (["--baseline", ".", "--calls", "hot.py"], "compare your own code with --base"),
        (["--calls", "hot.py"], "say what to compare with"),
        ([*base, "--command", "false"], "exit status 1"),
    ):
        assert main(["guard", *arguments]) == 2, arguments
        told = capsys.readouterr().err
        assert hint in told, told
        assert len([x for x in told.strip().splitlines() if x.startswith("tfbench:")]) == 1
