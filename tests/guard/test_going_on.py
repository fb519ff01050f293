"""A guard goes on where it was cut: the same decisions, nothing twice; what changed is named."""

from __future__ import annotations

import dataclasses
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.guard.checkouts import states, worktrees
from bench.guard.comparison.values import REGRESSION, Comparison
from bench.guard.loop import going_on
from bench.guard.loop.journal import STEPS
from bench.results.as_json import to_json
from bench.results.errors import StoreError, UsageError
from bench.results.store import LAUNCHES, Run, RunFolder, read_run
from tests.conftest import ROOT
from tests.guard.repositories import commit, git
from tests.guard.standin import BUDGET_S, Pretended, guard
from tests.sweep.test_resuming import heard


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Comparison]:
    """A comparison without interruption."""
    folder = tmp_path_factory.mktemp("whole") / "guard"
    return folder, guard(folder, "begin", Pretended())


def steps(folder: Path) -> list[str]:
    """What was asked, in order."""
    lines = (folder / STEPS).read_text().split("\n")[:-1]  # the last one may have been cut short
    return [json.loads(line)["what"] for line in lines]


def launches(folder: Path) -> list[dict[str, object]]:
    return [to_json(launch) for launch in read_run(folder).launches]


def same(found: Comparison, wanted: Comparison) -> bool:
    assert found.seconds == pytest.approx(wanted.seconds)
    assert found.seconds < BUDGET_S
    return dataclasses.replace(found, seconds=wanted.seconds) == wanted


def test_the_whole_has_all_parts(whole: tuple[Path, Comparison]) -> None:
    folder, found = whole
    assert found.exit_code == REGRESSION
    kinds = {each.partition(" ")[0] for each in steps(folder)}
    assert kinds == {"begun", "probe", "screen", "restart", "confirm", "operations"}
    left_out = "turns left out, for the machine or its processes stood still in them: 2"
    assert found.warnings == ("it is odd", "it is large", left_out)


@pytest.mark.parametrize("torn", [0, 1, 33])
def test_cut_after_any_step_it_decides_as_without(
    torn: int, tmp_path: Path, whole: tuple[Path, Comparison]
) -> None:
    """Torn: launches were written, their step was not, or not whole."""
    folder, wanted = whole
    asked, lines = steps(folder), (folder / STEPS).read_text().splitlines(keepends=True)
    text = (folder / LAUNCHES).read_text().splitlines(keepends=True)
    for cut in range(torn % 5, len(lines), 5):
        place = tmp_path / f"{cut}"
        RunFolder.create(place).write_facts(dict(read_run(folder).facts))
        number = sum(json.loads(line).get("launches", 0) for line in lines[: cut + bool(torn)])
        (place / STEPS).write_text("".join(lines[:cut]) + (lines[cut][: torn - 1] if torn else ""))
        (place / LAUNCHES).write_text("".join(text[:number]))
        source = Pretended()
        found = guard(place, "resume", source)
        assert same(found, wanted)
        assert steps(place) == asked
        assert launches(place) == launches(folder)
        again = [f"{stage} {id}@cpu-1 {index}" for id, stage, index in source.launcher.timed]
        rest = [each for each in asked[cut:] if each.startswith(("screen", "confirm"))]
        assert again == rest, "what was kept was measured again"


def cut(folder: Path, place: Path, steps: int, launches: int) -> None:
    """A copy of what a comparison had kept after so many steps and launches."""
    RunFolder.create(place).write_facts(dict(read_run(folder).facts))
    for name, lines in ((STEPS, steps), (LAUNCHES, launches)):
        (place / name).write_text("".join((folder / name).read_text().splitlines(True)[:lines]))


def test_both_sides_are_probed_on_the_same_day(
    tmp_path: Path, whole: tuple[Path, Comparison]
) -> None:
    folder, wanted = whole
    cut(folder, tmp_path / "guard", 3, 5)  # the third pair's first probe was written alone
    source = Pretended()
    assert same(guard(tmp_path / "guard", "resume", source), wanted)
    assert [id for id, _ in source.launcher.probed] == ["infer/slow"] * 2 + ["infer/large"] * 2


