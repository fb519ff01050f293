"""Scenarios of a user's own in a comparison: each side has its version of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.sources.scenarios import subjects
from bench.results.errors import UsageError
from bench.results.values import Scenario
from bench.sweep.settings import find_configuration

CONFIGURATIONS = [find_configuration("cpu-1", {})]
OWN = "@scenario()\ndef {}(workload) -> InferencePath:\n    '''Own.'''\n"


def side(root: Path, **files: str) -> Checkout:
    (root / "mine").mkdir(parents=True)
    for name, text in files.items():
        (root / "mine" / f"{name}.py").write_text(text)
    return Checkout(root.name, root, sys.executable)


def test_each_side_has_its_own(tmp_path: Path) -> None:
    elsewhere = side(tmp_path / "elsewhere", shared=OWN.format("shared")).root / "mine"
    base = side(tmp_path / "base", a=OWN.format("kept") + OWN.format("gone"))
    head = side(tmp_path / "head", a=OWN.format("kept"), b=OWN.format("new"))
    folders = [str(head.root / "mine"), str(elsewhere)]
    wanted = ["infer/kept", "infer/gone", "infer/new", "infer/shared"]
    found = {
        each.id: (each.base, each.head)
        for each in subjects(base, head, wanted, CONFIGURATIONS, folders=folders)
    }
    before, after = found["infer/kept"]
    assert isinstance(before, Scenario)
    assert isinstance(after, Scenario)
    assert before.module == str(base.root / "mine/a.py")
    assert after.module == str(head.root / "mine/a.py")
    assert found["infer/gone"][1] is None
    assert found["infer/new"][0] is None
    shared = {getattr(each, "module", None) for each in found["infer/shared"]}
    assert shared == {str(elsewhere / "shared.py")}


def test_a_folder_that_the_base_lacks_brings_new_scenarios(tmp_path: Path) -> None:
    head = side(tmp_path / "head", a=OWN.format("new"))
    base = Checkout("base", tmp_path, sys.executable)
    folders = [str(head.root / "mine")]
    (found,) = subjects(base, head, ["infer/new"], CONFIGURATIONS, folders=folders)
    assert found.base is None
    with pytest.raises(UsageError, match="no scenario 'infer/new'"):
        subjects(base, head, ["infer/new"], CONFIGURATIONS)
