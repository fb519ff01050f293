"""What is taken away, filled up or turned around a run while it is measured."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.results import cache_folder
from bench.results.errors import UsageError
from bench.results.store import LAUNCHES, RunFolder, read_run
from bench.results.values import Launch, WorkloadSpec
from bench.sweep import recording
from bench.sweep.pieces import Turns
from bench.sweep.progress import Silent
from bench.sweep.settings import PROFILES, Settings, find_configuration
from tests.conftest import ROOT
from tests.faults.test_standstill import Group
from tests.guard.repositories import commit
from tests.reports.fabricate import Spec, fabricate
from tests.sweep.standin import SCENARIOS, Pretending, Standin
from tests.sweep.test_resuming import begin, result, whole
from tests.sweep.worlds import CPU
from tfbench.command.cli import main

__all__ = ["whole"]
CLOCK = """
import time
real, calls = time.time, 0
def jumping():
    global calls
    calls += 1
    return real() + (100_000 if calls % 2 else -100_000)
time.time = jumping
"""
PAGE = 4096
Where = Callable[[Path], object]


def lines_of(errors: str) -> list[str]:
    return errors.strip().splitlines()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted("tmpfs", "-o", "size=16m", place)
    yield place
    subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)


def mounted(kind: str, *options: object) -> None:
    command = ["mount", "-t", kind, *map(str, options[:-1]), kind, str(options[-1])]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk takes root")


def unmounted(disk: Path) -> None:
    subprocess.run(["umount", "-l", str(disk)], check=True)


def read_only(disk: Path) -> None:
    """Mount the output folder over itself, read-only: a disk that is written to cannot be."""
    folder = str(disk / "run")
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)


GONE = "was removed, renamed or unmounted"


@pytest.mark.faults(
    "Around it",
    {
        "the output folder is removed in the middle": "exit 2, one line",
        "the output folder is renamed in the middle": "exit 2; what was written stays where it is",
        "the output's disk is unmounted in the middle": "exit 2, one line",
        "another folder takes the output folder's place": "exit 2; nothing is written there",
        "the output's disk becomes read-only": "exit 2; what was written stays",
    },
)
@pytest.mark.parametrize(
    ("name", "act", "said"),
    [
        ("run", lambda disk: shutil.rmtree(disk / "run"), GONE),
        ("run", lambda disk: (disk / "run").rename(disk / "r"), GONE),
        ("run", unmounted, GONE),
        ("", unmounted, GONE),
        ("run", read_only, "Read-only file system"),
    ],
    ids=["removed", "renamed", "unmounted", "unmounted itself", "read-only"],
)
def test_where_it_writes_is_taken_away(
    name: str, act: Where, said: str, disk: Path, whole: list[str]
) -> None:
    folder = disk / name
    process = begin(folder, "run", 0.1)
    while not ((folder / LAUNCHES).exists() and (folder / LAUNCHES).stat().st_size):
        time.sleep(0.02)
    act(disk)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert said in errors
    assert len(lines_of(errors)) == 1
    assert act is not unmounted or not list(disk.iterdir())
    if (disk / "r").exists():
        (disk / "r").rename(folder)
        assert begin(folder, "resume", 0.0).wait(60) == 0
        assert result(folder) == whole
    elif act is read_only:
        assert read_run(folder).launches


@pytest.mark.slow
@pytest.mark.faults(
    "Around it",
    {"disk full at any page or file that a run writes": "exit 2; `--resume` finds the same"},
)
@pytest.mark.parametrize(
    ("limit", "unit", "least"), [("size", PAGE, 8), ("nr_inodes", 1, 5)], ids=["pages", "files"]
)
def test_the_disk_is_full_wherever_it_may_be(
    limit: str, unit: int, least: int, tmp_path: Path, whole: list[str]
) -> None:
    """Disks of one page (or file), two, three, and so on, until a run fits; then they grow."""
    place, count, full = tmp_path / "disk", 0, True
    place.mkdir()
    while full:
        count += 1
        mounted("tmpfs", "-o", f"{limit}={count * unit}", place)
        try:
            process = begin(place / "run", "run", 0.0)
            _, errors = process.communicate(timeout=60)
            full = process.returncode != 0
            if full:
                assert (process.returncode, len(lines_of(errors))) == (2, 1), errors
                assert "No space left on device" in errors
            subprocess.run(["mount", "-o", f"remount,{limit}=4096k", str(place)], check=True)
            if full and (place / "run/run.json").exists():
                assert begin(place / "run", "resume", 0.0).wait(60) == 0
                assert result(place / "run") == whole
        finally:
            unmounted(place)
    assert count >= least


def filled(disk: Path, pages: int, command: list[object], **variables: str) -> tuple[int, str]:
    """A command's exit code and last line, with all its files on a disk of so many pages."""
    mounted("tmpfs", "-o", f"size={pages * PAGE}", disk)
    try:
        (disk / "t").mkdir()
        place = {"TMPDIR": str(disk / "t"), "XDG_CACHE_HOME": str(disk / "c")}
        done = subprocess.run(
            [sys.executable, "-m", "tfbench", *map(str, command)], capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **place, **variables}, check=False,
            cwd=disk.parent,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, (lines_of(done.stderr) or [""])[-1]
    finally:
        unmounted(disk)


