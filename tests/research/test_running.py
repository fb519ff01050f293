"""Resuming, the report's page, and what is read from other tools."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from bench.results.errors import TfbenchError, UsageError
from bench.results.values import Configuration, Launch, Scenario
from bench.sweep.members import Member
from bench.sweep.settings import Profile
from bench.sweep.starting import Cores
from research.precision import __main__ as command
from research.precision import ours, page, rivals
from research.precision.cases import EFFECTS, Case, cases
from research.precision.corunner import bursts
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
    file.append(*records(2, launches=8, case=case.name))
    again = Ours({}, Records(file.path), cache="")
    assert again.done == {case.name: 16}
    assert again.share(case) == 0.5


def test_a_block_that_a_run_left_unfinished_is_made_anew(tmp_path: Path) -> None:
    case = Case("made up", "infer/x", "cpu-1", "quiet", 0.1, 10, blocks=4, launches=8)
    file = Records(tmp_path / "ours.jsonl")
    file.append(*(r for r in records(2, launches=8, case=case.name) if r["number"] < 13))
    assert Ours({}, Records(file.path), cache="").done == {case.name: 8}


def test_the_next_launch_is_built_while_one_takes_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each launch once and in order; the time of a launch is what it added to the whole."""
    case = Case("made up", "infer/x", "cpu-1", "quiet", 0.1, 10, blocks=4, at_once=2)
    events: list[tuple[str, int]] = []

    def start(*_: object, index: int, cores: Cores | None = None, **options: object) -> int:
        if cores is not None:
            cores.put(cores.get(timeout=10))
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
    member = Member(Scenario("infer/x", "infer", "", "", "", "", 0), CPU_1, lambda *_: None)
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
            "input/files",
        )
    }  # fmt: skip
    found = list(cases(known))
    whole = itertools.product(
        known, ("cpu-1", "cpu-all"), ("quiet", "bursts"), ("busy-waiting", "extra steps")
    )
    assert Counter((c.scenario, c.configuration, c.noise, c.injection) for c in found) == Counter(
        whole
    )
    assert {c.effects for c in found} == {EFFECTS}
    assert len({c.name for c in found}) == len(found)
    assert sum(6 * c.blocks for c in found) >= 500
    assert sum(4 * c.blocks for c in found) >= 100
    assert all(c.launches % 2 == 0 for c in found)
    del known["input/files"]
    assert "input pipeline" not in {c.kind for c in cases(known)}


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
    assert Rivals(file, "").share(rival) == 1 / rivals.ROUNDS


def test_the_co_runner_runs_meanwhile_and_only_where_it_is_wanted() -> None:
    def running() -> bool:
        commands = (child.cmdline() for child in psutil.Process().children())
        return any("research.precision.corunner" in command for command in commands)

    with bursts(0):
        assert running()
    with bursts(0, wanted=False):
        assert not running()
    assert not running()


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


def test_a_tool_that_fails_is_reported_by_its_last_line() -> None:
    with pytest.raises(TfbenchError, match="false failed"):
        rivals._run(["false"], {})


def test_the_page_is_written_from_whatever_is_there(tmp_path: Path) -> None:
    out, docs = tmp_path / "out", tmp_path / "docs"
    with pytest.raises(UsageError, match="no results"):
        page.write(out, docs)
    machine = {"cores": 2, "cpu": "EPYC"}
    Records(out / "sessions.jsonl").append(
        {"session": 1.6e9, "cpu": "a", "environment": machine},
        {"session": 1.5e9, "cpu": "b", "environment": machine},  # which recorded nothing else
    )
    shared = {"case": "LiteRT int8@cpu-1/quiet/busy-waiting", "kind": "LiteRT int8"}
    Records(out / "ours.jsonl").append(*records(3, **shared), *records(2, noise="bursts", case="b"))
    assert command.main(["--out", str(out), "--report", "--docs", str(docs)]) == 0
    text = (docs / "precision.md").read_text()
    assert "|false alarms, six launches a stage|0 of 500|0 of 30 (≤ 21.8 %)|**no**|" in text
    assert "|2 % found, cpu-1|≥ 99 %|not measured|–|" in text
    assert "1 session on 1 machine (2 cores of EPYC), 30 launches" in " ".join(text.split())
    tool = {"rival": "tool", "round": 0, "wall_s": 6.0, "session": 1.6e9, "cpu": "a"}
    Records(out / "rivals.jsonl").append(
        tool | {"effect": 0.0, "ln": 0.1, "flags": {"r": True}},
        *(tool | {"effect": 0.05, "ln": ln, "flags": {"r": ln > 0}} for ln in (0.07, -0.01)),
    )
    Records(out / "absolute.jsonl").append(
        {"session": 1.6e9, "cpu": "a", "round": 0, "scenario": "infer/x", "loadgen_ns": 1e6,
         "inside_ns": 0.997e6, "median_ns": 1.002e6}
    )  # fmt: skip
    suite = {"kind": "same", "number": 0, "seconds": 150, "alarms": [], "found": 0, "rivals": None}
    Records(tmp_path / "planted" / "results.jsonl").append(suite)
    more = ["--planted", str(tmp_path / "planted"), "--note", "It rained."]
    assert command.main(["--out", str(out), "--report", "--docs", str(docs), *more]) == 0
    text = (docs / "precision.md").read_text()
    assert "|± 1 %|0.20 % (its binding adds 0.30 %)|yes|" in text
    assert "|tool: r|6|3.27|1/1|–|–|1/2|–|" in text  # ln is 4 % off the mean of 5 %, twice of three
    assert "|nothing (false alarms)|0/1|0–98 %|–|–|" in text
    assert "- It rained." in text
    assert (docs / "precision.svg").stat().st_size > 1000
    facts = json.loads((docs / "precision.json").read_text())
    assert [case["blocks"] for case in facts["cases"]] == [3, 2]
    assert facts["cases"][0]["sd_of_an_effect"] < 0.002


def test_a_glob_that_names_no_unit_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--out", str(tmp_path), "--only", "nothing*"]) == 2
    assert "names no unit" in capsys.readouterr().err
