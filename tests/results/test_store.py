from __future__ import annotations

import csv
from pathlib import Path

import pytest

from bench.results.errors import StoreError
from bench.results.store import RunFolder, read_run
from bench.results.values import Launch, Turn, from_json, to_json

LAUNCH = Launch(
    "train/xla",
    "cpu-1",
    group="train/function",
    turns=(Turn(0, 1, 3, 30_000_000), Turn(1, 0, 3, 31_000_000)),
    correct=(1, 0, 1),
    proof={"xla_clusters": 2},
    reason="größer · <b>",
)


def test_a_launch_survives_json() -> None:
    assert from_json(Launch, to_json(LAUNCH)) == LAUNCH


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert from_json(Launch, {**to_json(LAUNCH), "unheard_of": 1}) == LAUNCH


def test_a_run_reads_back_what_was_appended(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({"name": "run"})
    folder.append([LAUNCH])
    folder.append([LAUNCH, LAUNCH])
    run = read_run(tmp_path / "run")
    assert run.launches == (LAUNCH,) * 3
    assert run.facts["name"] == "run"


def test_a_crash_while_writing_loses_only_the_last_line(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({})
    folder.append([LAUNCH, LAUNCH])
    path = tmp_path / "run" / "launches.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert read_run(tmp_path / "run").launches == (LAUNCH,)


def test_a_damaged_line_before_the_last_is_an_error(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({})
    (tmp_path / "run" / "launches.jsonl").write_text("{broken\n{}\n")
    with pytest.raises(StoreError, match="line 1 is damaged"):
        read_run(tmp_path / "run")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    with pytest.raises(StoreError, match="not empty"):
        RunFolder.create(tmp_path)
    with pytest.raises(StoreError, match="not empty"):
        RunFolder.create(tmp_path / "precious")
    with pytest.raises(StoreError, match="cannot be written"):
        RunFolder.create(tmp_path / "precious" / "below")
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no run\.json"):
        read_run(tmp_path)


def test_effects_csv_has_the_promised_columns(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run").write_effects([])
    with (tmp_path / "run" / "effects.csv").open() as file:
        header = next(csv.reader(file))
    assert ",".join(header) == (
        "scenario,configuration,baseline,status,reason,latency_ns,throughput_per_s,speedup,"
        "speedup_low,speedup_high,size_bytes,size_ratio,accuracy,accuracy_delta_pp,"
        "peak_memory_bytes,first_step_s,break_even_steps,difficulty,warnings"
    )
