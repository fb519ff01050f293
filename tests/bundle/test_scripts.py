"""A scenario's own lines as a script: every one is Python, and some are run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.bundle.claim import Speed
from bench.bundle.exporting import Subject, export
from bench.bundle.scripts import script
from bench.bundle.verifying import verify
from bench.results.errors import StoreError
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.progress import Silent

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


def test_a_training_path_is_exported_as_its_script(tmp_path: Path) -> None:
    subject = Subject(
        KNOWN["train/xla"], KNOWN["train/function"], Configuration("cpu-1", 1, (0,)), SPEC,
        Speed(1.2, 1.1, 1.3, 6, "as the run measured it"), command="tfbench run train/xla",
        chosen_among=7,
    )  # fmt: skip
    out = tmp_path / "bundle"
    export(subject, out, Silent())
    assert {path.name for path in out.iterdir()} == {"claim.json", "scenario.py", "README.md"}
    assert "chosen among 7, not measured again" in (out / "README.md").read_text()
    found = verify(out, 1.0, Silent())
    assert found.exit_code == 3
    assert found.checks[-1].reason.endswith("tfbench run train/xla")
    with pytest.raises(StoreError, match="not empty"):
        export(subject, out, Silent())
