"""Resuming, the report's page, and what is read from other tools."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil
import pytest

from bench.launch import devices
from bench.results.errors import TfbenchError, UsageError
from bench.results.values import Configuration, Launch, Scenario, to_json
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.settings import Profile
from bench.sweep.starting import Cores
from research.precision import __main__ as command
from research.precision import ours, report, rivals
from research.precision.cases import AHEAD_UNTIL, EFFECTS, Case, cases, input_scenario
from research.precision.kept import keep, recorded
from research.precision.loadgen import p50, single_stream
from research.precision.ours import Ours
from research.precision.records import Records
from research.precision.rivals import Rival, Rivals
from tests.research.test_decisions import records

CPU_1 = Configuration("cpu-1", 1, (1,))


def test_records_survive_a_line_cut_short(tmp_path: Path) -> None:
    file = Records(tmp_path / "sub" / "x.jsonl")
    file.append({"a": 1}, {"a": 2})
    with file.path.open("a") as out:
        out.write('{"a": ')
    assert [r["a"] for r in file] == [1, 2]


def test_a_case_goes_on_where_it_stopped(tmp_path: Path) -> None:
    case = Case("made up", "infer/x", "cpu-1", "quiet", 0.1, 10, blocks=4, launches=8)
    file = Records(tmp_path / "ours.jsonl")
    file.append(*records(2, case=case.name))
    again = Ours({}, Records(file.path), cache="")
    assert again.done == {case.name: 16}
    assert again.share(case) == 0.5


def test_a_block_that_a_run_left_unfinished_is_made_anew(tmp_path: Path) -> None:
    case = Case("made up", "infer/x", "cpu-1", "quiet", 0.1, 10, blocks=4, launches=8)
    file = Records(tmp_path / "ours.jsonl")
    file.append(*(r for r in records(2, case=case.name) if r["number"] < 13))
    assert Ours({}, Records(file.path), cache="").done == {case.name: 8}


def test_pipelines_that_had_worked_ahead_are_shown_apart(tmp_path: Path) -> None:
    out, docs = tmp_path / "out", tmp_path / "docs"
    early, late = AHEAD_UNTIL - 1, AHEAD_UNTIL
    sessions = {("input pipeline", early): 2, ("input pipeline", late): 3, ("other", early): 4}
    for (kind, session), count in sessions.items():
        found = [r | {"kind": kind, "session": session} for r in records(count, case=kind)]
        Records(out / "ours.jsonl").append(*found)
    report.write(out, docs)
    whole = (docs / "precision.md").read_text()
    page, _, apart = whole.partition("\n## Input pipelines shown apart")
    assert "| input pipeline | cpu-1 | quiet | spin | 3 |" in page
    assert "| other | cpu-1 | quiet | spin | 4 |" in page
    assert "0 of 42 (" in page  # six A/A pairs of each of the seven blocks
    assert "| input pipeline | cpu-1 | quiet | spin | 2 |" in apart
    assert "0 of 12 (" in apart


def test_what_sessions_recorded_is_kept_and_adds_up(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for session, cpu in ((1.6e9, "a"), (1.8e9, "b")):
        out, stamp = tmp_path / cpu, {"session": session, "cpu": cpu}
        launch = to_json(Launch("infer/x", "cpu-1", outputs=(1.0, 2.0), wall_s=3.0))
        machine = {"cpu": cpu, "cpu_flags": [], "kernel": "6", "memory_bytes": 1}
        Records(out / "sessions.jsonl", stamp).append({"beside": "", "environment": machine})
        Records(out / "ours.jsonl", stamp).append({"case": "c", "launch": launch})
        keep(out, kept)
        keep(out, kept)
    Records(tmp_path / "c" / "sessions.jsonl", {"session": 1.9e9}).append({"beside": ""})
    keep(tmp_path / "c", kept)  # it recorded nothing
    assert [p.name for p in sorted(kept.iterdir())] == [
        "2020-09-13T122640.jsonl.xz", "2027-01-15T080000.jsonl.xz",
    ]  # fmt: skip
    found = recorded(kept)
    assert [(r["session"], r["cpu"]) for r in found["ours"]] == [(1.6e9, "a"), (1.8e9, "b")]
    assert len(found["sessions"]) == 2
    assert "outputs" not in found["ours"][0]["launch"]
    assert found["ours"][0]["launch"]["wall_s"] == 3.0


def test_machines_whose_processors_have_one_name_are_numbered(tmp_path: Path) -> None:
    about = [("EPYC", "avx"), ("Xeon", "avx"), ("EPYC", "fma"), ("EPYC", "avx")]
    for number, (cpu, flag) in enumerate(about):
        out, stamp = tmp_path / "out", {"session": 1.6e9 + number, "cpu": cpu}
        machine = {"cpu": cpu, "cpu_flags": [flag], "kernel": "6", "memory_bytes": 1}
        Records(out / "sessions.jsonl", stamp).append({"environment": machine})
        Records(out / "absolute.jsonl", stamp).append({"scenario": "infer/x"})
    keep(tmp_path / "out", tmp_path / "kept")
    names = ["EPYC (1)", "Xeon", "EPYC (2)", "EPYC (1)"]
    found = recorded(tmp_path / "kept")
    assert [r["cpu"] for r in found["sessions"]] == names
    assert [r["cpu"] for r in found["absolute"]] == names


def test_the_next_launch_is_built_while_one_takes_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each launch once and in order; the time of a launch is what it added to the whole."""
    case = Case("made up", "infer/x", "cpu-1", "quiet", 0.1, 10, blocks=4, at_once=2)
    events: list[tuple[str, int]] = []

    def start(*arguments: object, index: int, cores: Cores, **options: object) -> int:
        core = cores.get(timeout=10)
        cores.put(core)
        events.append(("built", index))
        return index

    def end(index: int, profile: Profile) -> list[Launch]:
        while index < 11 and ("built", index + 1) not in events:
            time.sleep(0.001)  # turns that end when the next launch has been built beside them
        events.append(("turns", index))
        return [Launch("infer/x", "cpu-1", index=index, side="same-0", wall_s=99.0)]

    monkeypatch.setattr(ours, "start_launch", start)
    monkeypatch.setattr(ours, "end_launch", end)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    every = Ours({}, Records(tmp_path / "ours.jsonl"), cache="")
    member = Member(Scenario("infer/x", "infer", "", "", "", "", 0), CPU_1, Environment("", "", ()))
    monkeypatch.setattr(every, "_pool", lambda case: None)
    monkeypatch.setattr(every, "_members", lambda case: [member])
    every.block(case)
    assert [n for what, n in events if what == "turns"] == list(range(12))
    assert sorted(n for what, n in events if what == "built") == list(range(12))
    kept = list(every.records)
    assert [r["block"] for r in kept] == [0] * 6 + [1] * 6
    assert all(r["launch"]["wall_s"] < 99 for r in kept)


