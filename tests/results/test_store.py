from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.results.as_json import from_json, to_json
from bench.results.errors import StoreError
from bench.results.store import RunFolder, read_run
from bench.results.values import Effect, Launch, Scenario, Turn
from tests.reports.fabricate import fabricate
from tfbench.command.cli import main

LAUNCH = Launch(
    "train/xla",
    "cpu-1",
    group="train/function",
    turns=(Turn(0, 1, 3, 30_000_000), Turn(1, 0, 3, 31_000_000)),
    correct=(1, 0, 1),
    proof={"xla_clusters": 2},
    reason="größer · <b>",
)


FIRST, SECOND, THIRD, FOURTH = (dataclasses.replace(LAUNCH, index=n) for n in range(4))


def test_a_launch_survives_json() -> None:
    assert from_json(Launch, to_json(LAUNCH)) == LAUNCH


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert from_json(Launch, {**to_json(LAUNCH), "unheard_of": 1}) == LAUNCH


def test_a_run_reads_back_what_was_appended(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({"name": "run"})
    folder.append([FIRST])
    folder.append([SECOND, THIRD])
    run = read_run(tmp_path / "run")
    assert run.launches == (FIRST, SECOND, THIRD)
    assert run.facts["name"] == "run"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A run's folder with two launches."""
    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({"name": "run", "scenarios": [], "ended": 1.0})
    folder.append([FIRST, SECOND])
    return folder.folder


def lines_of(stored: Path) -> list[str]:
    return (stored / "launches.jsonl").read_text().splitlines()


@pytest.mark.faults("Stored files", {"the last line was cut short": "left out, with a warning"})
def test_a_crash_while_writing_loses_only_the_last_line(stored: Path) -> None:
    path = stored / "launches.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    run = read_run(stored)
    assert run.launches == (FIRST,)
    assert run.facts["warnings"] == ["launches.jsonl: line 2 was cut short and is left out"]


@pytest.mark.faults(
    "Stored files", {"a figure of an earlier version lies below 0": "read as it is"}
)
def test_a_delay_below_0_of_an_earlier_version_is_read(stored: Path) -> None:
    file = stored / "launches.jsonl"
    first, *rest = file.read_text().splitlines()
    held = json.loads(first)
    held["turns"][0] = [*held["turns"][0][:4], -432_644]
    file.write_text("\n".join([json.dumps(held), *rest]) + "\n")
    assert read_run(stored).launches[0].turns[0].delayed_ns == -432_644


@pytest.mark.faults("Stored files", {"a launch stands there twice": "counts once, with a warning"})
def test_a_launch_that_stands_there_twice_counts_once(stored: Path) -> None:
    one, two = lines_of(stored)
    (stored / "launches.jsonl").write_text(f"{one}\n{two}\n{one}\n")
    run = read_run(stored)
    assert run.launches == (FIRST, SECOND)
    assert run.facts["warnings"] == ["launches.jsonl: line 3 repeats line 1 and is left out"]
    assert run.effects.rows == read_run(stored).effects.rows


def test_separators_inside_a_text_end_no_line(stored: Path) -> None:
    odd = dataclasses.replace(THIRD, reason="a\u2028b\x85c\x0cd")
    RunFolder(stored).append([odd])
    assert read_run(stored).launches == (FIRST, SECOND, odd)


@pytest.mark.parametrize(
    "line",
    [
        "{broken", "{}", "[]", "3", "null", '"x"', '{"scenario": "a"}',
        *(json.dumps({"scenario": "a", "configuration": "b", **fields}) for fields in (
            {"turns": [[0, 0, 0, 5]]}, {"turns": [[0, 0, 3, 0]]}, {"turns": [[0, 0, 3]]},
            {"turns": [[0, 0, 3, "fast"]]}, {"turns": {"0": 1}}, {"turns": 3},
            {"outcome": "fine"}, {"scenario": 3}, {"group": None}, {"index": "0"},
            {"latency_histogram": {"x": 1}}, {"latency_histogram": {"1": -1}},
            {"probes": {"flops_per_step": [None]}}, {"probes": {"figures": {"p99": "1"}}},
            {"latency_histogram": []}, {"predictions": [[1]]}, {"level": "0"},
            {"artifact_bytes": -4}, {"level": 800.0}, {"proof": {"int8_operations": "0"}},
            {"updates_per_step": 0}, {"proof": []}, {"warnings": "x"}, {"steady": 1},
            {"index": 0.0}, {"turns": [[0, 0, 3.5, 5]]}, {"predictions": [1.0]},
            {"probes": {"traces": 10**400}}, {"latency_histogram": {"1": 10**400}},
            {"predictions": [1, 10**400]}, {"scores": [0.5, 10**400]}, {"accuracy": 10**400},
        )),
    ],
)  # fmt: skip
@pytest.mark.faults(
    "Stored files", {"a line that is none, or lacks a field": "refused; file and line are named"}
)
def test_a_damaged_line_is_named(stored: Path, line: str) -> None:
    one, two = lines_of(stored)
    (stored / "launches.jsonl").write_text(f"{one}\n{line}\n{two}\n")
    with pytest.raises(StoreError, match=r"launches\.jsonl, line 2 is damaged: .+") as caught:
        read_run(stored)
    assert "\n" not in str(caught.value)


def test_nothing_is_as_good_as_missing(stored: Path) -> None:
    facts = json.loads((stored / "run.json").read_text())
    (stored / "run.json").write_text(json.dumps(facts | {"warnings": None, "git": None}))
    assert read_run(stored).effects.rows


UNHEARD_OF = to_json(Scenario("infer/x", "infer", "", "", "", "", 0, deployment=("luck",)))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"schema": "1"}', '{"scenarios": 3}', '{"scenarios": [3]}',
        '{"scenarios": [{"id": "a"}]}', json.dumps({"scenarios": [UNHEARD_OF]}),
        '{"configurations": [{}]}', '{"configurations": {}}',
        '{"environment": "x"}', '{"settings": []}', '{"warnings": [3]}', '{"started": "now"}',
        '{"ended": 1e15}', '{"ended": 1%s}' % ("0" * 400), '{"settings": {"epochs": [3]}}',
        '{"started": NaN}', '{"workload": 3}', '{"controls": {"a": 3}}', '{"name": 3}',
        "[" * 100_000, '{"configurations": [{"name": "c", "cpus": [0]}]}',
        '{"configurations": [{"name": "c", "threads": "1", "cpus": [0]}]}',
        '{"resumed": [{"differs": null}]}', '{"resumed": [{"differs": [[]]}]}',
    ],
)  # fmt: skip
@pytest.mark.faults(
    "Stored files", {"`run.json` is damaged or was edited": "refused; the field is named"}
)
def test_damaged_facts_are_named(stored: Path, text: str) -> None:
    (stored / "run.json").write_text(text)
    with pytest.raises(StoreError, match=r"run\.json is damaged: .+") as caught:
        read_run(stored)
    assert "\n" not in str(caught.value)


