"""`tfbench guard --resume` as users call it: from any folder, with what it was begun with."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.guard.comparison.values import GOOD, INCONCLUSIVE
from bench.guard.loop.journal import STEPS
from bench.results.store import Run, RunFolder
from bench.sweep import recording
from bench.sweep.environment import fingerprint
from bench.sweep.interrupts import Interrupted
from tests.conftest import ROOT
from tests.guard.repositories import commit, git
from tests.guard.test_stored import SPECS, slower
from tests.reports.fabricate import fabricate
from tests.sweep.test_resuming import heard
from tfbench.command import cli, guard_stored, guarding

Captured = pytest.CaptureFixture[str]
FILES = {
    "work.py": "def work():\n    return sum(range(2000))\n",
    "hot.py": "import work\n\n\ndef bench_work():\n    work.work()\n",
    "own.toml": "[tool.tfbench.guard]\nlatency = 0.5\n",
}


def refused(arguments: list[str], captured: Captured) -> str:
    """The one line with which it ends."""
    captured.readouterr()
    assert cli.main(["guard", *arguments]) == 2
    (line,) = captured.readouterr().err.splitlines()
    return line


def interrupted(*_: object, **__: object) -> int:
    raise Interrupted.by("SIGINT")


# --- live -------------------------------------------------------------------------------------


def test_other_options_are_refused(capsys: Captured) -> None:
    for arguments, said in (
        (["infer/x", "--base", "main"], "leave out infer/x, --base"),
        (["--calls", "hot.py", "--budget", "5s"], "leave out --calls, --budget"),
        (["--allow-inconclusive"], "leave out --allow-inconclusive"),
        (["--settings", "own.toml", "--seed", "1"], "leave out --seed, --settings"),
        (["--baseline", "runs", "--out", "x"], "leave out --baseline, --out"),
    ):
        assert said in refused(["--resume", "out", *arguments], capsys)


@pytest.mark.launches
def test_a_branch_that_moved_keeps_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # both times the same packages are there
    mine = tmp_path / "mine"
    first = commit(mine, "first", FILES)
    git(mine, "branch", "stable")
    commit(mine, "second", {"notes.txt": "x"})
    begun = subprocess.Popen(
        [sys.executable, "-m", "tfbench", "guard", "--base", "stable", "--calls", "hot.py",
         "--settings", "own.toml", "--budget", "2m", "--out", "out"],
        cwd=mine, text=True, stderr=subprocess.PIPE, preexec_fn=heard,
    )  # fmt: skip
    steps = mine / "out" / STEPS
    while begun.poll() is None and not (steps.exists() and steps.read_text().count("\n") > 3):
        time.sleep(0.05)
    begun.send_signal(signal.SIGINT)
    said = begun.communicate(timeout=60)[1]
    assert begun.returncode == 130, said
    assert f"to go on: tfbench guard --resume {Path('out')}" in said
    before = steps.read_text()
    git(mine, "branch", "-f", "stable", "HEAD")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["guard", "--resume", "mine/out", "--json"]) in (GOOD, INCONCLUSIVE)
    found = json.loads(capsys.readouterr().out)
    assert found["base"] == f"stable ({first[:9]})"
    assert Path.cwd() == tmp_path
    assert steps.read_text().startswith(before)
    assert steps.read_text() != before
    assert json.loads((mine / "out/guard.json").read_text())["base"] == found["base"]
    (mine / "own.toml").write_text(FILES["own.toml"].replace("0.5", "0.4"))
    assert "limits.defaults.latency: 0.5 → 0.4" in refused(["--resume", "mine/out"], capsys)


# --- with stored runs -------------------------------------------------------------------------


class Cut:
    """A sweep that is interrupted before it measures, and measures when it goes on."""

    def __init__(
        self,
        chosen: Any,
        picked: Any,
        folder: RunFolder,
        *_: object,
        earlier: Run | None,
        **__: Any,
    ) -> None:
        self.folder, self.earlier = folder, earlier
        self.facts = recording.facts(chosen, picked, folder.folder.name, "")

    def run(self) -> None:
        if self.earlier is None:
            self.folder.write_facts(self.facts)
            raise Interrupted.by("SIGINT")
        if not self.earlier.launches:
            self.folder.append(fabricate(self.folder.folder / "new", SPECS, seed=7).launches)
        self.folder.write_facts({**self.earlier.facts, "ended": time.time()})


def stored(folder: Path, specs: Any = SPECS, **facts: object) -> Run:
    return fabricate(folder, specs, facts={"environment": fingerprint(), **facts})


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    """A guard with the stored runs in `runs`, which was interrupted; another run came since."""
    monkeypatch.setattr(guard_stored, "Sweep", Cut)
    monkeypatch.chdir(tmp_path)
    stored(tmp_path / "runs/first")
    assert cli.main(["guard", "--baseline", "runs"]) == 130
    said = re.search(r"to go on: tfbench guard --resume (\S+)", capsys.readouterr().err)
    assert said
    own = tmp_path / said[1]
    assert own.parent == tmp_path / "runs"
    stored(tmp_path / "runs/nightly", slower(1.0), started=time.time())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return own


def test_it_is_compared_with_the_runs_it_was_begun_with(cut: Path, capsys: Captured) -> None:
    for _ in range(2):  # the second time it has ended, and is reported again
        code = cli.main(["guard", "--resume", str(cut), "--json"])
        found = json.loads(capsys.readouterr().out)
        assert found["base"] == "stored run first"
        assert found["head"] == f"run {cut.name}"
        assert code == found["exit_code"]


def test_what_it_left_is_no_base_of_the_next(cut: Path, tmp_path: Path, capsys: Captured) -> None:
    RunFolder(cut).append(fabricate(tmp_path / "some", SPECS).launches)  # it got that far
    shutil.rmtree(tmp_path / "runs/nightly")  # a newer one would be the base anyway
    assert cli.main(["guard", "--baseline", str(cut.parent)]) == 130
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "unfinished" in line]
    assert f"tfbench guard --resume {cut}" in said
    (facts,) = [json.loads(each.read_text()) for each in Path("runs").glob("*/run.json")]
    assert list(facts["guard"]["baseline"]) == [str(cut.parent / "first")]


def edit(place: Path, change: Callable[[dict[str, Any]], object]) -> None:
    facts = json.loads((place / "run.json").read_text())
    change(facts)
    (place / "run.json").write_text(json.dumps(facts))


def shorten(file: Path) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))


def write(place: Path) -> None:
    place.write_text("[tool.tfbench.guard]\nlatency = 0.5\n")


CHANGES: Mapping[str, tuple[Callable[[Path, Path], object], str]] = {
    "launches": (lambda top, own: shorten(top / "runs/first/launches.jsonl"), r"first: \w+ → \w+"),
    "gone": (lambda top, own: shutil.rmtree(top / "runs/first"), r"first: \w+ → none"),
    "workload": (
        lambda top, own: edit(top / "runs/first", lambda x: x["workload"].update(batch=1)),
        r"first: \w+ → \w+",
    ),
    "limits": (
        lambda top, own: write(top / "pyproject.toml"), r"limits\.defaults\.latency: 0\.02 → 0\.5"
    ),
    "none": (
        lambda top, own: edit(own, lambda x: x["guard"].update(baseline={})), "baseline is empty"
    ),
    "folder": (
        lambda top, own: edit(own, lambda x: x["guard"]["asked"].update(folder="/gone")),
        "begun in /gone, which cannot be entered",
    ),
}  # fmt: skip


@pytest.mark.faults(
    "Around it", {"a guard's stored runs changed": "`--resume` names them and refuses"}
)
@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_since_is_refused(
    what: str, cut: Path, tmp_path: Path, capsys: Captured
) -> None:
    change, said = CHANGES[what]
    change(tmp_path, cut)
    assert re.search(said, refused(["--resume", str(cut)], capsys))


# --- a bisection ------------------------------------------------------------------------------


def test_a_bisection_cannot_go_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "leave out --out" in refused(["--bisect", "a..b", "--out", "x"], capsys)
    assert not (tmp_path / "x").exists()
    monkeypatch.setattr(guarding, "_bisect", interrupted)
    assert cli.main(["guard", "--bisect", "a..b"]) == 130
    said = capsys.readouterr().err
    assert said == "tfbench: interrupted by SIGINT; nothing is kept: a bisection starts anew\n"
