"""`python -m tests.faults.page`: writes docs/reliability.md from what tests say of themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.reading import ROOT

PAGE = ROOT / "docs/reliability.md"
PLACES = ("In a launch", "Around it", "Stored files")
HEAD = """\
# What it survives

`nox -s faults` tries every fault of these tables on real processes and files; the quick ones are
among the tests. A fault in one scenario costs that scenario: its row says why, and the others'
results stand.

This page is written by `python -m tests.faults.page` from what the tests say of themselves.
"""


@dataclass(frozen=True)
class Fault:
    """A fault that a test tries."""

    place: str
    what: str
    happens: str
    test: str
    """File and function."""


def faults() -> list[Fault]:
    """All of them, by file."""
    return [fault for file in sorted((ROOT / "tests").rglob("test_*.py")) for fault in _of(file)]


def markdown() -> str:
    """The page."""
    found = faults()
    return "\n".join([HEAD, *("\n".join(_table(place, found)) for place in PLACES)])


def _of(file: Path) -> Iterator[Fault]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        test = f"{file.relative_to(ROOT)}::{node.name}"
        for mark in node.decorator_list:
            if ast.unparse(mark).startswith("pytest.mark.faults"):
                if not isinstance(mark, ast.Call):
                    raise SystemExit(f"{test}: say where the fault is and what happens")
                place, tried = map(ast.literal_eval, mark.args)
                yield from (Fault(place, what, happens, test) for what, happens in tried.items())


def _table(place: str, found: list[Fault]) -> Iterator[str]:
    yield f"## {place}\n"
    yield "| fault | what happens | tried by |"
    yield "|---|---|---|"
    yield from (f"| {x.what} | {x.happens} | `{x.test}` |" for x in found if x.place == place)
    yield ""


if __name__ == "__main__":
    PAGE.write_text(markdown(), encoding="utf-8")
