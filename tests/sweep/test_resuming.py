"""A run goes on where it was cut, with nothing lost and nothing twice; what changed is named."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.results.errors import StoreError, UsageError
from bench.results.store import LAUNCHES, Run, RunFolder, read_run
from bench.results.values import Launch
from bench.sweep import recording, resuming
from bench.sweep.planning import Plan
from bench.sweep.settings import PROFILES
from tests.conftest import ROOT

from .standin import SCENARIOS, WORLD
from .worlds import CPU, run

PLAN = Plan(SCENARIOS, (CPU,), PROFILES["quick"])


def begin(folder: Path, how: str, seconds: float, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sweep.standin", str(folder), how, str(seconds), *more]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=heard)  # fmt: skip


def heard() -> None:
    """Ignore no signal: tests that run in the background, or under nohup, inherit that."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


def result(folder: Path) -> list[str]:
    """What a run found, in whatever order, without times."""
    found = [(x.scenario, x.purpose, x.group, x.role, x.index, x.level, x.warnings)
             for x in read_run(folder).launches]  # fmt: skip
    return sorted(map(repr, found))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("whole") / "run"
    process = begin(folder, "run", 0.0)
    assert process.wait(60) == 0, process.communicate()[1]
    assert "ended" in read_run(folder).facts
    return result(folder)


def killed(folder: Path, kills: int, rng: random.Random) -> int:
    """Kill a run and what goes on with it at random moments, until it ends; returns how often."""
    count, how = 0, "run"
    while True:
        process = begin(folder, how, 0.03)
        if count < kills:
            time.sleep(rng.uniform(0.0, 2.0))
            process.kill()
        code = process.wait(60)
        assert code in (0, -signal.SIGKILL), process.communicate()[1]
        count += code != 0
        how = "resume" if (folder / "run.json").exists() else "run"
        if how == "run" and folder.exists():
            for left in folder.iterdir():
                left.unlink()
        if code == 0:
            return count


@pytest.mark.faults("Around it", {"SIGKILL of the run": "`--resume` finds the same, nothing twice"})
def test_a_killed_run_goes_on(tmp_path: Path, whole: list[str]) -> None:
    assert killed(tmp_path / "run", 3, random.Random(1)) >= 1
    assert result(tmp_path / "run") == whole


@pytest.mark.slow
@pytest.mark.faults(
    "Around it", {"SIGKILL at 50 random moments": "`--resume` finds the same, nothing twice"}
)
def test_runs_killed_at_random_moments_find_the_same(tmp_path: Path, whole: list[str]) -> None:
    rng, kills, number = random.Random(2), 0, 0
    while kills < 50:
        kills += killed(tmp_path / f"run{number}", 8, rng)
        assert result(tmp_path / f"run{number}") == whole
        number += 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.faults(
    "Around it", {"Ctrl-C, SIGTERM, SIGHUP": "the report is written, how to go on is said"}
)
def test_a_signal_ends_it_in_good_order(tmp_path: Path, name: str, whole: list[str]) -> None:
    folder = tmp_path / "run"
    process = begin(folder, "run", 0.2)
    while not (folder / LAUNCHES).exists():
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    assert process.wait(10) == 130
    assert "interrupted" in read_run(folder).facts
    assert begin(folder, "resume", 0.0).wait(60) == 0
    assert result(folder) == whole
    facts = read_run(folder).facts
    assert "interrupted" not in facts
    assert [each["differs"] for each in facts["resumed"]] == [[]]


