"""How large the modules, the experiments and the whole tree may become."""

from __future__ import annotations

import fnmatch
import os
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_architecture import MODULES

LONGEST = 300
"""Lines of a module."""
PRECISION = 1_500
"""Lines of what `nox -s precision` needs to write one page."""
MOST_BYTES = 6_000_000
"""Of all files but git's own."""
IGNORED = [name.strip("/") for name in (ROOT / ".gitignore").read_text().split()]
RESEARCH = sorted((ROOT / "research").rglob("*.py"))


@pytest.mark.parametrize("path", [*MODULES, *RESEARCH], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_is_short(path: Path) -> None:
    assert lines(path) <= LONGEST


def test_the_benchmark_of_the_benchmark_is_short() -> None:
    assert sum(lines(path) for path in RESEARCH if path.parent.name == "precision") <= PRECISION


def test_the_tree_is_small() -> None:
    total = 0
    for place, folders, files in os.walk(ROOT):
        ignored = {name for pattern in IGNORED for name in fnmatch.filter(folders, pattern)}
        folders[:] = {*folders} - ignored - {".git"}
        total += sum((Path(place) / file).lstat().st_size for file in files)
    assert 1_000_000 < total <= MOST_BYTES


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
