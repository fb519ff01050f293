"""A run's folder that a stranger has prepared: nothing outside of it is read or written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.results.files import replace_text
from tests.command.test_surface import STORED
from tfbench.command import cli, merge

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """What is not the stranger's."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "photo.png").write_text("mine")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED, tmp_path / "run"))


@pytest.mark.faults("Stored files", {"a run holds links": "refused"})
@pytest.mark.parametrize(
    "name", ["plots", "traces", "report.html", "run.json", "launches.jsonl", "launches.jsonl.part"]
)
def test_links_in_a_run_are_refused(
    name: str, run: Path, mine: Path, tmp_path: Path, capsys: Captured
) -> None:
    shutil.rmtree(run / name, ignore_errors=True)
    (run / name).unlink(missing_ok=True)
    (run / name).symlink_to(mine / "photo.png" if "." in name else mine)
    other = shutil.copytree(STORED, tmp_path / "other")
    for arguments in (
        ["report", str(run)],
        ["report", str(run), "--anonymize"],
        ["run", "--resume", str(run)],
        ["merge", str(run), str(other), "--out", str(tmp_path / "out")],
        ["export", str(run), "--out", str(tmp_path / "bundle")],
        ["compare", str(run), str(other)],
        ["history", str(run.parent)],
        ["recommend", str(run)],
        ["trace", str(run), "infer/function"],
        ["guard", "--baseline", str(run), "--out", str(tmp_path / "guard")],
    ):
        assert cli.main(arguments) == 2
        said = capsys.readouterr().err
        assert said == f"tfbench: {name} in {run} is a link or a device: do not use it\n"
    assert (mine / "photo.png").read_text() == "mine"


def test_a_file_is_not_written_through_a_link(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json.part").symlink_to(mine / "photo.png")
    replace_text(tmp_path / "run.json", "{}")
    assert (tmp_path / "run.json").read_text() == "{}"
    assert (mine / "photo.png").read_text() == "mine"


def test_the_name_of_a_column_leads_nowhere(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    (traces / "infer-a@cpu-1").mkdir(parents=True)
    (traces / "infer-a@cpu-1" / "x.pb").write_text("x")
    out = tmp_path / "out" / "traces"
    merge._copy_traces(traces, out, {"cpu-1": "cpu-1@/../../../escaped"})
    assert [each.parent.parent for each in tmp_path.rglob("out/**/x.pb")] == [out]
    assert not (tmp_path / "escaped").exists()


def test_an_error_is_one_line_whatever_it_names(run: Path, capsys: Captured) -> None:
    assert cli.main(["trace", str(run), "infer/x\r\n::error::no"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_name_may_be_long(run: Path, capsys: Captured) -> None:
    name = "infer/" + "x" * 10_000
    facts = json.loads((run / "run.json").read_text())
    old = facts["scenarios"][0]["id"]
    for file in ("run.json", "launches.jsonl"):
        text = (run / file).read_text()
        (run / file).write_text(text.replace(json.dumps(old), json.dumps(name)))
    assert cli.main(["report", str(run)]) == 0
    assert cli.main(["export", str(run), name, "--out", str(run / "bundle")]) == 2