def test_time_spent_on_probes_before_counts(tmp_path: Path, whole: tuple[Path, Comparison]) -> None:
    folder, _ = whole
    cut(folder, tmp_path / "guard", 3, 4)
    times = [json.loads(line)["until_s"] for line in (folder / STEPS).read_text().splitlines()]
    source = Pretended()
    guard(tmp_path / "guard", "resume", source)
    assert source.launcher.spent == [pytest.approx(times[2] - times[0]), 0.0, 0.0, 0.0]


def test_one_that_ended_is_reported_again_without_measuring(
    tmp_path: Path, whole: tuple[Path, Comparison]
) -> None:
    folder, wanted = whole
    source = Pretended()
    assert same(guard(folder, "resume", source), wanted)
    assert source.launcher.timed == []
    assert source.launcher.restarts == 0


def begin(folder: Path, how: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.guard.standin", str(folder), how, str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stderr=subprocess.PIPE, preexec_fn=heard)


def written(folder: Path, lines: int) -> bool:
    path = folder / STEPS
    return path.exists() and path.read_text().count("\n") >= lines


@pytest.mark.faults(
    "Around it", {"SIGKILL and signals to `guard`": "`--resume` decides the same, nothing twice"}
)
def test_ended_at_random_moments_it_finds_the_same(
    tmp_path: Path, whole: tuple[Path, Comparison]
) -> None:
    rng, folder, ends = random.Random(3), tmp_path / "guard", 0
    while True:
        before = len(steps(folder)) if (folder / STEPS).exists() else 0
        process = begin(folder, "resume" if before else "begin", 0.1 if ends < 4 else 0.0)
        number = rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
        until = before + rng.randrange(1, 12)
        if ends < 4:
            while process.poll() is None and not written(folder, until):
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 0.2))
            process.send_signal(number)
        code = process.wait(60)
        if code == REGRESSION:
            break
        assert code in (130, -number), process.communicate()[1]
        ends += 1
    assert ends == 4
    assert launches(folder) == launches(whole[0])
    assert steps(folder) == steps(whole[0])


def test_a_journal_of_another_plan_is_refused(
    tmp_path: Path, whole: tuple[Path, Comparison]
) -> None:
    place = tmp_path / "guard"
    RunFolder.create(place).write_facts(dict(read_run(whole[0]).facts))
    (place / LAUNCHES).write_text((whole[0] / LAUNCHES).read_text())
    for line, said in (
        ("not json\n", "line 1 is damaged"),
        ('{"what": "begun", "until_s": "x"}\n', r"step\.until_s"),
        ('{"what": "begun", "until_s": 1, "launches": -1}\n', r"step\.launches"),
        ('{"what": "begun", "until_s": 1, "launches": 1}\n', "has 1 launches and not 0"),
        ('{"what": "begun", "until_s": 1, "launches": 9999}\n', "does not hold: start anew"),
        ('{"what": "restart", "until_s": 1}\n', "holds 'restart' where 'begun' belongs"),
    ):
        (place / STEPS).write_text(line)
        with pytest.raises(StoreError, match=said):
            guard(place, "resume", Pretended())


# --- what changed -----------------------------------------------------------------------------

FILES = {"work.py": "x = 1\n", "notes.txt": "a\n"}


