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
from research.planted.__main__ import COMPARED, failed, stolen
from research.planted.table import keep, table
from research.precision.records import Records


def _case(kind: str, number: int, **other: Any) -> dict[str, Any]:
    case = {"kind": kind, "number": number, "commit": "aaa", "seconds": 170.4, "found": False,
            "alarms": [], "rivals": None, "started": 0.0}  # fmt: skip
    return case | other


def test_it_counts_alarms_of_unchanged_code_and_what_was_found_of_changes() -> None:
    rival = {"mean:5%": ["test_step[infer/eager]"], "min:5%": []}
    found = [
        _case("same", 0, rivals=rival),
        _case("same", 1, alarms=["infer/eager latency 0.03"]),
        _case("core-2", 0, found=True, seconds=150.0, rivals={"min:5%": ["test_step[infer/xla]"]}),
    ]
    lines = table(found).splitlines()
    same, core = (line for line in lines if line.startswith(("| nothing", "| 2 %")))
    assert "| 1 of 2 |" in same
    assert "| ≤ 170 | – | 1 of 1 | 0 of 1 |" in same
    assert "| 1 of 1 | 3% to 100% | ≤ 150 | – |  | 1 of 1 |" in core  # mean was not judged


def test_each_version_machine_and_budget_has_rows_of_its_own() -> None:
    old, new = {"commit": "bbb", "started": 1.0}, {"commit": "aaa", "started": 2.0}
    found = [
        _case("same", 0, **new),
        _case("same", 0, alarms=["x"], **old),
        _case("same", 1, **new),
        _case("same", 0, started=3.0, cpu="EPYC", budget_s=170),
        _case("same", 1, started=3.0, cpu="EPYC", budget_s=90),
    ]
    rows = [line.removeprefix("| nothing changed (false alarms) | ")
            for line in table(found).splitlines()[2:]]  # fmt: skip
    assert [row.split(" | ")[:4] for row in rows] == [
        ["bbb", "–", "–", "1 of 1"],
        ["aaa", "–", "–", "0 of 2"],
        ["aaa", "EPYC", "170 s", "0 of 1"],
        ["aaa", "EPYC", "90 s", "0 of 1"],
        ["aaa", "all", "all", "0 of 4"],
        ["all", "all", "all", "1 of 5"],
    ]


def test_cases_are_kept_once_beside_those_of_earlier_machines(tmp_path: Path) -> None:
    kept = tmp_path / "guard.jsonl"
    Records(kept).append(_case("same", 0, cpu="EPYC"))
    new = _case("same", 0, started=9.0, cpu="Xeon", judgements=[{"metric": "latency"}])
    Records(tmp_path / "results.jsonl").append(new)
    for _ in range(2):
        cases = keep(tmp_path, kept)
        assert [c["cpu"] for c in cases] == ["EPYC", "Xeon"]
        assert "judgements" not in cases[1]
    assert [c["cpu"] for c in keep(None, kept)] == ["EPYC", "Xeon"]
    assert keep(None, tmp_path / "none.jsonl") == []
    with pytest.raises(UsageError, match="holds no suites"):
        keep(tmp_path / "elsewhere", kept)


def test_it_tells_what_other_tenants_took_where_that_was_recorded() -> None:
    known = [_case("size", 0, stolen=0.01), _case("size", 1, stolen=0.333), _case("size", 2)]
    assert "| 1.0% to 33.3% |" in table(known)
    assert "| – |" in table(known[2:])


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