def test_cases_cover_what_must_be_decided() -> None:
    known = {
        name: Scenario(name, name.partition("/")[0], "", "", "", "", 0)  # type: ignore[arg-type]
        for name in (
            "infer/litert-int8", "infer/litert-float32", "infer/function", "train/function",
            "input/plain",
        )
    }  # fmt: skip
    found = cases(known)
    whole = itertools.product(
        known, ("cpu-1", "cpu-all"), ("quiet", "bursts"), ("turn spin", "work")
    )
    assert Counter((c.scenario, c.configuration, c.noise, c.injection) for c in found) == Counter(
        whole
    )
    assert {c.effects for c in found} == {EFFECTS}
    assert {c.noise for c in cases(known, beside=True)} == {"beside", "bursts"}
    assert len({c.name for c in found}) == len(found)
    assert sum(6 * c.blocks for c in found) >= 500
    assert sum(4 * c.blocks for c in found) >= 100
    assert all(c.launches % 2 == 0 for c in found)
    del known["input/plain"]
    assert "input pipeline" not in {c.kind for c in cases(known)}


def test_the_input_pipeline_is_the_one_most_are_compared_with() -> None:
    def pipeline(name: str, baseline: str | None) -> Scenario:
        return Scenario(name, "input", "", "", "", "", 0, baseline=baseline)

    found = [pipeline("input/a", None), pipeline("input/b", "input/c"),
             pipeline("input/c", None), pipeline("input/d", "input/c")]  # fmt: skip
    assert input_scenario({s.id: s for s in found}) == "input/c"
    assert input_scenario({}) == ""


