"""Other people's models: what applies is measured, what does not says why before time is spent."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.results.store import Run, read_run
from bench.results.values import Scenario
from bench.sweep.applying import Facts
from bench.sweep.outlook import look
from bench.sweep.preloaded import Pool
from bench.sweep.settings import load
from tests.checks import saw
from tests.command.test_cli import refused
from tests.conftest import ROOT
from tfbench.command.running import told

Cli = Callable[..., subprocess.CompletedProcess[str]]


def scenario(id: str, *needs: str, unit: str = "step") -> Scenario:
    kind = id.partition("/")[0]
    return Scenario(id, kind, "", "m", "f", "p", 1, needs=needs, unit=unit)  # type: ignore[arg-type]


def test_an_outlook_counts_launches_and_time() -> None:
    settings = load(None, {"profile": "smoke", "configuration": "cpu-1"})
    base, candidate = scenario("infer/a"), scenario("infer/b")
    job, other = scenario("train/c", unit="job"), scenario("infer/d", "package:no_such_package")
    ended = scenario("infer/f", "tensorflow<2.18")
    every = (base, candidate, job, other, scenario("infer/e"), ended)
    groups = [[base, candidate, other, ended], [job]]
    facts = Facts(frozenset(), line="binary classification")
    found = look(every, {"infer/e": "no graph"}, groups, settings, facts, 2.0, trains=True)
    assert [s.id for s in found.measured] == ["infer/a", "infer/b", "train/c"]
    assert found.unsupported["infer/e"] == "no graph"
    assert "no_such_package" in found.unsupported["infer/d"]
    assert "needs TensorFlow <2.18, this is 2" in found.unsupported["infer/f"]
    way = re.search(r"--python PATH; (\S+), ([\w ]+)\)", found.unsupported["infer/f"])
    assert way is not None
    section = (ROOT / way[1]).read_text().split(f"## {way[2]}\n")[1].split("\n## ")[0]
    assert "nox -s bench_trt" in section  # where it leads there is an answer
    assert (found.launches, found.jobs) == (3 + 2 * 3, 1)
    profile = settings.profile
    steps_s = 2 * 2 * (profile.warmup_s + profile.member_s)
    assert found.seconds == pytest.approx(2.0 * found.launches + steps_s)
    text = "\n".join(told(found))
    for words in ("binary classification", "would measure 3", "infer/e\n    no graph",
                  "takes about 1 min, and 1 jobs", "after training the baseline"):  # fmt: skip
        assert words in text


@pytest.fixture(scope="module")
def file(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained Keras file."""
    path = tmp_path_factory.mktemp("model") / "small.keras"
    assert saw(pool, "tests.command.saving_checks", str(path))
    return path


def test_a_dry_run_only_looks(tfbench: Cli, file: Path, tmp_path: Path) -> None:
    done = tfbench(
        "run", "infer/litert-int8", "infer/xla", "train/fit", "--exclude", "infer/x*",
        "--model", str(file), "--dry-run", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "classification without labels" in done.stdout
    assert "infer/litert-int8  against infer/litert-float32" in done.stdout
    assert (
        "train/fit, train/function\n    needs training examples with targets: give" in done.stdout
    )
    assert "infer/xla" not in done.stdout
    assert not list(tmp_path.iterdir())


def test_an_unknown_baseline_is_refused(tfbench: Cli, tmp_path: Path) -> None:
    refused(
        tfbench("run", "--baseline", "infer/litert-flot32", "--dry-run", cwd=tmp_path),
        "did you mean infer/litert-float32",
    )
    refused(
        tfbench("run", "--baseline", "infer/tensorrt", "--dry-run", cwd=tmp_path),
        "--baseline infer/tensorrt cannot be measured: needs TensorFlow <2.18",
    )


@pytest.fixture(scope="module")
def measured(tfbench: Cli, file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of that file against LiteRT, without data."""
    out = tmp_path_factory.mktemp("runs") / "any"
    done = tfbench(
        "run", "infer/litert-int8", "infer/eager", "train/fit", "--profile", "smoke",
        "--configuration", "cpu-1", "--model", str(file), "--baseline", "infer/litert-float32",
        "--out", str(out), cwd=out.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "training the shared baseline" not in done.stderr
    assert done.stderr.index("without labels") < done.stderr.index("proof, quality and size")
    return read_run(out)


@pytest.mark.launches
def test_a_trained_file_is_measured_as_it_is(measured: Run) -> None:
    for id in ("infer/litert-int8", "infer/eager"):
        row = measured.effects.row(id, "cpu-1")
        assert row is not None
        assert (row.status, row.baseline) == ("ok", "infer/litert-float32"), row.reason
        assert row.speedup is not None
    workload = measured.facts["workload"]
    assert workload["trained"] is True
    assert workload["data"] == "samples"
    assert "without labels" in workload["line"]
    assert any("drawn" in note for note in workload["notes"])


@pytest.mark.launches
def test_what_does_not_apply_says_why_and_was_not_started(measured: Run) -> None:
    for id in ("train/fit", "train/function"):
        row = measured.effects.row(id, "cpu-1")
        assert row is not None
        assert row.status == "unsupported"
        assert row.reason.endswith("give them by --data")
        assert all(x.wall_s == 0 for x in measured.launches if x.scenario == id)


def test_the_cache_is_cleared_as_the_flags_say(tfbench: Cli, tmp_path: Path) -> None:
    for days, letter in ((40, "a"), (20, "b"), (1, "c")):
        place = tmp_path / (16 * letter) / "123456789abc"
        place.mkdir(parents=True)
        (place / "model.tflite").write_bytes(b"x" * 200_000)
        when = time.time() - days * 86_400
        for each in (*place.rglob("*"), place, place.parent):
            os.utime(each, (when, when))

    def left(*flags: str) -> str:
        done = tfbench("cache", "clear", "--cache", str(tmp_path), *flags)
        assert done.returncode == 0, done.stderr
        return "".join(sorted(each.name[0] for each in tmp_path.glob(16 * "?")))

    assert left("--older-than", "30d", "--max-size", "0MB") == "bc"
    assert left("--max-size", "300KB") == "c"
    assert left("--older-than", "2d") == "c"
    assert left() == ""


def test_the_cache_is_listed(tfbench: Cli, tmp_path: Path) -> None:
    done = tfbench("cache", "list", "--cache", str(tmp_path / "none"))
    assert done.returncode == 0
    assert "0.0 MB" in done.stdout
    (tmp_path / "mine.txt").touch()
    refused(tfbench("cache", "clear", "--cache", str(tmp_path)), "no cache of tfbench", "mine.txt")
