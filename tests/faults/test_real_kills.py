"""Runs and guards of real scenarios, killed at random moments: what goes on finds it all, once."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.results.store import LAUNCHES, read_run
from bench.results.values import Launch
from tests.conftest import ROOT
from tests.guard.test_live import SCENARIO, scratch
from tests.sweep.test_resuming import heard

__all__ = ["scratch"]
KILLS = 5
WHICH = ("infer/litert-int8", "infer/litert-float16")
RUN = ("run", *WHICH, "--profile", "smoke", "--configuration", "cpu-1")
pytestmark = [pytest.mark.slow, pytest.mark.launches]
Begin = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def begin(cache: Path) -> Begin:
    """Starts the command line in a process of its own."""

    def start(*arguments: str, cwd: Path = ROOT) -> subprocess.Popen[str]:
        environment = os.environ | {"TFBENCH_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "tfbench", *arguments], cwd=cwd, env=environment, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=heard,
        )  # fmt: skip

    return start


def end(process: subprocess.Popen[str], code: int) -> None:
    _, errors = process.communicate(timeout=600)
    assert process.returncode == code, errors


def identity(launch: Launch) -> tuple[object, ...]:
    """Which piece of the plan it is, and how it went."""
    return (launch.purpose, launch.group, launch.scenario, launch.configuration, launch.role,
            launch.side, launch.index, launch.outcome)  # fmt: skip


def found(folder: Path) -> Counter[tuple[object, ...]]:
    return Counter(map(identity, read_run(folder).launches))


def lines(folder: Path) -> int:
    path = folder / LAUNCHES
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.faults(
    "Around it",
    {"SIGKILL at 5 random moments of real scenarios": "`--resume` finds the same set, none twice"},
)
def test_a_run_of_real_scenarios(begin: Begin, tmp_path: Path) -> None:
    end(begin(*RUN, "--out", str(tmp_path / "whole")), 0)
    whole = lines(tmp_path / "whole")
    rng, folder, kills, begun = random.Random(5), tmp_path / "run", 0, 0
    while kills < KILLS:
        if (folder / "run.json").exists() and "ended" in read_run(folder).facts:
            begun += 1
            folder = tmp_path / f"run{begun}"
        going_on = (folder / "run.json").exists()
        kept = lines(folder)  # in launches: a slow machine has its own seconds
        moment = rng.randint(kept, (kept + whole) // 2)
        process = begin(*(("run", "--resume") if going_on else (*RUN, "--out")), str(folder))
        while lines(folder) < moment and process.poll() is None:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 1.5))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
        print(f"killed {kills} times, {lines(folder)} launches are kept", flush=True)
    end(begin("run", "--resume", str(folder)), 0)
    for each in {tmp_path / "run", folder}:
        assert found(each) == found(tmp_path / "whole")
    assert set(found(folder).values()) == {1}


@pytest.mark.faults(
    "Around it", {"the cache is removed in the middle": "rows `failed`, with what is missing"}
)
def test_a_cache_that_goes_away(begin: Begin, tmp_path: Path) -> None:
    folder, cache = tmp_path / "run", tmp_path / "cache"
    process = begin(*RUN, "--out", str(folder), "--cache", str(cache))
    while not lines(folder) and process.poll() is None:
        time.sleep(0.05)
    shutil.rmtree(cache)
    end(process, 4)
    rows = read_run(folder).effects.rows
    assert {row.status for row in rows} <= {"ok", "failed"}
    assert all("cache" in row.reason for row in rows if row.status != "ok")


@pytest.mark.faults(
    "Around it",
    {"SIGKILL of a guard over real scenarios in turns": "`--resume` decides, nothing twice"},
)
def test_a_guard_of_real_scenarios(begin: Begin, scratch: Path, tmp_path: Path) -> None:
    out, kept = tmp_path / "out", 0
    rng = random.Random(6)
    first = ("guard", SCENARIO, "--base", "HEAD~1", "--budget", "240s", "--out", str(out))
    for number in range(2):
        process = begin(*(("guard", "--resume", str(out)) if number else first), cwd=scratch)
        kept = lines(out)
        while lines(out) < kept + 3 + number and process.poll() is None:  # two probes come first
            time.sleep(0.05)
        time.sleep(rng.uniform(0.0, 1.0))
        assert process.poll() is None, process.communicate()[1]
        process.kill()
        process.communicate()
        kept = lines(out)
    end(begin("guard", "--resume", str(out), cwd=scratch), 1)
    verdicts = {
        each["metric"]: each["verdict"]
        for each in json.loads((out / "guard.json").read_text())["judgements"]
    }
    assert (verdicts["size"], verdicts["latency"]) == ("regression", "regression")
    assert set(found(out).values()) == {1}
    assert lines(out) > kept