class Tool:
    """A rival that always measures the injected effect."""

    def __init__(self) -> None:
        self.order: list[str] = []

    def measure(self, environment: dict[str, str], out: Path) -> None:
        self.order.append(environment["PRECISION_SLOWDOWN"])
        out.write_text(environment["PRECISION_SLOWDOWN"])

    def decide(self, base: Path, candidate: Path) -> dict[str, object]:
        difference = float(candidate.read_text()) - float(base.read_text())
        return {"ln": difference, "flags": {"any": difference > 0}}


def test_a_round_of_a_rival_decides_once_on_each_effect(tmp_path: Path) -> None:
    (tmp_path / "int8.tflite").write_bytes(b"")
    tool = Tool()
    rival = Rival("tool", tool.measure, tool.decide)
    file = Records(tmp_path / "rivals.jsonl")
    Rivals(file, "").round(rival)
    found = {r["effect"]: r["flags"]["any"] for r in file}
    assert found == {0.0: False, 0.01: True, 0.02: True, 0.05: True, 0.1: True}
    assert tool.order[2:4] == ["0", "0"]  # the baselines lie in the middle
    assert Rivals(file, "").share(rival) == 1 / rival.rounds
    older = Records(tmp_path / "older.jsonl")
    older.append(*({k: v for k, v in r.items() if k != "noise"} for r in file))
    assert Rivals(older, "").share(rival) == 1 / rival.rounds  # before loads were named: quiet


def test_beside_bursts_a_rival_measures_while_the_co_runner_runs(tmp_path: Path) -> None:
    (tmp_path / "int8.tflite").write_bytes(b"")
    file = Records(tmp_path / "rivals.jsonl")
    beside: list[bool] = []

    def measure(environment: dict[str, str], out: Path) -> None:
        mine = psutil.Process().children()
        beside.append(any("research.precision.corunner" in p.cmdline() for p in mine))
        Tool().measure(environment, out)

    quiet = Rival("tool", measure, Tool().decide, (0.02,))
    Rivals(file, "").round(replace(quiet, noise="bursts"))
    assert beside == [True] * 3
    Rivals(file, "").round(quiet)
    assert beside[3:] == [False] * 3
    assert [(r["noise"], r["round"]) for r in file] == [("bursts", 0)] * 2 + [("quiet", 0)] * 2


def test_rounds_of_a_slow_rival_share_their_baselines(tmp_path: Path) -> None:
    (tmp_path / "int8.tflite").write_bytes(b"")
    tool = Tool()
    rival = Rival("tool", tool.measure, tool.decide, (0.02, 0.05), chained=True)
    file = Records(tmp_path / "rivals.jsonl")
    every = Rivals(file, "")
    every.round(rival)
    assert sorted(r["effect"] for r in file) == [0.02, 0.05]  # no baseline before the first
    assert tool.order[1] == "0"  # between its candidates
    every.round(rival)
    assert sorted(tool.order) == ["0", "0", "0.02", "0.02", "0.05", "0.05"]
    found = sorted((r["effect"], r["flags"]["any"]) for r in list(file)[2:])
    assert found == [(0.0, False), (0.02, True), (0.05, True)]
    os.utime(tmp_path / "tool.json", (0, 0))
    every.round(rival)
    assert [r["effect"] for r in file].count(0.0) == 1  # hours ago is no neighbour


def test_pytest_benchmark_s_own_check_decides(tmp_path: Path) -> None:
    def result(name: str, mean: float, low: float) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"benchmarks": [{"stats": {"mean": mean, "min": low}}]}))
        return path

    base = result("a", 1.0, 0.9)
    decision = rivals._pytest_decides(base, result("b", 1.06, 0.91))
    assert decision["flags"] == {"mean:5%": True, "min:5%": False}


