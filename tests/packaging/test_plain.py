"""The plain installation's packages alone: what they weigh, and what works with them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.packaging.test_wheel import MOST_BYTES
from tests.reports.fabricate import typical

OWN = ("bench", "reports", "scenarios", "tfbench")


def wanted(requirements: list[str]) -> set[str]:
    """Names of what requirements without extras bring, and what that brings."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name in found or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in metadata.requires(name) or ()]
    return found


@pytest.fixture(scope="module")
def distributions() -> list[metadata.Distribution]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [metadata.distribution(name) for name in sorted(wanted(project["dependencies"]))]


def test_the_plain_installation_stays_small(distributions: list[metadata.Distribution]) -> None:
    """Without compiled modules, which `pip` adds."""
    names = {each.metadata["Name"].lower() for each in distributions}
    assert "numpy" in names
    assert not names & {"scipy", "pandas", "matplotlib", "pillow", "scikit-learn", "tensorflow"}
    packages = sum(
        Path(str(file.locate())).stat().st_size
        for each in distributions
        for file in each.files or ()
        if file.suffix != ".pyc" and Path(str(file.locate())).exists()
    )
    own = sum(file.stat().st_size for top in OWN for file in (ROOT / top).rglob("*.py"))
    assert 30_000_000 < packages + own < MOST_BYTES


@pytest.fixture(scope="module")
def room(
    distributions: list[metadata.Distribution], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder to import from in which there are these packages and this project."""
    folder = tmp_path_factory.mktemp("room")
    for top in OWN:
        (folder / top).symlink_to(ROOT / top)
    for each in distributions:
        for top in {file.parts[0] for file in each.files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(Path(str(each.locate_file(top))))
    return folder


def call(room: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where nothing but the room can be imported."""
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(place), "COLUMNS": "200", "PYTHONPATH": str(room),
    }  # fmt: skip
    command = [sys.executable, "-S", "-m", "tfbench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=place, env=environment)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    typical(place / "run")
    typical(place / "other", seed=5)
    return place


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--help",), "guard"),
        (("list", "--plain"), "infer/litert-int8\n"),
        (("report", "run", "--summary", "summary.md", "--comment", "comment.md"), "report.html"),
        (("compare", "run", "other"), "comparison: "),
        (("recommend", "run"), "infer/"),
        (("history", "."), "history: "),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_it_does_what_needs_no_tensorflow(
    room: Path, runs: Path, arguments: tuple[str, ...], word: str
) -> None:
    done = call(room, runs, *arguments)
    assert done.returncode == 0, done.stderr
    assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("report", "run", "--export", "rows.csv"), "notebook"),
        (("report", "run", "--export", "rows.parquet"), "parquet"),
    ],
    ids=lambda each: each[-1] if isinstance(each, tuple) else "",
)
def test_what_needs_an_extra_says_which(
    room: Path, runs: Path, arguments: tuple[str, ...], extra: str
) -> None:
    done = call(room, runs, *arguments)
    assert done.returncode == 2
    assert f"install the extra `{extra}`" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


def test_a_tensorflow_by_another_name_is_one(room: Path, tmp_path: Path) -> None:
    """Beside which `tensorflow` is not installed."""
    info = tmp_path / "tensorflow_cpu-2.99.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: 2.99\n")
    done = call(room, tmp_path, "--version")  # the folder of a module that is run is searched
    assert "TensorFlow 2.99\n" in done.stdout
    assert "TensorFlow not installed\n" in call(room, tmp_path.parent, "--version").stdout
