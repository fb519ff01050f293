"""Changes planted in other projects' code, and the table of what was found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from research.planted.chunks import RESULTS
from research.planted.suites import (
    BEGIN,
    DOCUMENT,
    END,
    SUITES,
    Place,
    Suite,
    beside,
    change,
    collected,
    document,
    in_turns,
    repository,
    table,
    timed_for,
    told,
)
from research.precision.records import Records

PLACE = Place(SUITES["cattrs"], Path("clone"))
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


def test_a_methods_calls_take_longer_by_the_share_and_answer_the_same(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "project.py").write_text(SLEEPS)
    suite = Suite("bench", "", 1, ".", "project.py", ("Converter.structure",))
    clone = repository(source, tmp_path / "clone")
    assert repository(source, clone) == clone
    before = took_ns(clone)
    change(suite, "same", 0, clone)
    assert "nothing changed" in (clone / "project.py").read_text()
    change(suite, "50", 0, clone)
    assert took_ns(clone) == pytest.approx(1.5 * before, rel=0.01)


def guard(kind: str, number: int, verdicts: str, *other: str) -> dict[str, Any]:
    return {"by": "guard", "kind": kind, "number": number, "seconds": 170.0, "verdicts": verdicts,
            "other_alarms": list(other)}  # fmt: skip


def test_the_table_counts_suites_in_which_something_was_called_slower() -> None:
    records = [
        {"by": "collection", "benchmarks": ["a", "b"]},
        guard("same", 0, "=="), guard("same", 1, "=?", "a first_step"), guard("same", 2, "=="),
        guard("5", 0, "R?"), guard("5", 1, "=="),
        {"by": "pytest-benchmark", "kind": "5", "number": 0,
         "verdicts": {"mean:5%": "RR", "min:5%": "=="}},
    ]  # fmt: skip
    assert table(records).splitlines()[2:] == [
        "|nothing (false alarms)|1/3|1–91 %|–|–|",
        "|2 % slower|–|–|–|–|",
        "|5 % slower|1/2|1–99 %|1/1|0/1|",
        "|10 % slower|–|–|–|–|",
    ]


def test_the_guards_page_has_the_table_of_the_records(tmp_path: Path) -> None:
    """Its length must not depend on what was measured: documents have a limit."""
    assert table(list(Records(RESULTS / "cattrs.jsonl"))) in DOCUMENT.read_text(encoding="utf-8")
    page = tmp_path / "guard.md"
    page.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")
    for _ in range(2):
        document([guard("2", 0, "R")], page)
    assert page.read_text() == f"before\n{BEGIN}{table([guard('2', 0, 'R')])}{END}\nafter\n"


def test_what_the_guard_said_is_kept_in_few_words() -> None:
    judged = [
        {"scenario": "t.py::b", "metric": "latency", "verdict": "regression", "change": 0.05123},
        {"scenario": "t.py::b", "metric": "allocated", "verdict": "regression", "change": 1.0},
        {"scenario": "t.py::a", "metric": "latency", "verdict": "inconclusive", "change": None},
    ]
    assert told(judged, {"t.py::b": (0.05, 0.001, 4)}, ["a", "b", "c"]) == {
        "verdicts": "?R-",
        "changes_pct": [None, 5.12, None],
        "screens": [None, (0.05, 0.001, 4), None],
        "other_alarms": ["b allocated"],
    }


def test_suites_take_turns_and_pytest_benchmark_has_the_guards_time(tmp_path: Path) -> None:
    records = Records(tmp_path / "kept.jsonl")
    kinds = ["same", "2"]
    found = list(in_turns(PLACE, records, kinds, 2, 170, 1))
    assert [u.key for u in found] == [
        {"by": "collection"},
        *({"kind": kind, "number": n, "by": "guard"} for n in range(2) for kind in kinds),
    ]
    records.append(guard("same", 0, "=") | {"seconds": 150.5}, guard("same", 1, "="))
    found = list(in_turns(PLACE, records, kinds, 2, 170, 1))
    (other,) = (u for u in found if u.key["by"] == "pytest-benchmark")
    assert other.key["number"] == 0
    assert other.seconds == 170.5
    assert found.index(other) == 2


def test_pytest_benchmark_has_a_limit_with_which_it_takes_the_guards_time() -> None:
    assert timed_for([guard("same", 0, "=")], 170) is None
    before = {"by": "pytest-benchmark", "each_s": 8.0, "seconds": 340.0}
    assert timed_for([before | {"seconds": 1.0}, before, guard("same", 0, "=")], 170) == 4


def test_pytest_benchmark_judges_a_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, of a method that takes four times as long."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "project.py").write_text(SLEEPS)
    test = (
        "from project import Converter\n"
        "def test_a(benchmark):\n    benchmark(Converter().structure, 3)\n"
        "def test_b(benchmark):\n    benchmark(len, '')\n"
    )
    (source / "test_it.py").write_text(test)
    suite = Suite("test_it.py", "test", 2, ".", "project.py", ("Converter.structure",))
    clone = repository(source, tmp_path / "clone")
    place = Place(suite, clone)
    names = collected(place)["benchmarks"]
    assert names == ["test_a", "test_b"]
    found = beside(place, "300", 0, 21.0, names)
    assert {rule: verdicts[0] for rule, verdicts in found["verdicts"].items()} == {
        "mean:5%": "R", "min:5%": "R",
    }  # fmt: skip
    assert found["exit_code"] == 1
    assert found["each_s"] == 0.5
