"""A run's pytest-benchmark.json, read by pytest-benchmark itself and by the action's own parser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results.store import Run
from bench.sweep import pytest_benchmark
from tests.reports.fabricate import typical

PARSE = """
const {extractResult} = require(process.argv[1] + '/dist/src/extract.js');
extractResult({tool: 'pytest', outputFilePath: process.argv[2]})
  .then((found) => console.log(JSON.stringify(found.benches)));
"""
EVENT = {"head_commit": {"id": "a", "message": "m", "timestamp": "t", "url": "u",
                         "author": {"name": "n"}, "committer": {"name": "n"}}}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return typical(tmp_path / "run")


def test_pytest_benchmark_compares_two_runs(run: Run, tmp_path: Path) -> None:
    other = typical(tmp_path / "other", seed=5)
    files = [str(pytest_benchmark.write(each)) for each in (run, other)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", *files, "--columns=min,mean,median",
         "--group-by=fullname", f"--csv={tmp_path / 'table.csv'}"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "infer/xla[cpu-1]" in done.stdout
    assert "(2.0" not in done.stdout.split("infer/xla")[1].splitlines()[0]
    assert "infer/xla" in (tmp_path / "table.csv").read_text()


def test_its_figures_are_the_runs(run: Run) -> None:
    document = pytest_benchmark.document(run)
    (xla,) = [b for b in document["benchmarks"] if b["name"] == "infer/xla[cpu-1]"]
    row = run.effects.row("infer/xla", "cpu-1")
    assert row is not None
    assert row.latency_ns is not None
    assert xla["stats"]["median"] == pytest.approx(row.latency_ns * 1e-9, rel=0.05)
    assert xla["stats"]["rounds"] == len(xla["stats"]["data"]) == 6 * 12
    assert xla["extra_info"]["speedup"] == row.speedup
    assert not any("tensorrt" in b["name"] for b in document["benchmarks"])  # unsupported here
    json.dumps(document, allow_nan=False)


@pytest.mark.skipif(
    "GITHUB_ACTION_BENCHMARK" not in os.environ or not shutil.which("node"),
    reason="GITHUB_ACTION_BENCHMARK names no built checkout of github-action-benchmark",
)
def test_github_action_benchmark_reads_it(run: Run, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(EVENT))
    checkout = os.environ["GITHUB_ACTION_BENCHMARK"]
    done = subprocess.run(
        ["node", "-e", PARSE, checkout, str(pytest_benchmark.write(run))],
        capture_output=True, text=True, env=os.environ | {"GITHUB_EVENT_PATH": str(event)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"name", "value", "unit", "range", "extra"} <= found[0].keys()
    assert any(each["name"].endswith("infer/xla[cpu-1]") for each in found)
    assert all(each["unit"] == "iter/sec" and each["value"] > 0 for each in found)
