"""The rules of structure: which package may import which, and where TensorFlow may appear."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.sweep.sources import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
OWN = ("tfbench", "reports", "scenarios", "bench")
ALLOWED = {
    "bench": set(),
    "bench.results": {"bench.results"},
    "bench.launch.timing": {"bench.results", "bench.launch.timing"},
    "bench.launch.code": {"bench.results", "bench.launch.timing", "bench.launch.code"},
    "bench.launch": {"bench.results", "bench.launch", "bench.launch.timing"},
    "bench.sweep": {"bench.results", "bench.sweep"},
    "bench.explain": {"bench.results", "bench.sweep", "bench.explain"},
    "bench.guard": {"bench.results", "bench.sweep", "bench.explain", "bench.guard"},
    "bench.bundle": {"bench.results", "bench.sweep", "bench.bundle"},
    "bench.plugin": {"bench.results", "bench.sweep", "bench.launch.timing", "bench.plugin"},
    "reports": {"bench.results", "reports"},
    "scenarios": set(),
    "scenarios.core": {"bench.results", "scenarios.core"},
    "scenarios.bundles": {"bench.results", "scenarios.core", "scenarios.bundles"},
    "scenarios.train": {"bench.results", "scenarios.core", "scenarios.train.tools"},
    "scenarios.train.tools": {"bench.results", "scenarios.core", "scenarios.train.tools"},
    "scenarios.input": {"bench.results", "scenarios.core", "scenarios.input.tools"},
    "scenarios.input.tools": {"bench.results", "scenarios.core", "scenarios.input.tools"},
    "scenarios.infer": {
        "bench.results", "scenarios.core", "scenarios.train.tools", "scenarios.infer.tools",
    },
    "scenarios.infer.tools": {"bench.results", "scenarios.core", "scenarios.infer.tools"},
    "scenarios.serve": {"bench.results", "scenarios.core", "scenarios.infer.tools"},
    "tfbench": {
        "tfbench", "reports", "bench.results", "bench.sweep", "bench.guard", "bench.explain",
        "bench.bundle", "bench.plugin", "scenarios.core",
    },
}  # fmt: skip
"""The rooms that each room may import: the lowest first, everything else is forbidden. A family's
scenarios use its tools, and never another scenario."""
TENSORFLOW = {"tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "keras_tuner"}
MODULES = sorted(path for top in OWN for path in (ROOT / top).rglob("*.py"))


def name_of(path: Path) -> str:
    """A module's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """The room that a module, or something inside it, belongs to."""
    parts = name.split(".")
    if parts[0] in ("reports", "tfbench"):
        return parts[0]
    inner = ".".join(parts[:3])
    return inner if inner in ALLOWED else ".".join(parts[:2])


def imports(path: Path) -> set[str]:
    """All that a module imports anywhere in it, `from a import b` as `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in ("import_module", "__import__", "module", "attribute"):
                given = [a.value for a in node.args if isinstance(a, ast.Constant)]
                found |= {str(name).partition(":")[0] for name in given}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_run_one_way(path: Path) -> None:
    allowed = ALLOWED[room_of(name_of(path))]
    own = {name for name in imports(path) if name.split(".")[0] in OWN}
    assert {name for name in own if room_of(name) not in allowed} == set()


def test_the_arrows_have_no_circle() -> None:
    """Of the top-level packages: the face above reports and scenarios, these above the bench."""
    floors = {"tfbench": 2, "reports": 1, "scenarios": 1, "bench": 0}
    for room, targets in ALLOWED.items():
        tops = {target.split(".")[0] for target in targets} - {room.split(".")[0]}
        assert all(floors[top] < floors[room.split(".")[0]] for top in tops), room


def test_no_two_rooms_import_each_other() -> None:
    """Nor by way of others: taken away from the top, none is left."""
    left = {room: targets - {room} for room, targets in ALLOWED.items()}
    while free := left.keys() - {target for targets in left.values() for target in targets}:
        left = {room: targets for room, targets in left.items() if room not in free}
    assert not left


def test_every_room_that_is_named_exists() -> None:
    used = {room_of(name_of(path)) for path in MODULES}
    assert used == ALLOWED.keys()


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.relative_to(ROOT).parts[0] in ("bench", "reports", "tfbench")
     and "launch" not in p.relative_to(ROOT).parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)  # fmt: skip
def test_the_parent_never_names_tensorflow(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & TENSORFLOW


def test_contributors_find_every_room() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = text.partition("## The rooms")[2].partition("\n## ")[0]
    for top in OWN:
        for room in (path.parent.name for path in (ROOT / top).glob("*/__init__.py")):
            assert re.search(rf"^{top}/.*\b{room}/", rooms, re.MULTILINE), f"{top}/{room}"


def test_no_scenario_times_prints_or_starts_processes() -> None:
    forbidden = {"time", "timeit", "subprocess", "multiprocessing"}
    for path in MODULES:
        if room_of(name_of(path)) in {f"scenarios.{family}" for family in FAMILIES}:
            assert not {n.split(".")[0] for n in imports(path)} & forbidden, path
            assert "print(" not in path.read_text(), path


def test_running_the_command_line_imports_no_tensorflow() -> None:
    code = (
        "import sys, tfbench.command.cli, bench.sweep.schedule, tfbench.command.running, reports;"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"