def test_the_working_tree_is_known_by_commit_and_changes(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    first = commit(folder, "first", FILES)
    clean = states.working_tree(folder)
    assert clean == {"folder": ".", "commit": first, "changes": {}}
    (folder / "model.bin").write_text("what a benchmark wrote")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/work.pyc").write_text("")
    assert states.working_tree(folder) == clean
    (folder / "notes.txt").write_text("b\n")
    (folder / "new.py").write_text("y = 1\n")
    (folder / "work.py").unlink()
    changes = states.working_tree(folder)["changes"]
    assert changes.keys() == {"notes.txt", "new.py", "work.py"}
    assert changes["work.py"] == states.GONE
    before = changes["new.py"]
    (folder / "new.py").write_text("y = 2\n")
    assert states.working_tree(folder)["changes"]["new.py"] != before


def test_compiled_code_counts_though_git_ignores_it(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    commit(folder, "first", {**FILES, ".gitignore": "*.so\n*.pyd\n*.log\nenv/\nbuild/\n"})
    (folder / "env").mkdir()
    (folder / "env/pyvenv.cfg").touch()
    for place in ("env/lib", "build/lib", ".hidden", "src/fast"):
        (folder / place).mkdir(parents=True)
        (folder / place / "core.so").write_text("1")
    (folder / "src/run.log").write_text("what a benchmark wrote")
    before = states.working_tree(folder)
    assert before["changes"].keys() == {"src/fast/core.so"}
    assert states.working_tree(folder / "src")["changes"] == before["changes"]
    (folder / "src/fast/core.so").write_text("2")
    assert states.working_tree(folder) != before


def test_outside_of_git_all_code_counts(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text("x = 1\n")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/other.py").write_text("x = 1\n")
    assert states.working_tree(tmp_path)["changes"].keys() == {"work.py"}


def test_what_is_installed_is_known() -> None:
    found = states.packages(sys.executable)
    assert found["python"] == sys.version.split()[0]
    assert "numpy" in found
    with pytest.raises(UsageError, match="does not say what is installed"):
        states.packages("/no/python")


@pytest.mark.faults(
    "Around it", {"a guard's code, settings or packages changed": "`--resume` names it and refuses"}
)
@pytest.mark.parametrize(
    ("part", "key", "value", "said"),
    [
        ("head", "commit", "ff", r"commit: ab → ff"),
        ("head", "changes", {"work.py": "22"}, r"work\.py: 11 → 22"),
        ("head", "changes", {}, r"work\.py: 11 → none"),
        ("head", "packages", {"numpy": "3"}, r"numpy: 2 → 3"),
        ("base", "packages", {"numpy": "3"}, r"the base's numpy: 2 → 3"),
        ("plan", "budget_s", 90.0, r"budget_s: 60.0 → 90.0"),
        (
            "plan",
            "limits",
            {"noisy": "c"},
            r"limits\.noisy: cpu-all → c",
        ),
        ("files", "net.keras", "2", r"net\.keras: 1 → 2"),
    ],
)
def test_what_changed_is_named_in_a_line(part: str, key: str, value: object, said: str) -> None:
    own = {
        "head": {"commit": "ab", "changes": {"work.py": "11"}, "packages": {"numpy": "2"}},
        "base": {"commit": "cd", "packages": {"numpy": "2"}},
        "plan": {"budget_s": 60.0, "limits": {"noisy": "cpu-all"}},
        "code": "x",
        "files": {"net.keras": "1"},
    }
    then = {"guard": own, "environment": {"host": "a"}}
    run = Run(Path("out"), then, [])
    going_on.check(run, then)
    now = {**then, "guard": {**own, part: {**own[part], key: value}}}  # type: ignore[dict-item]
    with pytest.raises(UsageError, match=f"out cannot go on, for this has changed: {said}\\. "):
        going_on.check(run, now)
    with pytest.raises(UsageError, match=r"changed: host: a → b"):
        going_on.check(run, {**then, "environment": {"host": "b"}})


@pytest.mark.faults("Around it", {"SIGKILL of `guard`": "the next one removes its worktrees"})
def test_worktrees_that_a_killed_guard_left_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    commit(folder, "first", FILES)
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from bench.guard.checkouts import worktrees\n"
        "with worktrees.checkout(Path(sys.argv[1]), 'HEAD', sys.executable, own=False) as base:\n"
        "    print(base.root, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    left = Path(done.stdout.strip())
    assert left.is_dir()
    with (
        worktrees.checkout(folder, "HEAD", sys.executable, own=False) as one,
        worktrees.checkout(folder, "HEAD", sys.executable, own=False) as two,
    ):
        assert not left.parent.exists()
        assert one.root.is_dir()  # in use: the other leaves it alone
        assert two.root.is_dir()
    assert git(folder, "worktree", "list").count("\n") == 0
