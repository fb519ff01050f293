"""A run that was made anonymous names nobody, and its figures are the same."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from bench.results.anonymous import Names, folder
from bench.results.errors import StoreError
from bench.results.store import read_run
from tests.reports.fabricate import ENVIRONMENT, Spec, fabricate
from tfbench.command.cli import main

NAMES = Names.of(("ada-laptop", "ci7"), ("ada",), "/srv/people/ada")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("/srv/people/ada/models/x.py", "~/models/x.py"),
        ("/home/bob/x: no such file", "~/x: no such file"),
        ("/Users/eve/a b", "~/a b"),
        ("/root/.cache/tfbench", "~/.cache/tfbench"),
        ("/rooted/x", "/rooted/x"),
        ("runs/2026-ada-laptop", "runs/2026-ada-laptop"),  # a part of a longer word
        ("on ada-laptop by ada.", "on host by user."),
        ("adagrad, ci7x", "adagrad, ci7x"),
    ],
)
def test_names_are_replaced_as_whole_words(text: str, plain: str) -> None:
    assert NAMES.text(text) == plain


def test_keys_and_numbers_stay() -> None:
    assert NAMES.value({"ada": ["ada", 3, None, {"x": 1.5}]}) == {
        "ada": ["user", 3, None, {"x": 1.5}],
    }


def test_binary_files_keep_their_length() -> None:
    data = b"\x22\x0aada-laptop\x12\x0b/home/bob/x\x1a\x0f/srv/people/ada\x00\xff adagrad"
    made = NAMES.data(data)
    assert made == b"\x22\x0ahosthostho\x12\x0b~~~~~~~~~/x\x1a\x0f~~~~~~~~~~~~~~~\x00\xff adagrad"


@pytest.mark.parametrize(
    ("data", "made"),
    [
        (b"Total metal-tal tal", b"Total metal-tal use"),
        (b"/home/bob\x00", b"~~~~~~~~~\x00"),
        (b'at /home/ann"', b'at ~~~~~~~~~"'),
        (b"/root\x00/rooted", b"~~~~~\x00/rooted"),
        (b"\x0a\x09/home/bobJ\x02ok", b"\x0a\x09~~~~~~~~~J\x02ok"),  # J begins another field
        (b"\x0a\x03talJ\x02ok", b"\x0a\x03useJ\x02ok"),
        (b"J\x32" + b"h" * 50 + b"J", b"J\x32" + b"host" * 12 + b"hoJ"),  # 50 is the digit 2
        (b"x/srv/tal", b"x~~~~~~~~"),
    ],
)
def test_names_in_binary_files_are_whole_words_or_fields(data: bytes, made: bytes) -> None:
    assert Names.of(("h" * 50,), ("tal",), "/srv/tal").data(data) == made


def test_a_trace_is_written_whole_or_not_at_all(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = run / "traces/infer-x@cpu-1/x.pb"
    trace.parent.mkdir(parents=True)
    trace.write_bytes(b"\x00ada-laptop\x00")

    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if not path.name.startswith("x.pb"):
            return write(path, data)
        write(path, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match="cannot be written"):
        folder(run)
    assert trace.read_bytes() == b"\x00ada-laptop\x00"
    assert not list(run.rglob("*.part"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    host = {"host": "ada-laptop", **ENVIRONMENT}
    reason = f"/home/ada/model.py on ada-laptop and {platform.node()}: no, thanks"
    fabricate(
        tmp_path / "run",
        [Spec("infer/function"), Spec("infer/x", "infer/function", 2.0),
         Spec("infer/bad", "infer/function", outcome="failed", reason=reason)],
        facts={"environment": host, "command": "tfbench run --model /home/ada/model.py"},
    )  # fmt: skip
    return tmp_path / "run"


def test_a_folder_names_nobody_and_keeps_its_figures(run: Path) -> None:
    before = read_run(run).effects.rows
    trace = run / "traces/infer-x@cpu-1/x.pb"
    trace.parent.mkdir(parents=True)
    trace.write_bytes(b"\x00ada-laptop\x00")
    folder(run)
    assert trace.read_bytes() == b"\x00hosthostho\x00"
    after = read_run(run).effects.rows
    assert [r.speedup for r in after] == [r.speedup for r in before]
    for file in run.iterdir():
        if file.is_file():
            said = file.read_text()
            assert "/home/ada" not in said, file
            assert "ada-laptop" not in said, file
            assert platform.node() not in said.split(), file
    assert json.loads((run / "run.json").read_text())["command"] == "tfbench run --model ~/model.py"


def test_report_anonymizes_before_it_writes(run: Path) -> None:
    assert main(["report", str(run), "--anonymize"]) == 0
    for name in ("report.md", "report.html", "run.json", "launches.jsonl"):
        assert "ada-laptop" not in (run / name).read_text()
