"""The rules of structure: which package may import which, and where TensorFlow may appear."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = {
    "bench.results": {"bench.results"},
    "bench.launch": {"bench.results", "bench.launch", "scenarios.core"},
    "bench.sweep": {"bench.results", "bench.sweep"},
    "bench.guard": {"bench.results", "bench.sweep", "bench.guard", "bench.explain"},
    "bench.explain": {"bench.results", "bench.sweep", "bench.explain"},
    "bench.plugin": {"bench.results", "bench.sweep", "bench.guard", "bench.plugin"},
    "tfbench": {
        "bench.results", "bench.sweep", "bench.guard", "bench.explain", "tfbench", "reports",
    },
    "reports": {"bench.results", "reports"},
    "scenarios.core": {"bench.results", "scenarios.core"},
    "scenarios.train": {"bench.results", "scenarios.core"},
    "scenarios.input": {"bench.results", "scenarios.core"},
    "scenarios.infer": {"bench.results", "scenarios.core"},
    "scenarios.serve": {"bench.results", "scenarios.core"},
}  # fmt: skip
TENSORFLOW = {"tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "keras_tuner"}
MODULES = sorted(
    path
    for top in ("tfbench", "bench", "reports", "scenarios")
    for path in (ROOT / top).rglob("*.py")
)


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0] if parts[0] in ("reports", "tfbench") else ".".join(parts[:2])


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_run_one_way(path: Path) -> None:
    package = package_of(path)
    if package not in ALLOWED:  # bench/__init__, bench/__main__, scenarios/__init__
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] not in ("tfbench", "bench", "scenarios", "reports"):
            continue
        target = parts[0] if parts[0] in ("reports", "tfbench") else ".".join(parts[:2])
        if target in ("bench", "scenarios"):  # `from bench import x` names x as well
            continue
        assert target in ALLOWED[package], f"{path} imports {name}"


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if package_of(p).split(".")[0] in ("bench", "reports")
     and "launch" not in p.parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)  # fmt: skip
def test_the_parent_never_names_tensorflow(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & TENSORFLOW


def test_no_scenario_times_prints_or_starts_processes() -> None:
    forbidden = {"time", "timeit", "subprocess", "multiprocessing"}
    for path in MODULES:
        family = package_of(path)
        if family in ("scenarios.train", "scenarios.input", "scenarios.infer"):
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
