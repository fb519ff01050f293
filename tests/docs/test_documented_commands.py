"""One of each documented command that needs no measuring, run as it stands in the documents."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.reading import ROOT, commands
from tests.reports import fabricate

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that the documents name."""
    home = tmp_path_factory.mktemp("home")
    for name, machine in (("X", 1.0), ("laptop", 1.0), ("server", 2.0)):
        fabricate.typical(home / "runs" / name, launches=4, machine=machine)
    return home


def documented(document: str, *start: str) -> tuple[str, ...]:
    """The first whole command of a document that starts so."""
    found = commands(ROOT / document, "tfbench")
    return next(c.words for c in found if c.whole and c.words[: len(start)] == start)


@pytest.mark.parametrize(
    ("document", "start", "said"),
    [
        ("README.md", ("recommend",), "Use infer/"),
        ("README.md", ("compare",), "compare.md"),
        ("docs/quickstart.md", ("list",), "infer/litert-int8"),
        ("docs/comparing.md", ("report", "runs/X", "--summary"), "report.html"),
        ("docs/comparing.md", ("history",), "history.md"),
    ],
)
def test_it_runs(
    tfbench: Cli, runs: Path, document: str, start: tuple[str, ...], said: str
) -> None:
    done = tfbench(*documented(document, *start), cwd=runs)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_the_doctor_examines_this_machine(tfbench: Cli, runs: Path) -> None:
    done = tfbench(*documented("docs/troubleshooting.md", "doctor"), cwd=runs)
    assert done.returncode in (0, 3), done.stderr
    assert "steal time" in done.stdout
