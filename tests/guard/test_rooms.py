"""The guard's rooms: which may import which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

GUARD = Path(__file__).resolve().parents[2] / "bench/guard"
BELOW = {
    "rule": set[str](),
    "comparison": {"rule"},
    "checkouts": set[str](),
    "sources": {"comparison", "checkouts"},
    "outputs": {"comparison"},
    "stored": {"rule", "comparison"},
    "loop": {"rule", "comparison", "checkouts", "sources", "outputs"},
}
"""Each room with those that it may import; the command line uses them all."""
MODULES = sorted(
    path for path in GUARD.rglob("*.py") if path.parent != GUARD or path.stem == "stored"
)


def imports(path: Path) -> set[str]:
    """The full names that a module imports."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(path: Path) -> str:
    return path.relative_to(GUARD).with_suffix("").parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(GUARD)))
def test_arrows_run_one_way(path: Path) -> None:
    parts = [name.split(".") for name in imports(path)]
    used = {each[2] for each in parts if each[:2] == ["bench", "guard"]}
    assert used <= BELOW[room(path)] | {room(path)}


def test_every_room_is_listed() -> None:
    assert {room(path) for path in MODULES} == set(BELOW)


def test_the_rule_is_statistics_alone() -> None:
    """No launches, files or processes: it can be checked on distributions of known answers."""
    own = ("bench.guard.rule", "bench.results.errors", "bench.results.quantities",
           "bench.results.quantiles", "bench.results.statistics")  # fmt: skip
    used = {name for path in (GUARD / "rule").glob("*.py") for name in imports(path)}
    assert all(name.startswith(own) for name in used if name.startswith("bench"))
    assert not {name.partition(".")[0] for name in used} & {"os", "pathlib", "subprocess"}