FULL = re.compile(r"tfbench: .*(No space left on device|is full, make room there)")


@pytest.mark.slow
@pytest.mark.faults(
    "Around it",
    {"disk full at any file of `guard`, or its worktrees": "exit 2, one line; or a verdict"},
)
def test_the_disk_of_a_guard_is_full(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    commit(tmp_path, "one", {"hot.py": "def bench_sum():\n    return sum(range(1000))\n"})
    command = ["guard", "--base", "HEAD", "--calls", "hot.py", "--budget", "3s", "--out"]
    codes = []
    for pages in (4, 24, 48, 60, 72, 80, 88, 96, 2000):
        code, said = filled(disk, pages, [*command, disk / "guard"])
        codes.append(code)
        assert code in (0, 3) or (code == 2 and FULL.match(said)), (pages, code, said)
    assert codes[0] == 2
    assert codes[-1] in (0, 3)


@pytest.mark.slow
@pytest.mark.faults(
    "Around it",
    {"disk full while runs are compared, put together or exported": "exit 2, one line"},
)
def test_the_disk_of_other_commands_is_full(tmp_path: Path, smoke_run: Path) -> None:
    disk, one, other = tmp_path / "disk", tmp_path / "one", tmp_path / "other"
    disk.mkdir()
    fabricate(one, [Spec("infer/function")])
    later = [replace(x, started_s=x.started_s + 1e6) for x in read_run(one).launches]
    with RunFolder.create(other) as place:
        place.write_facts(dict(read_run(one).facts))
        place.append(later)
    export = ["export", smoke_run, "infer/litert-int8", "--no-measure", "--out", disk / "bundle"]
    for pages, command in (
        (2, ["compare", one, other, "--out", disk / "compared"]),
        (2, ["merge", one, other, "--out", disk / "merged"]),
        (20, export),
        (300, export),
    ):
        code, said = filled(disk, pages, command)
        assert (code, bool(FULL.match(said))) == (2, True), said


@pytest.mark.faults("Around it", {"a cache on a read-only disk": "refused, with what to do"})
def test_a_cache_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    mounted("tmpfs", "-o", "ro,mode=755", tmp_path)
    try:
        for place in (tmp_path, tmp_path / "cache"):
            said = r"cannot be written \(Read-only file system\): give a folder .* --cache"
            with pytest.raises(UsageError, match=said), cache_folder.used(str(place)):
                raise AssertionError("it was used")
    finally:
        unmounted(tmp_path)


@pytest.mark.faults(
    "Around it", {"fewer cores than a configuration asks for": "refused, with those there are"}
)
def test_fewer_cores_than_asked_for() -> None:
    there = tuple(sorted(os.sched_getaffinity(0)))
    with pytest.raises(UsageError, match=re.escape(f"asks for cores (0, 999), there are {there}")):
        find_configuration("mine", {"mine": {"cpus": [0, 999]}})


def test_what_a_file_was_is_known(tmp_path: Path) -> None:
    model, other = tmp_path / "net.keras", tmp_path / "data.npz"
    model.write_text("one")
    workload = WorkloadSpec(model=str(model), data=str(other))
    facts = {"files": recording.files(workload)}
    assert recording.changed(facts, workload) == []
    other.write_text("two")
    said = "changed while it was measured: measure again"
    assert recording.changed(facts, workload) == [f"{other} {said}"]


@pytest.mark.faults(
    "Around it", {"the model's file changes while it is measured": "every row warns of it"}
)
def test_a_model_that_changes_while_it_is_measured(tmp_path: Path) -> None:
    model = tmp_path / "net.keras"
    model.write_text("one")

    class Changing(Pretending):
        def turns(self, piece: Turns, traces: Path | None) -> list[Launch]:
            model.write_text(f"launch {piece.index}")
            return super().turns(piece, traces)

    class Changed(Standin):
        executor = Changing

    workload = WorkloadSpec(model=str(model), cache=str(tmp_path / "cache"))
    settings = Settings(PROFILES["quick"], (CPU,), workload)
    with RunFolder.create(tmp_path / "run") as place:
        Changed(settings, SCENARIOS, place, Silent()).run()
    run = read_run(tmp_path / "run")
    line = f"{model} changed while it was measured: measure again"
    assert [line in row.warnings for row in run.effects.rows] == [True] * len(SCENARIOS)
    assert line in (tmp_path / "run/effects.csv").read_text()


NAME = "n" * 10_000


@pytest.mark.faults("Around it", {"names of 10,000 characters": "exit 2, one line, shortened"})
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--model", NAME), ("run", "--data", NAME), ("run", "--data", f"images:{NAME}"),
        ("run", "--data", "n/" * 5000), ("run", "--metric", f"{NAME}.py:f"), ("run", NAME),
        ("run", "--configuration", NAME), ("run", "--settings", NAME), ("run", "--resume", NAME),
        ("run", "--cache", NAME), ("report", NAME), ("compare", NAME, NAME), ("verify", NAME),
        ("guard", "--baseline", NAME), ("merge", NAME, NAME, "--out", "x"), ("list", NAME),
        ("new-scenario", f"infer/{NAME}"),
    ],
)  # fmt: skip
def test_names_longer_than_any_file_s(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(list(arguments)) == 2
    said = capsys.readouterr().err
    assert said.startswith("tfbench: ")
    assert len(lines_of(said)) == 1
    assert len(said) < 1000


@pytest.fixture
def jumping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes whose clock jumps by a day whenever it is read."""
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock/sitecustomize.py").write_text(CLOCK)
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path / "clock"), path])))


@pytest.mark.usefixtures("jumping")
@pytest.mark.faults("In a launch", {"a clock that jumps": "no time or limit depends on it"})
def test_times_and_limits_do_not_follow_the_wall_clock(tmp_path: Path) -> None:
    launches, rows = Group(tmp_path, 60.0, "0").disturbed(lambda group: None)
    assert [each.outcome for each in launches] == ["ok", "ok"]
    assert all(0 < each.wall_s < 60 for each in launches)
    assert all(0 < turn.elapsed_ns < 60e9 for each in launches for turn in each.turns)
    assert len({round(each.started_s / 100_000) for each in launches}) == 2  # it did jump
    assert [row.status for row in rows] == ["ok", "ok"]


@pytest.mark.usefixtures("jumping")
@pytest.mark.faults(
    "Around it",
    {"a clock that jumps between a run and what goes on": "the run reads back, nothing is lost"},
)
def test_a_run_goes_on_though_the_clock_jumps(tmp_path: Path, whole: list[str]) -> None:
    process = begin(tmp_path / "run", "run", 0.05)
    while not (tmp_path / "run" / LAUNCHES).exists():
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert begin(tmp_path / "run", "resume", 0.0).wait(60) == 0
    assert result(tmp_path / "run") == whole
    assert read_run(tmp_path / "run").facts["ended"]
