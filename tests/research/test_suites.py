"""Changes planted in other projects' code, and the table of what was found."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from research.planted.suites import SUITES, Suite, change, repository, rows
from research.precision.records import Records

SLEEPS = """
import time

class Converter:
    def structure(self, value):
        until = time.perf_counter_ns() + 2_000_000
        while time.perf_counter_ns() < until:
            pass
        return value
"""
TIMED = """
import itertools
import time

time.perf_counter_ns = itertools.count(0, 1000).__next__  # a microsecond each time it is read
from project import Converter

start = time.perf_counter_ns()
assert Converter().structure(3) == 3
print(time.perf_counter_ns() - start)
"""


def took_ns(folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", TIMED], cwd=folder, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_a_methods_calls_take_longer_by_the_share_and_answer_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "project.py").write_text(SLEEPS)
    suite = Suite("bench", "", 1, ".", "project.py", ("Converter.structure",))
    monkeypatch.setitem(SUITES, "own", suite)
    clone = repository(source, tmp_path / "clone")
    assert repository(source, clone) == clone
    before = took_ns(clone)
    change(suite, "same", 0, clone)
    assert "nothing changed" in (clone / "project.py").read_text()
    change(suite, "50", 0, clone)
    assert took_ns(clone) == pytest.approx(1.5 * before, rel=0.01)


def test_the_table_counts_suites_with_a_regression(tmp_path: Path) -> None:
    records = Records(tmp_path / "results.jsonl")
    for number, (kind, found) in enumerate([("same", []), ("5", ["t"]), ("5", [])]):
        records.append(
            {"suite": "cattrs", "kind": kind, "number": number, "regressions": found,
             "started": time.time(), "rivals": {"mean:5%": ["t"], "min:5%": []}}
        )  # fmt: skip
    lines = rows(records)
    assert lines[2].startswith("| nothing | 0 of 1 (0% to ")
    assert lines[3].startswith("| 5 % slower | 1 of 2 (")
    assert lines[3].endswith("| 2 of 2 | 0 of 2 |")