@pytest.mark.faults("Around it", {"the same, twice": "it ends now"})
def test_a_second_signal_ends_it_now(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = begin(folder, "run", 0.2, "stubborn")
    while not (folder / LAUNCHES).exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert process.stdout.readline() == "interrupted\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert "stopped now" in process.communicate()[1]


@pytest.mark.faults("Around it", {"two runs into one folder": "the second is refused"})
def test_two_cannot_measure_into_one_folder(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run") as first:
        first.write_facts({})
        with pytest.raises(StoreError, match="another tfbench measures into"):
            RunFolder.reopen(tmp_path / "run")
        with pytest.raises(StoreError, match=r"choose another --out, or go on with it by --resume"):
            RunFolder.create(tmp_path / "run")
    RunFolder.reopen(first.folder)


def test_what_was_cut_while_it_was_written_is_dropped() -> None:
    _, found = run(PLAN, WORLD)
    for end in range(1, len(found)):
        kept = resuming.whole(PLAN, found[:end])
        assert kept == found[: len(kept)]
        _, again = run(PLAN, WORLD, kept)
        assert sorted(map(repr, again)) == sorted(map(repr, found))


def test_a_line_cut_short_is_repaired(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert begin(folder, "run", 0.0).wait(60) == 0
    text = (folder / LAUNCHES).read_text()
    (folder / LAUNCHES).write_text(text[: len(text) // 2])
    assert begin(folder, "resume", 0.0).wait(60) == 0
    assert len(read_run(folder).launches) == text.count("\n")


# --- what changed -----------------------------------------------------------------------------

HERE: dict[str, Any] = {
    "environment": {"host": "a", "cpu": "x", "python": "3.11.7", "kernel": "6.1",
                    "packages": {"keras": "3.1"}, "variables": {}},
    "code": "1234", "git": {"commit": "abcdefgh1"}, "files": {"net.keras": "99"},
    "workload_spec": {"model": "net.keras"}, "workload": {"line": "classification", "notes": []},
    "configurations": [{"name": "cpu-1", "threads": 1, "cpus": [0]}], "command": "tfbench",
}  # fmt: skip


def changed(**changes: Any) -> dict[str, Any]:
    return json.loads(json.dumps(HERE)) | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"workload": {"line": "classification", "notes": ["other words"]}}, []),
        ({"code": "5678", "git": {"commit": "ijklmnopq"}}, ["code: abcdefgh → ijklmnop"]),
        ({"code": "5678"}, ["code: 1234 → 5678"]),
        ({"files": {"net.keras": "11"}}, ["net.keras: 99 → 11"]),
        ({"workload": {"line": "regression"}}, ["workload's line: classification → regression"]),
        ({"environment": HERE["environment"] | {"packages": {"keras": "3.2"}}},
         ["keras: 3.1 → 3.2"]),
        ({"environment": HERE["environment"] | {"variables": {"TF_X": "1"}, "kernel": "6.2"}},
         ["kernel: 6.1 → 6.2", "TF_X: none → 1"]),
    ],
)  # fmt: skip
def test_what_changed_is_named(changes: dict[str, Any], said: list[str]) -> None:
    assert resuming.differences(HERE, changed(**changes)) == said


def go_on(launches: list[Launch], force: bool = False, **changes: Any) -> resuming.Continued:
    earlier = Run(Path("runs/x"), HERE, launches)
    return resuming.go_on(earlier, changed(**changes), PLAN, force)


@pytest.mark.faults(
    "Around it", {"code, packages or workload changed since": "`--resume` names it and refuses"}
)
def test_a_change_refuses_or_is_written_into_the_run() -> None:
    with pytest.raises(UsageError, match=r"changed: code: 1234 → 5678. .* --force"):
        go_on([], code="5678")
    found = go_on([], force=True, code="5678")
    assert found.facts["resumed"][0]["differs"] == ["code: 1234 → 5678"]
    assert found.facts["code"] == "5678"
    said = resuming.warnings(found.facts)
    assert said == ["in the middle of the run this changed: code: 1234 → 5678"]


@pytest.mark.faults("Around it", {"`--resume` on another machine": "a column of its own"})
def test_on_another_machine_the_rest_is_measured_in_a_column_of_its_own() -> None:
    there = HERE["environment"] | {"host": "b", "packages": {"keras": "3.2"}}
    _, found = run(PLAN, WORLD)
    cut = [x for x in found if not (x.group == "train/a@c" and x.index > 1)]
    first = go_on(cut, environment=there)
    assert [c.name for c in first.configurations] == ["c@b"]
    assert first.wanted == {"train/b", "train/c"}
    assert [c["name"] for c in first.facts["configurations"]] == ["cpu-1", "c@b"]
    assert first.facts["environment"]["host"] == "a"
    again = resuming.go_on(Run(Path("x"), first.facts, cut), changed(environment=there), PLAN,
                           force=False)  # fmt: skip
    assert ([c.name for c in again.configurations], again.wanted) == (["c@b"], first.wanted)
    back = resuming.go_on(Run(Path("x"), first.facts, cut), HERE, PLAN, force=False)
    assert ([c.name for c in back.configurations], back.wanted) == (["c"], None)


def test_an_older_run_cannot_go_on() -> None:
    with pytest.raises(StoreError, match="kept too little to go on"):
        recording.settings_of({"settings": {}}, "runs/x")


def test_digests_change_with_what_they_are_of(tmp_path: Path) -> None:
    from bench.results.values import WorkloadSpec

    model, data = tmp_path / "net.keras", tmp_path / "photos"
    data.mkdir()
    model.write_bytes(b"one")
    (data / "a.npy").write_bytes(b"one")
    spec = WorkloadSpec(model=str(model), data=f"images:{data}")
    before = recording.files(spec)
    assert before.keys() == {str(model), str(data)}
    (data / "a.npy").write_bytes(b"two")
    after = recording.files(spec)
    assert before[str(model)] == after[str(model)]
    assert before[str(data)] != after[str(data)]
    assert recording.files(WorkloadSpec()) == {}
    (tmp_path / "net.py").write_text("import layers_of_mine\n")
    (tmp_path / "layers_of_mine.py").write_text("")
    named = recording.files(WorkloadSpec(data="", model=f"{tmp_path}/net.py:build"))
    assert {Path(name).name for name in named} == {"net.py", "layers_of_mine.py"}
    one = recording.code_digest()
    (tmp_path / "mine.py").write_text("x = 1")
    assert recording.code_digest([tmp_path]) != one