@pytest.mark.faults("Stored files", {"bytes that are no text": "refused"})
def test_bytes_that_are_no_text_are_named(stored: Path) -> None:
    (stored / "launches.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match=r"launches\.jsonl is damaged"):
        read_run(stored)
    (stored / "run.json").write_bytes(b"\x80")
    with pytest.raises(StoreError, match=r"run\.json is damaged"):
        read_run(stored)


@pytest.mark.faults("Stored files", {"an older or a newer schema": "read; refused"})
def test_a_newer_schema_is_refused_and_an_older_read(stored: Path) -> None:
    (stored / "run.json").write_text('{"schema": 0}')
    assert len(read_run(stored).launches) == 2
    (stored / "run.json").write_text('{"schema": 99}')
    with pytest.raises(StoreError, match="newer tfbench"):
        read_run(stored)


@pytest.mark.faults("Stored files", {"the launches are gone": "refused: never an empty run"})
def test_a_run_that_lost_its_launches_is_not_an_empty_one(stored: Path) -> None:
    (stored / "launches.jsonl").unlink()
    with pytest.raises(StoreError, match=r"launches\.jsonl is missing"):
        read_run(stored)


@pytest.mark.faults("Around it", {"the output folder is not empty": "refused"})
def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    with pytest.raises(StoreError, match="not empty"):
        RunFolder.create(tmp_path)
    with pytest.raises(StoreError, match="not empty"):
        RunFolder.create(tmp_path / "precious")
    with pytest.raises(StoreError, match="cannot be written"):
        RunFolder.create(tmp_path / "precious" / "below")
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_run_that_was_refused_before_it_began_leaves_its_folder_free(tmp_path: Path) -> None:
    first = RunFolder.create(tmp_path / "run")
    with pytest.raises(StoreError, match="another tfbench"):
        RunFolder.create(tmp_path / "run")
    del first
    RunFolder.create(tmp_path / "run")


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
        "peak_memory_bytes,first_step_s,break_even_steps,difficulty,warnings,"
        "quality_metric,quality,quality_delta,quality_delta_low,quality_delta_high,agreement,"
        "p50_ns,p95_ns,p99_ns"
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.faults(
    "Around it", {"disk full while results are written": "exit 2; what was written stays, whole"}
)
def test_a_full_disk_is_one_line_and_what_was_written_stays(small_disk: Path) -> None:
    folder = RunFolder.create(small_disk / "run")
    folder.write_facts({"name": "before"})
    folder.write_effects([Effect("infer/function", "cpu-1")])
    folder.append([FIRST])
    long = dataclasses.replace(THIRD, output="x" * 50_000)
    folder.append([SECOND, long])
    with pytest.raises(StoreError, match=r"launches\.jsonl cannot be written .* make room"):
        folder.append([FOURTH, long])
    with pytest.raises(StoreError, match=r"run\.json cannot be written"):
        folder.write_facts({"name": "x" * 100_000})
    with pytest.raises(StoreError, match=r"effects\.csv cannot be written"):
        folder.write_effects([Effect("x" * 100_000, "cpu-1")])
    run = read_run(folder.folder)
    assert run.facts["name"] == "before"
    assert run.launches == (FIRST, SECOND, long)
    assert "infer/function" in (folder.folder / "effects.csv").read_text()
    assert not list(folder.folder.glob("*.part"))
    folder.append([FOURTH])  # the next line begins where the last whole one ended
    assert read_run(folder.folder).launches == (FIRST, SECOND, long, FOURTH)


@pytest.mark.faults("Around it", {"disk full while reports are written": "exit 2, one line"})
def test_a_full_disk_is_exit_code_2_without_a_traceback(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate(small_disk.parent / "run", launches=2)
    run = read_run(small_disk.parent / "run")
    assert main(["report", str(run.folder), "--comment", "/dev/full"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert main(["compare", str(run.folder), "--out", str(small_disk / "c")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tfbench: ")
    assert "No space left on device" in said
    assert len(said.splitlines()) == 1


def test_why_operations_are_missing_is_kept(tmp_path: Path) -> None:
    def operations() -> object:
        return read_run(tmp_path / "run").operations("infer-function@cpu-1")

    folder = RunFolder.create(tmp_path / "run")
    folder.write_facts({})
    assert operations() == ""  # none were wanted
    (folder.folder / "traces").mkdir()
    assert operations() == "the traces were not read"
    file = folder.folder / "operations.json"
    file.write_text("{broken")
    assert "cannot be read" in str(operations())
    file.write_text('"x.pb cannot be converted: bad"')
    assert operations() == "x.pb cannot be converted: bad"
    file.write_text('{"infer-function@cpu-1": [{"kind": "Conv2D"}]}')
    assert operations() == [{"kind": "Conv2D"}]
