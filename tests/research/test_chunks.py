"""Experiments in short sittings: what fits, what is resumed, and what survives."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from research.planted import chunks
from research.planted.chunks import Unit, recorded, work
from research.precision.records import Records
from tests.conftest import ROOT

SLEEPS = """
import subprocess, sys
from pathlib import Path
from research.planted.chunks import Unit, work
from research.precision.records import Records

def sleep():
    subprocess.run(["sleep", "60"])
    return {}

records = Records(Path(sys.argv[1]))
print(work([Unit({"n": 0}, 1, dict), Unit({"n": 1}, 60, sleep), Unit({"n": 2}, 1, dict)], records))
"""


def units(durations: dict[int, float], now: list[float]) -> Iterator[Unit]:
    def take(number: int) -> dict[str, Any]:
        now[0] += durations[number]
        return {"answer": 10 * number}

    for number, seconds in durations.items():
        yield Unit({"number": number}, seconds, lambda number=number: take(number))  # type: ignore[misc]


def test_as_many_units_as_fit_and_the_rest_another_time(tmp_path: Path) -> None:
    records, now = Records(tmp_path / "kept.jsonl"), [0.0]
    durations = dict.fromkeys(range(5), 50.0)
    assert work(units(durations, now), records, 2, lambda: now[0]) == 2
    assert work(units(durations, now), records, 0, lambda: now[0]) == 0
    assert work(units(durations, now), records, None, lambda: now[0]) == 3
    assert [(r["number"], r["answer"], r["seconds"]) for r in records] == [
        (n, 10 * n, 50.0) for n in range(5)
    ]
    assert all(r["cpu"] and r["commit"] for r in records)
    assert recorded(records, {"number": 3})["answer"] == 30
    assert not recorded(records, {"number": 7})


def test_a_unit_may_depend_on_the_record_before(tmp_path: Path) -> None:
    records = Records(tmp_path / "kept.jsonl")

    def chain() -> Iterator[Unit]:
        yield Unit({"of": "first"}, 1, lambda: {"found": 7})
        found = recorded(records, {"of": "first"})["found"]
        yield Unit({"of": "second"}, 1, lambda: {"again": found})

    assert work(chain(), records) == 2
    assert [r.get("again") for r in records] == [None, 7]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_end_by_force_loses_one_unit(tmp_path: Path, number: signal.Signals) -> None:
    kept = tmp_path / "kept.jsonl"
    running = subprocess.Popen(
        [sys.executable, "-c", SLEEPS, str(kept)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, process_group=0,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not kept.exists() or not kept.read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        running.send_signal(number)
        running.wait(30)
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may not have begun to sleep
            os.killpg(running.pid, signal.SIGKILL)
    assert [json.loads(line)["n"] for line in kept.read_text().splitlines()] == [0]
    if number == signal.SIGTERM:
        assert running.stdout is not None
        assert running.stdout.read().splitlines()[-1] == "1"
        assert running.returncode == 0


def test_records_name_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([" M bench/x.py", "abc", "", "abc"])
    monkeypatch.setattr(chunks, "git", lambda *_: next(said))
    assert [chunks.version() for _ in range(2)] == ["abc+", "abc"]
    assert not list(itertools.islice(said, 1))
