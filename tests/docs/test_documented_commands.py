"""One of each documented command, run as it stands in the documents; or where it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.reading import ROOT, WRITTEN, commands
from tests.reports import fabricate
from tfbench.command import cli

Captured = pytest.CaptureFixture[str]
HERE = [
    ("README.md", ("recommend",), "Use infer/"),
    ("README.md", ("compare",), "compare.md"),
    ("docs/quickstart.md", ("list",), "infer/litert-int8"),
    ("docs/comparing.md", ("report", "runs/X", "--summary"), "report.html"),
    ("docs/comparing.md", ("history",), "history.md"),
    ("docs/comparing.md", ("merge",), "runs/both"),
    ("docs/scenarios.md", ("new-scenario",), "my_scenarios/infer/my_runtime.py"),
    ("docs/models.md", ("cache", "list"), "0.0 MB"),
    ("docs/models.md", ("cache", "clear"), "0.0 MB"),
    ("docs/troubleshooting.md", ("doctor",), "steal time"),
]
"""Those that measure nothing: document, how the command begins, what it says."""
ELSEWHERE = {
    "run": "tests/conftest.py",
    "guard": "tests/guard/test_live.py",
    "export": "tests/bundle/test_bundle.py",
    "verify": "tests/bundle/test_bundle.py",
    "diagnose": "tests/explain/test_diagnose.py",
    "trace": "tests/explain/test_traces.py",
}
"""Those that measure, or show what was: the test that runs the command."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs that the documents name."""
    home = tmp_path_factory.mktemp("home")
    for name, different in {
        "X": {}, "laptop": {}, "server": {"machine": 2.0},
        "one": {}, "two": {"configurations": ("cpu-all",)},
    }.items():  # fmt: skip
        fabricate.typical(home / "runs" / name, launches=4, **different)
    return home


def documented(document: str, *start: str) -> tuple[str, ...]:
    """The first whole command of a document that starts so."""
    found = commands(ROOT / document, "tfbench")
    return next(c.words for c in found if c.whole and c.words[: len(start)] == start)


@pytest.mark.parametrize(("document", "start", "said"), HERE, ids=lambda each: str(each))
def test_it_runs(
    home: Path, document: str, start: tuple[str, ...], said: str,
    monkeypatch: pytest.MonkeyPatch, capsys: Captured,
) -> None:  # fmt: skip
    monkeypatch.chdir(home)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TFBENCH_CACHE", str(home / "cache"))
    code = cli.main([*documented(document, *start)])
    output = capsys.readouterr()
    assert code in ((0, 3) if start == ("doctor",) else (0,)), output.err
    assert said in output.out


def test_none_is_left_out() -> None:
    named = {c.words[0] for path in WRITTEN for c in commands(path, "tfbench") if c.whole}
    assert named == {*ELSEWHERE, *(start[0] for _, start, _ in HERE)}
    for name, file in ELSEWHERE.items():
        assert re.search(rf'"{name}", |import {name} as command', (ROOT / file).read_text()), name
