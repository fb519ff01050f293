"""The table of planted changes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import namedtuple
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.results.errors import UsageError
from research.planted.__main__ import stolen
from research.planted.plants import SUITE
from research.planted.rivals import COMPARED, failed
from research.planted.table import rows, summary
from research.precision.records import Records


def _case(kind: str, number: int, **other: Any) -> dict[str, Any]:
    case = {"kind": kind, "number": number, "commit": "aaa", "seconds": 170.4, "found": False,
            "alarms": [], "rivals": None, "started": 0.0}  # fmt: skip
    return case | other


def test_it_counts_alarms_of_unchanged_code_and_what_was_found_of_changes(tmp_path: Path) -> None:
    rival = {"mean:5%": ["test_step[infer/eager]"], "min:5%": []}
    Records(tmp_path / "results.jsonl").append(
        _case("same", 0, rivals=rival),
        _case("same", 1, alarms=["infer/eager latency 0.03"]),
        _case("core-2", 0, found=True, seconds=150.0, rivals={"min:5%": ["test_step[infer/xla]"]}),
    )
    same, core = rows(summary(tmp_path))
    assert same == ("nothing (false alarms)", "1/2", "1–99 %", "1/1", "0/1")
    assert core[1:] == ("1/1", "3–100 %", "–", "1/1")  # mean was not judged
    with pytest.raises(UsageError, match="holds no suites"):
        summary(tmp_path / "elsewhere")


def test_of_one_slowed_scenario_only_its_own_tests_count(tmp_path: Path) -> None:
    """The first of the suite is slowed."""
    other, own = ({"mean:5%": [f"test_step[{id}]"]} for id in ("infer/frozen", SUITE[0]))
    Records(tmp_path / "results.jsonl").append(
        _case("one-2", 0, rivals=other), _case("one-2", 0, rivals=own)
    )
    assert rows(summary(tmp_path))[0][3] == "1/2"


def test_the_share_that_other_tenants_took_is_of_all_time() -> None:
    times = namedtuple("times", "user idle steal")
    assert stolen(times(10, 10, 5), times(14, 14, 7)) == pytest.approx(0.2)
    assert stolen(times(1, 1, 1), times(1, 1, 1)) == 0


def test_pytest_benchmark_judges_by_all_rules(tmp_path: Path) -> None:
    """The real one, on a step that was ten times as fast in the stored run."""
    file = tmp_path / "test_step.py"
    file.write_text("def test_step(benchmark):\n    benchmark(sum, range(1000))\n")
    command = [sys.executable, "-m", "pytest", file.name, "-q", "-p", "no:cacheprovider",
               "--benchmark-max-time=0.05", f"--benchmark-storage={tmp_path / 'kept'}"]  # fmt: skip
    run = partial(subprocess.run, cwd=tmp_path, capture_output=True, text=True)
    run([*command, "--benchmark-save=base"], check=True)
    (stored,) = (tmp_path / "kept").rglob("0001_base.json")
    base = json.loads(stored.read_text())
    for name in ("mean", "min"):
        base["benchmarks"][0]["stats"][name] /= 10
    stored.write_text(json.dumps(base))
    done = run([*command, *COMPARED])
    assert done.returncode == 1
    assert failed(f"{done.stdout}\n{done.stderr}") == {
        "mean:5%": ["test_step (0001_base)"],
        "min:5%": ["test_step (0001_base)"],
    }
