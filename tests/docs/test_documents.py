"""The documents: short, in plain words, and true to the code as far as a test can see."""

from __future__ import annotations

import ast
import fnmatch
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from bench.guard.rule import limits
from bench.sweep import settings
from bench.sweep.discovery import discover
from tests.docs.reading import (
    DOCUMENTS,
    PRIVATE,
    ROOT,
    WRITTEN,
    Command,
    anchors,
    blocks,
    commands,
    inline,
    links,
    name_of,
    prose,
)

MOST_WORDS = {"docs/measuring.md": 1800}
"""Of a document; 900 where nothing else is said."""
MOST_WORDS_IN_ALL = 11_500
PATH = re.compile(r"(bench|docs|reports|research|scenarios|tests|tfbench)/[\w./-]*")
SCENARIO = re.compile(r"(\*|train|input|infer|serve)/(?!my-)[\w*-]+")


def each(documents: tuple[Path, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", documents, ids=name_of)


@each((*WRITTEN, ROOT / "docs/precision.md"))
def test_a_document_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").split()) <= MOST_WORDS.get(name_of(path), 900)


def test_all_documents_together_are_short() -> None:
    total = sum(len(path.read_text(encoding="utf-8").split()) for path in WRITTEN)
    assert total <= MOST_WORDS_IN_ALL


@each(DOCUMENTS)
def test_a_document_speaks_plainly(path: Path) -> None:
    text = " ".join(prose(path).split())
    for pattern in PRIVATE:
        assert not re.search(pattern, text, re.IGNORECASE), pattern


# --- what is referred to exists -------------------------------------------------------------------


@each(DOCUMENTS)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        assert "://" not in link, f"{link}: documents need nothing from elsewhere"
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each(WRITTEN)
def test_files_that_are_named_exist(path: Path) -> None:
    for text in inline(path):
        if PATH.fullmatch(text):
            assert (ROOT / text).exists(), text


@each(WRITTEN)
def test_scenarios_that_are_named_exist(path: Path) -> None:
    known = discover()
    for text in inline(path):
        if SCENARIO.fullmatch(text):
            assert fnmatch.filter(known, text), text


@each(WRITTEN)
def test_extras_that_are_named_exist(path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for named in re.findall(r"pip install\b[^\n`]*\.\[([\w,]+)\]", path.read_text()):
        for extra in named.split(","):
            assert extra in project["optional-dependencies"], extra


def test_nobody_is_sent_to_another_project() -> None:
    """The name on the package index belongs to somebody else."""
    tops = ("tfbench", "bench", "reports", "scenarios", "docs", ".github")
    files = [file for top in tops for file in (ROOT / top).rglob("*")]
    for file in (*files, *ROOT.glob("*.md"), ROOT / "noxfile.py"):
        if file.suffix in (".py", ".md", ".yml", ".j2") or file.name == "Jenkinsfile":
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"pip install [^\n]*\btfbench\b", text), file


# --- commands -------------------------------------------------------------------------------------


def all_commands(program: str) -> list[Command]:
    return [command for path in WRITTEN for command in commands(path, program)]


@pytest.mark.parametrize("command", all_commands("tfbench"), ids=lambda c: c.place)
def test_the_command_line_takes_it(command: Command) -> None:
    import typer

    from tfbench.command.cli import app

    known = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    name, *arguments = command.words or ("--help",)
    if name.startswith("-"):
        return
    assert name in known
    try:
        known[name].make_context(name, arguments)
    except Exception as error:
        if command.whole or type(error).__name__ != "MissingParameter":
            raise


def test_commands_are_found() -> None:
    """The test above has something to look at, in blocks, in lists and in sentences."""
    found = {(c.words[0], c.whole) for c in all_commands("tfbench") if c.words}
    assert {("run", True), ("recommend", True), ("doctor", False)} <= found


@pytest.mark.parametrize(
    "command",
    [*all_commands("nox"), *all_commands("python3 -m nox")],
    ids=lambda c: c.place,
)
def test_the_session_exists(command: Command) -> None:
    words = iter(command.words)
    for word in words:
        if word == "-s":
            break
    named = [word for word in iter(lambda: next(words, "--"), "--")]
    assert named
    for name in named:
        assert name in sessions(), name


def sessions() -> set[str]:
    """Names of the noxfile's sessions, `tests-3.12` of one with several Pythons among them."""
    found: set[str] = set()

    def session(function: Any = None, *, name: str = "", python: Any = None, **_: Any) -> Any:
        if function is None:
            return lambda given: session(given, name=name, python=python)
        own = name or function.__name__
        versions = python if isinstance(python, list | tuple) else ()
        found.update((own, *(f"{own}-{version}" for version in versions)))
        return function

    options = SimpleNamespace()
    recorder = SimpleNamespace(session=session, options=options, Session=object)
    with patch.dict(sys.modules, nox=recorder):  # nox itself is not installed beside the tests
        runpy.run_path(str(ROOT / "noxfile.py"))
    return found


# --- code -----------------------------------------------------------------------------------------


@each(WRITTEN)
def test_settings_are_taken(path: Path, tmp_path: Path) -> None:
    for text in blocks(path, "toml"):
        table = tomllib.loads(text)["tool"]["tfbench"]
        limits.load(table.get("guard", {}))
        file = tmp_path / "settings.toml"
        file.write_text(text)
        settings.load(file, {})


def test_blocks_are_found() -> None:
    """The tests of blocks have something to look at."""
    for language in ("toml", "python"):
        assert len([text for path in WRITTEN for text in blocks(path, language)]) >= 5, language


@each(WRITTEN)
def test_python_is_python(path: Path) -> None:
    for text in blocks(path, "python"):
        ast.parse(text)
