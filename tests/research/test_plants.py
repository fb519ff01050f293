"""Planted changes: each can still be planted, and what counts as found."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest

from bench.sweep.discovery import ROOT
from research.planted.__main__ import CASES
from research.planted.plants import SUITE, plant, sharing


@pytest.mark.parametrize("kind", CASES)
def test_each_change_can_be_planted_in_the_code_as_it_is(kind: str, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "scenarios", clone / "scenarios")
    shutil.copy(ROOT / "noxfile.py", clone)
    (tmp_path / "accuracy.json").write_text("[3, [0.4, 0.021]]")
    memory = {"scenario": "infer/function", "metric": "peak_memory", "base": 1e8}
    (tmp_path / "results.jsonl").write_text(json.dumps({"judgements": [memory]}) + "\n")
    before = {file: file.read_text() for file in clone.rglob("*.py")}
    plant(kind, 1, tmp_path).apply(clone)
    (changed,) = (file for file, text in before.items() if file.read_text() != text)
    ast.parse(changed.read_text())


def test_a_slow_function_slows_every_scenario_that_it_builds() -> None:
    assert sharing("infer/eager") == ("infer/eager",)
    batches = ("infer/function", "infer/function-b8", "infer/function-b32")
    assert {sharing(id) for id in batches} == {batches}
    assert all(id in sharing(id) for id in SUITE)
