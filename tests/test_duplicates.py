"""No two files say the same: what both need stands in one of them, or in a third."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

from tests.test_architecture import ROOT, name_of, room_of

TOPS = ("bench", "reports", "research", "scenarios", "tests", "tfbench")
LINES = 6
TUTORIALS = {"scenarios.train", "scenarios.input", "scenarios.infer", "scenarios.serve"}
"""Scenarios that teach the same loop write it out, each for the reader who opens it alone."""


def lines_of(text: str) -> Iterator[str]:
    """What counts: no blank line, comment, import or lone punctuation; white space folded."""
    importing = False
    for line in text.splitlines():
        code = " ".join(line.split())
        if importing or re.match(r"(from \S+ )?import\b", code):
            importing = ")" not in code and (importing or "(" in code)
        elif re.search(r"\w", code) and not code.startswith("#"):
            yield code


def shared(files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Pairs of files, given by name and text, that share a run of lines → its first line."""
    places = defaultdict(set)
    for name, text in files:
        lines = list(lines_of(text))
        for start in range(len(lines) - LINES + 1):
            places[tuple(lines[start : start + LINES])].add(name)
    return {
        pair: run[0] for run, names in places.items() for pair in combinations(sorted(names), 2)
    }


def test_no_two_files_share_a_run_of_lines() -> None:
    files = {
        str(path.relative_to(ROOT)): path for top in TOPS for path in (ROOT / top).rglob("*.py")
    }
    found = shared((name, path.read_text(encoding="utf-8")) for name, path in files.items())
    assert not {pair: line for pair, line in found.items() if not all(map(teaches, pair))}


def teaches(file: str) -> bool:
    """Whether it is a scenario, and no tool of several."""
    return room_of(name_of(ROOT / Path(file))) in TUTORIALS


def test_a_shared_run_is_found_whatever_stands_around_it() -> None:
    run = [f"step_{number}()" for number in range(LINES)]
    first = "import a\n" + "\n".join(run)
    second = "def other():\n" + "\n\n    # why\n".join(f"    {line}" for line in run)
    assert shared([("a", first), ("b", second)]) == {("a", "b"): "step_0()"}
    assert not shared([("a", "\n".join(run[1:])), ("b", second)])
