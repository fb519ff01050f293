"""What needs no model answers without the libraries that take long to load."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from tests.conftest import ROOT
from tfbench.command import version

HEAVY = ("tensorflow", "keras", "pandas", "matplotlib", "scipy", "sklearn")
CODE = """
import sys
from tfbench.command.cli import main
code = main(sys.argv[1:])
print("\\nloaded:", code, *[name for name in {heavy} if name in sys.modules])
"""


def loaded(*arguments: str) -> list[str]:
    """The exit code, and which of the heavy libraries a command line loads."""
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(heavy=HEAVY), *arguments],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    return done.stdout.rpartition("loaded:")[2].split()


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("list",), ("list", "--plain", "infer/*"), ("run", "--help")],
    ids=" ".join,
)
def test_answers_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) == ["0"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "train/eagr"),
        ("run", "--data", "npz:nowhere.npz"),
        ("run", "--profile", "quik"),
        ("report", "nowhere"),
        ("recommend", "nowhere"),
        ("compare", "nowhere", "nowhere"),
        ("history", "nowhere"),
        ("trace", "nowhere", "train/xla"),
        ("doctor", "--configuration", "nowhere"),
        ("diagnose", "nowhere/nothing"),
        ("new-scenario", "nowhere"),
    ],
    ids=" ".join,
)
def test_refusals_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) == ["2"]


def test_versions_are_those_installed() -> None:
    found = version.versions()
    assert list(found) == ["tfbench", "Python", "TensorFlow", "Keras", "LiteRT"]
    assert found["TensorFlow"] == metadata.version("tensorflow")
    assert found["LiteRT"] == metadata.version("ai-edge-litert")
    assert found["Python"] == sys.version.split()[0]
    assert f'version = "{found["tfbench"]}"' in (ROOT / "pyproject.toml").read_text()
    assert version.text().splitlines()[0] == f"tfbench {found['tfbench']}"


def test_what_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(version.DISTRIBUTIONS, "Keras", "a-distribution-that-nobody-has")
    assert version.versions()["Keras"] == "not installed"
