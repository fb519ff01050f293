"""Each fault that the page names is tried by a test of that name, which `nox -s faults` runs."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.reading import ROOT

ROWS = [
    line.strip("|").split("|")
    for line in (ROOT / "docs/reliability.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and "::" in line
]
NAMED = sorted({row[2].strip().strip("`") for row in ROWS})


def test_there_are_many_and_none_twice() -> None:
    assert len(ROWS) >= 50
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("name", NAMED)
def test_the_test_exists_and_is_marked(name: str) -> None:
    path, _, function = name.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    (found,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == function)
    marks = [ast.unparse(each) for each in found.decorator_list]
    marks += [ast.unparse(n.value) for n in tree.body if isinstance(n, ast.Assign)
              and ast.unparse(n.targets[0]) == "pytestmark"]  # fmt: skip
    assert any(re.search(r"\bmark\.faults\b", mark) for mark in marks)
