"""The ten-minute check: what it calls a false alarm, a wide sd, and too little."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from bench.results.errors import LaunchError, UsageError
from bench.sweep.discovery import ROOT
from research.precision import check
from research.precision.__main__ import main
from research.precision.cases import Case
from research.precision.facts import Facts
from research.precision.ours import Ours
from research.precision.records import Records
from tests.research.test_decisions import blocks, records


def found(count: int = 4, **other: object) -> Facts:
    return check.judge("made up", blocks(count), page_sd=0.0006) | other


def test_a_check_counts_decisions_and_the_sd() -> None:
    good = found()
    assert good["blocks"] == 4
    assert good["false_alarms"] == [0, 24]
    assert good["false_alarms_going_on"][0] == 0
    assert good["found"] == [16, 16]
    assert good["estimated"] == pytest.approx(0.02, abs=0.001)
    assert good["sd"] == pytest.approx(
        0.001 * math.sqrt(2 / 6), rel=0.35
    )  # two sides, six launches
    assert "0 of 24 false alarms" in check.text(good)
    assert "not measured" in check.text(check.judge("made up", [], 0.1))


def test_its_exit_code_tells_good_bad_and_too_little() -> None:
    good, few, wide = found(), found(3), {"sd": 1.51 * 0.0006}
    assert check.verdict([good, good]) == 0
    assert check.verdict([good, few]) == 3
    assert check.verdict([few, found(**wide)]) == 1
    assert check.verdict([few, few | {"false_alarms": [1, 18]}]) == 1
    assert check.verdict([good, found(false_alarms_going_on=[1, 6])]) == 1
    assert check.verdict([few | {"sd": 1.0}]) == 3  # too few to judge an sd


def test_what_is_committed_holds_the_sds_to_compare_with() -> None:
    sds = check.page_sds(ROOT / "docs" / "precision.json")
    assert sorted(sds) == sorted(check.CHECKED)
    assert all(0 < sd < 0.05 for sd in sds.values())


def test_without_sds_to_compare_with_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="holds no sd"):
        check.page_sds(tmp_path / "precision.json")
    (tmp_path / "precision.json").write_text('{"cases": []}')
    assert main(["--check", "--docs", str(tmp_path), "--out", str(tmp_path / "x.json")]) == 2
    assert "LiteRT int8" in capsys.readouterr().err


def test_cases_take_turns_and_one_that_fails_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def block(self: Ours, case: Case) -> None:
        order.append(case.kind)
        if case.kind == "tf.function training":
            raise LaunchError("it broke")
        if len(order) > 8:
            monkeypatch.setattr(check.time, "monotonic", lambda: 1e12)  # the time is over
        self.done[case.name] = self.done.get(case.name, 0) + 6
        number = self.done[case.name] // 6 - 1
        about = {"case": case.name, "kind": case.kind, "block": number}
        self.records.append(*(r | about for r in records(1, seed=len(order))))

    monkeypatch.setattr(Ours, "block", block)
    out = tmp_path / "runs" / "check.json"
    assert check.check(out, 60.0, "", ROOT / "docs" / "precision.json") == 3
    assert order.count("tf.function training") == 1
    result = json.loads(out.read_text())
    assert result["failed"] == ["it broke"]
    assert [case["blocks"] for case in result["cases"]] == [4, 4, 0]
    assert result["cases"][2]["sd"] is None
    assert len(list(Records(out.with_suffix(".jsonl")))) == 8 * 6 * 6