def test_pytest_benchmark_gets_as_many_rounds_as_take_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str], environment: dict[str, str], pinned: bool = False) -> str:
        assert pinned
        commands.append([c for c in command if "rounds" in c])
        out = next(c for c in command if "json" in c).partition("=")[2]
        Path(out).write_text(json.dumps({"benchmarks": [{"stats": {"median": 0.125}}]}))
        return ""

    monkeypatch.setattr(rivals, "_run", run)
    measure = rivals._pytest(2.2)
    for _ in range(2):
        measure({}, tmp_path / "out")
    assert commands == [[], ["--benchmark-min-rounds=18"], ["--benchmark-min-rounds=18"]]


def test_a_tool_that_fails_is_told_by_its_last_line() -> None:
    with pytest.raises(TfbenchError, match="false failed"):
        rivals._run(["false"], {})


def test_loadgen_s_summary_gives_its_p50() -> None:
    summary = "Min latency (ns) : 1\n50.00 percentile latency (ns)   : 280120\n"
    assert p50(summary) == 280120
    with pytest.raises(ValueError, match="holds no"):
        p50("nothing")


def test_loadgen_makes_as_many_queries_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlperf_loadgen")
    monkeypatch.setattr(devices, "_gpus", False)  # or TensorFlow would be asked
    cores = os.sched_getaffinity(0)
    times: list[int] = []
    steps: list[str] = []

    def step() -> None:
        steps.append("query")
        time.sleep(0.002)

    begun = time.perf_counter_ns()
    latency = single_stream(step, 21, times, lambda: steps.append("lead-in"), cores)
    assert steps == ["lead-in"] + 21 * ["query"]
    assert len(times) == 21
    assert median(times) <= latency <= time.perf_counter_ns() - begun
    assert os.sched_getaffinity(0) == cores


def test_the_report_is_written_from_whatever_is_there(tmp_path: Path) -> None:
    out, docs = tmp_path / "out", tmp_path / "docs"
    with pytest.raises(UsageError, match="no results"):
        report.write(out, docs)
    Records(out / "ours.jsonl").append(
        *records(3), *records(2, case="other", configuration="cpu-all")
    )
    Records(out / "rivals.jsonl").append(
        {"rival": "tool", "round": 0, "effect": 0.0, "wall_s": 6.0, "ln": 0.1, "flags": {"r": True},
         "session": 1.6e9, "cpu": "a"},
        {"rival": "tool", "round": 0, "effect": 0.05, "wall_s": 6.0, "ln": 0.07,
         "flags": {"r": True}, "session": 1.6e9, "cpu": "a"},
    )  # fmt: skip
    Records(out / "absolute.jsonl").append(
        {"session": 1.6e9, "cpu": "a", "round": 0, "scenario": "infer/x", "number": 0,
         "mean_ns": 1e6, "loadgen_ns": 1e6, "inside_ns": 0.997e6, "samples": 600,
         "median_ns": 1.002e6}
    )  # fmt: skip
    suite = {
        "kind": "same",
        "number": 0,
        "commit": "abc123",
        "started": 1.0,
        "seconds": 150,
        "alarms": [],
        "found": False,
    }
    Records(tmp_path / "guard" / "results.jsonl").append(suite | {"rivals": None})
    shown = ["--guard", str(tmp_path / "guard"), "--docs", str(docs)]
    assert command.main(["--out", str(out), "--report", *shown]) == 0
    page = (docs / "precision.md").read_text()
    assert (
        "| A/A false alarms at the guard's default rule, 6 launches a stage | 0 of 500 | 0 of 30 ("
        in page
    )
    assert "15 effective" in page
    assert "| +0.20 % | 0.30 % | +0.50 % | 1 | 1 |" in page
    assert "| tool | a | r | 6.0 s |" in page
    assert "| nothing changed (false alarms) | abc123 | – | – | 0 of 1 |" in page
    for name in ("effects", "called", "estimators"):
        assert f"precision/{name}.svg" in page
        assert (docs / "precision" / f"{name}.svg").stat().st_size > 1000


def test_a_glob_that_names_no_unit_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--out", str(tmp_path), "--only", "nothing*"]) == 2
    assert "names no unit" in capsys.readouterr().err
