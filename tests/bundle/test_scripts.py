"""A scenario's own lines as a script: every one is Python, and some are run."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.bundle import claim as claims
from bench.bundle import places
from bench.bundle.claim import Speed
from bench.bundle.exporting import Subject, export
from bench.bundle.scripts import script
from bench.bundle.verifying import verify
from bench.results.errors import StoreError
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.progress import Silent

pytestmark = pytest.mark.usefixtures("lasting")
KNOWN = {id: each for id, each in discover().items() if each.kind in ("train", "infer")}
SPEC = WorkloadSpec(data="synthetic:8x8x3", epochs=1)


@pytest.mark.parametrize("id", KNOWN)
def test_it_holds_the_scenarios_own_lines(id: str) -> None:
    scenario = KNOWN[id]
    text = script(scenario, ROOT / scenario.path, SPEC)
    compile(text, "scenario.py", "exec")
    assert f"def {scenario.function}(" in text
    assert "@scenario(" not in text
    source = (ROOT / scenario.path).read_text()
    for line in text.partition(f"def {scenario.function}(")[2].partition("\n\n\n")[0].splitlines():
        assert line in source


@pytest.mark.launches
@pytest.mark.parametrize("id", ["train/xla", "infer/litert-int8"])
def test_it_runs(id: str, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "scenario.py").write_text(script(KNOWN[id], ROOT / KNOWN[id].path, SPEC))
    done = subprocess.run(
        [sys.executable, "scenario.py"], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TFBENCH_CACHE": str(cache)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "proof: {" in done.stdout


SPEED = Speed(0.3, 0.2, 0.4, 6, "as the run measured it")
"""Of eager steps, against a step as one graph: modest."""


def subject(**changes: Any) -> Subject:
    known = Subject(
        KNOWN["train/eager"], KNOWN["train/function"], Configuration("cpu-1", 1, (0,)), SPEC,
        SPEED, command="tfbench run train/eager", chosen_among=7,
    )  # fmt: skip
    return dataclasses.replace(known, **changes)


def test_a_training_path_is_exported_as_its_script(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    export(subject(), out, Silent(), measure=False)
    assert {path.name for path in out.iterdir()} == {"claim.json", "scenario.py", "README.md"}
    text = (out / "README.md").read_text()
    assert "chosen among 7, not measured again" in text
    assert "tfbench verify" in text
    with pytest.raises(StoreError, match="not empty"):
        export(subject(), out, Silent())


def signed(bundle: Path, **changes: Any) -> None:
    """Write the claim anew with the digests of the files that are there."""
    claim = dataclasses.replace(claims.read(bundle), files=places.digests(bundle), **changes)
    claims.write(bundle, claim)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    out = tmp_path / "bundle"
    export(subject(), out, Silent(), measure=False)
    return out


def test_another_script_than_this_versions_is_not_measured(bundle: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = bundle / "scenario.py"
    script.write_text(f"open({str(mark)!r}, 'w')\n{script.read_text()}")
    found = verify(bundle, 60.0, Silent())
    assert (found.exit_code, found.checks[0].reason) == (1, "scenario.py changed")
    signed(bundle)
    found = verify(bundle, 60.0, Silent())
    assert found.exit_code == 3
    assert "changed, or of another version" in found.checks[-1].reason
    assert not mark.exists()


@pytest.mark.parametrize(
    "workload",
    [
        {"data": "data.py:load"}, {"model": "model.py:build"}, {"model": "model.keras"},
        {"factory": "all.py:make"}, {"metric": "metric.py:score"}, {"data": "x.npz"},
        {"workloads": "os:system"}, {"weights": "w.h5"}, {"cache": "/tmp/theirs"},
    ],
)  # fmt: skip
def test_an_authors_own_code_and_files_are_not_read(bundle: Path, workload: Any) -> None:
    signed(bundle, workload=workload)
    found = verify(bundle, 60.0, Silent())
    assert found.exit_code == 3
    assert "the author's own" in found.checks[-1].reason
    assert "tfbench run train/eager" in found.checks[-1].reason


@pytest.mark.parametrize("changes", [{"scenario": "train/mine"}, {"baseline": ""}])
def test_a_path_that_is_not_here_is_not_measured(bundle: Path, changes: Any) -> None:
    signed(bundle, **changes)
    found = verify(bundle, 60.0, Silent())
    assert (found.exit_code, found.checks[-1].verdict) == (3, "cannot tell")
    assert "no training path of this tfbench" in found.checks[-1].reason


@pytest.mark.launches
@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [
        (100.0, "does not hold", 1),
        pytest.param(1.0, "holds", 0, marks=pytest.mark.slow),
    ],
)
def test_a_training_path_is_measured_again(
    bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch,
    factor: float, verdict: str, code: int,
) -> None:  # fmt: skip
    """Eager steps of a small network are some times slower than a graph's, and no faster."""
    monkeypatch.setenv("TFBENCH_CACHE", str(cache))
    low, high = 0.02 * factor, 0.9 * factor
    signed(bundle, speedup=dataclasses.replace(SPEED, low=low, high=high))
    found = verify(bundle, 300.0, Silent())
    assert (found.checks[-1].what, found.checks[-1].verdict) == ("speed", verdict), found.checks
    assert found.exit_code == code
