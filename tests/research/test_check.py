"""The ten-minute check: what it calls a false alarm, a wide sd, and too little."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from bench.results.errors import LaunchError, UsageError
from bench.sweep.discovery import ROOT
from research.precision import check, numbers
from research.precision.__main__ import main
from research.precision.cases import Case
from research.precision.decisions import blocks
from research.precision.ours import Ours
from research.precision.records import Records
from tests.research.test_decisions import records


def found(count: int = 4, sd: float = 0.001, page_sd: float = 0.0006) -> check.Found:
    return check.judge("made up", blocks(records(count, sd, launches=6)), page_sd)


def test_a_check_counts_decisions_and_the_sd() -> None:
    good = found()
    assert (good.blocks, good.comparisons, good.alarms) == (4, 24, 0)
    assert good.decisions == good.called == 16
    assert good.estimated == pytest.approx(0.02, abs=0.001)
    assert good.sd == pytest.approx(0.001 * math.sqrt(2 / 6), rel=0.35)  # two sides, six launches
    assert "0 false alarms of 24 comparisons" in check.lines([good])[0]


def test_its_exit_code_tells_good_bad_and_too_little() -> None:
    good, few = found(), found(3)
    wide, alarm = replace(good, sd=1.51 * good.page_sd), replace(good, false_alarms_going_on=1)
    assert check.verdict([good, good]) == 0
    assert check.verdict([good, few]) == 3
    assert check.verdict([few, wide]) == 1
    assert check.verdict([few, replace(few, false_alarms=1)]) == 1
    assert check.verdict([good, alarm]) == 1
    assert check.verdict([replace(few, sd=1.0)]) == 3  # too few to judge an sd


def test_what_is_committed_holds_the_sds_to_compare_with() -> None:
    sds = check.page_sds(ROOT / "docs" / "precision.json")
    assert list(sds) == list(check.CHECKED)
    assert all(0 < sd < 0.05 for sd in sds.values())


def test_without_sds_to_compare_with_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="holds no sd"):
        check.page_sds(tmp_path / "precision.json")
    numbers.write(blocks(records(2)), tmp_path / "precision.json")
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
            self.done.update(dict.fromkeys(self.done, 1000))
            monkeypatch.setattr(check.time, "monotonic", lambda: 1e12)  # the time is over
        self.done[case.name] = self.done.get(case.name, 0) + 6
        records_ = records(1, case=case.name, launches=6, seed=len(order))
        block_ = (self.done[case.name] // 6) - 1
        self.records.append(*({**r, "kind": case.kind, "block": block_} for r in records_))

    monkeypatch.setattr(Ours, "block", block)
    out = tmp_path / "runs" / "check.json"
    code = check.check(out, 60.0, "", ROOT / "docs" / "precision.json")
    assert code == 3
    assert order.count("tf.function training") == 1
    assert abs(order.count("LiteRT int8") - order.count("tf.function inference")) <= 1
    result = json.loads(out.read_text())
    assert result["failed"] == ["it broke"]
    assert [c["blocks"] for c in result["cases"]] == [4, 4, 0]
    assert result["cases"][2]["sd"] is None
    assert len(list(Records(out.with_suffix(".jsonl")))) == 8 * 6 * 6
