"""What is shown on a terminal cannot command it: no names, no messages, in no way of printing."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from bench.results.errors import UsageError
from bench.results.text import harmless, visible
from tests.reports.fabricate import Spec, fabricate
from tfbench.command import cli, listing
from tfbench.screen.answer import answer
from tfbench.screen.plain import tell
from tfbench.screen.terminal import Console

ROOT = Path(__file__).resolve().parents[2]
BAD = "name\x1b]0;owned\x07\x1b[2Jof\x9b31m\u202eit\r\x00\ud800"
FORBIDDEN = set("\x1b\x07\x9b\u202e\r\x00\ud800")


def test_text_is_shown_by_its_code_points() -> None:
    assert visible("a\x1b[1m\n b") == "a\\u001b[1m b"
    assert harmless("a\tb\nc\x9b\u2028é日") == "a\tb\nc\\u009b\\u2028é日"


@pytest.mark.parametrize("terminal", [True, False])
def test_whatever_rich_prints(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, color_system=None)
    table = Table()
    table.add_column(BAD)
    table.add_row(Text(BAD))
    for each in (BAD, Text(BAD), table):
        console.print(each, markup=False, highlight=False)
    assert not FORBIDDEN & set(out.getvalue())
    assert "\\u001b[2J" in out.getvalue()


def test_a_reader_that_is_gone_costs_no_verdict() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as file:
        console = Console(file=file)
        console.print("a line\n" * 5000)
        assert console.quiet


@pytest.mark.faults(
    "Around it", {"whoever reads what is printed is gone": "it goes on in silence; never exit 1"}
)
def test_a_reader_that_is_gone_is_no_regression() -> None:
    for arguments in (["list", "--plain"], ["list"], ["list", "--json"]):
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tfbench", *arguments], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        assert "Traceback" not in process.communicate()[1]
        assert process.returncode in (0, 2), arguments


def test_rich_still_colours() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard").print(Text("x", "red"))
    assert "\x1b[31m" in out.getvalue()


def test_brackets_are_no_styles() -> None:
    out = io.StringIO()
    table = Table("name")
    for name in ("a[red]", "b[/x]"):
        table.add_row(name)
    Console(file=out, force_terminal=True, color_system=None).print("c[bold]", table)
    assert all(each in out.getvalue() for each in ("a[red]", "b[/x]", "c[bold]"))


def test_json_stays_the_same_json(capsys: pytest.CaptureFixture[str]) -> None:
    answer("list", name=BAD, words="größer")
    said = capsys.readouterr().out
    assert not FORBIDDEN & set(said)
    assert json.loads(said)["name"] == BAD


@pytest.mark.faults("Around it", {"names that command the terminal": "shown as code points"})
def test_an_error_and_a_run_s_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(tmp_path / "run", [
        Spec("infer/function", size=9, gzip=9),
        Spec(f"infer/{BAD[:-1]}", "infer/function", 2.0, size=5, gzip=4),
        Spec("infer/not", "infer/function", outcome="failed", reason=BAD[:-1]),
    ])  # fmt: skip
    for arguments in (["recommend"], ["report"], ["report", "--summary"]):
        cli.main([*arguments, str(tmp_path / "run")])
        said = capsys.readouterr()
        assert not FORBIDDEN & set(said.out + said.err), arguments

    def refuse(*_: object) -> None:
        raise UsageError(BAD)

    monkeypatch.setattr(listing, "show", refuse)
    assert cli.main(["list"]) == 2
    assert not FORBIDDEN & set(capsys.readouterr().err)


def test_nothing_is_printed_past_them() -> None:
    """Rich's own console and plain printing appear in the two modules above alone."""
    for path in (ROOT / "tfbench").rglob("*.py"):
        if path.name in ("plain.py", "terminal.py"):
            continue
        tree = ast.parse(path.read_text())
        calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        assert not {"print", "typer.echo", "click.echo"} & calls, path
        imported = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        if any(n.module == "rich.console" for n in imported):
            assert "Console" not in calls, path


def test_tell_ends_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell("a\nb")
    assert capsys.readouterr().out == "a\nb\n"
