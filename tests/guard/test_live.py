"""One real comparison: a change committed to a scratch repository, found through `--base`."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from research.planted import plants

pytestmark = pytest.mark.launches

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = "infer/litert-float32"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The code as it is, committed, then a slower and larger version on top."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    for name in ("bench", "scenarios"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)

    def git(*arguments: str) -> None:
        author = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "before")
    plants.slow_scenario(folder, SCENARIO, 1.0)
    plants.larger(folder)
    git("commit", "-qam", "slower and larger")
    return folder


def test_planted_changes_are_found(
    scratch: Path, tmp_path: Path, tfbench: Command, smoke_run: Path
) -> None:
    """The model that `smoke_run` has trained is in the cache: the budget is for launches."""
    out = tmp_path / "out"
    done = tfbench(
        "guard", SCENARIO, "--base", "HEAD~1", "--budget", "150s", "--out", str(out), cwd=scratch
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads((out / "guard.json").read_text())
    verdicts = {j["metric"]: j for j in found["judgements"]}
    assert verdicts["size"]["verdict"] == "regression"
    assert verdicts["size"]["change"] == pytest.approx(0.01, abs=1e-3)
    assert verdicts["latency"]["change"] > 0.3  # twice the time, on however busy a machine
    assert verdicts["accuracy"]["verdict"] == "no change"
    assert "1.0" in (out / "guard.md").read_text()
    assert (out / "launches.jsonl").read_text().count('"side": "head"') > 8


def test_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfbench.command.cli import main

    monkeypatch.chdir(ROOT)
    for arguments, hint in (
        ([], "--base REF"),
        (["--base", "HEAD", "--baseline", str(tmp_path)], "--base REF"),
        (["--base", "no-such-ref"], "no commit"),
        (["--base", "HEAD", "--budget", "soon"], "write 90s"),
        (["--base-python", "/no/such/python"], "cannot start"),
        (["--baseline", str(tmp_path)], "holds none"),
    ):
        assert main(["guard", *arguments]) == 2, arguments
        told = capsys.readouterr().err
        assert hint in told
        assert len(told.strip().splitlines()) == 1
