"""The GitHub Action's own steps, run as they stand, in a user's repository made on the spot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.guard.repositories import commit, git

yaml = pytest.importorskip("yaml")
ACTION = yaml.safe_load((ROOT / ".github/actions/guard/action.yml").read_text())
EXPRESSION = re.compile(r"\$\{\{ (?:inputs\.)?([\w.-]+) \}\}")
GITHUB = {
    "github.token": "secret",
    "github.repository": "someone/something",
    "github.event.pull_request.number": "7",
}
GH = """#!/bin/sh
echo "$@" >> "$GH_LOG"
case "$*" in *--paginate*) cat "$GH_OLD" ;; esac
"""


def step(name: str) -> dict[str, Any]:
    """A step of the action by its name."""
    found: dict[str, Any] = next(s for s in ACTION["runs"]["steps"] if s.get("name") == name)
    return found


class Job:
    """A job of a pull request in a user's repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mine = folder / "mine"
        (folder / "bin").mkdir()
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        code += "from tfbench.command.cli import main\nsys.exit(main(sys.argv[1:]))\n"
        self._program("tfbench", f"#!{sys.executable} -P\n{code}")
        self._program("gh", GH)
        (folder / "old").touch()

    def _program(self, name: str, text: str) -> None:
        (self.folder / "bin" / name).write_text(text)
        (self.folder / "bin" / name).chmod(0o755)

    def run(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run a step with these inputs, others having their defaults."""
        given = {key: str(each.get("default", "")) for key, each in ACTION["inputs"].items()}
        values = given | inputs | GITHUB
        variables = {
            key: EXPRESSION.sub(lambda match: values[match[1]], text)
            for key, text in step(name)["env"].items()
        }
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step(name)["run"]],
            cwd=self.mine, capture_output=True, text=True,
            env=os.environ | variables | {
                "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "GITHUB_ACTIONS": "true",
                "GITHUB_BASE_REF": "main",
                "GITHUB_ACTION_PATH": str(ROOT / ".github/actions/guard"),
                "GH_LOG": str(self.folder / "log"),
                "GH_OLD": str(self.folder / "old"),
            },
        )  # fmt: skip


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A clone of a repository, on a branch whose program starts one more process."""
    job = Job(tmp_path)
    text = "import subprocess\nsubprocess.run(['true'])\n"
    commit(tmp_path / "origin", "before", {"program.py": text})
    subprocess.run(["git", "clone", "-q", str(tmp_path / "origin"), str(job.mine)], check=True)
    git(job.mine, "checkout", "-qb", "change")
    commit(job.mine, "one more", {"program.py": text + "subprocess.run(['true'])\n"})
    return job


def test_every_expression_is_one_that_the_test_knows() -> None:
    for each in ACTION["runs"]["steps"]:
        if "run" in each:
            assert "${{" not in each["run"], "steps take values from their environment"
            for text in each["env"].values():
                assert "${{" not in EXPRESSION.sub("", text), text


def test_a_pull_request_is_compared_and_its_comment_replaced(job: Job) -> None:
    done = job.run("Install", tfbench="echo installed", install="echo 'and mine'")
    assert done.stdout.split("\n")[:2] == ["installed", "and mine"], done.stderr
    command = f"{sys.executable} -S -E program.py"
    done = job.run("Compare", command=command, budget="12s")
    assert done.returncode == 1, done.stderr
    assert "exit-code=1" in (job.folder / "output").read_text()
    summary = (job.folder / "summary").read_text()
    assert summary.startswith("<!-- tfbench guard -->\n### 🔴 tfbench guard: REGRESSION")
    assert "::error title=REGRESSION" in done.stdout
    for old in ("", "41\n"):
        (job.folder / "old").write_text(old)
        assert job.run("Comment").returncode == 0
    first, second = [x for x in (job.folder / "log").read_text().splitlines() if "body=" in x]
    assert first.startswith("api repos/someone/something/issues/7/comments")
    assert second.startswith("api -X PATCH repos/someone/something/issues/comments/41")


def test_wrong_input_fails_with_a_line(job: Job) -> None:
    done = job.run("Compare", calls="no.py", budget="5s")
    assert done.returncode == 2
    assert "there is no such file" in done.stderr
    assert "exit-code=2" in (job.folder / "output").read_text()
