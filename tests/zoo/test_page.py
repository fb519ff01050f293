"""The zoo's page and its going on, on runs made up here."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench.results.as_json import to_json
from bench.results.errors import UsageError
from research.zoo import __main__ as zoo
from research.zoo import page, running
from research.zoo.models import MODELS
from tests.conftest import ROOT
from tests.reports.fabricate import Spec, fabricate, typical

NAMES = [model.name for model in MODELS]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The zoo's folder, in which two models were run."""
    for model in MODELS[:2]:
        facts = {"workload": {"line": f"what {model.name} is for"}}
        typical(tmp_path / model.name, 2, facts=facts)
        mark = {"key": running.key(model), "code": 0, "seconds": 90.0}
        (tmp_path / model.name / running.MARK).write_text(json.dumps(mark))
    return tmp_path


@pytest.fixture
def records(out: Path) -> Path:
    """What is kept of them."""
    page.keep(out, out / "records")
    return out / "records"


def test_the_page_says_what_ran_what_did_not_and_what_was_best(records: Path) -> None:
    text = page.markdown(page.kept(records))
    first = next(line for line in text.splitlines() if MODELS[0].what in line)
    assert f"what {NAMES[0]} is for" in first
    assert "`infer/combined`" in first
    assert "÷" in first
    assert text.count("no GPU: install an NVIDIA driver") == 1, "a reason of all is said once"
    assert f"Not run: {', '.join(NAMES[2:])}" in text
    assert f"in minutes: {NAMES[0]} 1.5, {NAMES[1]} 1.5." in text
    assert "No row failed in 2 models." in text


def test_what_other_machines_kept_stays_on_the_page(records: Path, tmp_path: Path) -> None:
    """A sitting that runs one model leaves the others' records alone."""
    (one, two) = page.kept(records)
    elsewhere = dataclasses.replace(two, machine="another, 8 cores", commit="abc1234")
    (records / f"{NAMES[1]}.json").write_text(json.dumps(to_json(elsewhere)))
    page.keep(tmp_path / "empty", records)
    assert page.kept(records) == [one, elsewhere]
    assert f"another, 8 cores, at abc1234, in minutes: {NAMES[1]} 1.5." in page.markdown(
        page.kept(records)
    )


def test_the_page_lists_what_failed_without_the_machines_folders(out: Path) -> None:
    why = "/tmp/x/net.h5 broke: a/b"
    broken = Spec("infer/xla", "infer/function", outcome="failed", reason=why)
    folder = out / "broken"
    fabricate(folder, [Spec("infer/function"), broken], 2)
    (folder / running.MARK).write_text(json.dumps({"seconds": 1.0}))
    text = page.markdown([page.visit(MODELS[0], folder)])
    assert f"| {NAMES[0]} | infer/xla | net.h5 broke: a/b |" in text
    assert "No row failed" not in text


def test_the_page_is_the_one_that_its_records_give() -> None:
    written = (ROOT / "docs/zoo.md").read_text(encoding="utf-8")
    assert page.markdown(page.kept(zoo.RECORDS)) == written


def test_what_was_run_by_this_version_is_not_run_again(out: Path) -> None:
    assert running.is_done(MODELS[0], out)
    assert not running.is_done(MODELS[2], out)
    (out / NAMES[0] / running.MARK).write_text(json.dumps({"key": "another"}))
    assert not running.is_done(MODELS[0], out)


def test_a_report_says_what_is_missing_and_fails(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--docs", str(tmp_path / "docs"), "--records", str(tmp_path / "records")]
    code = zoo.main(["--report", "--out", str(out), *places])
    assert code == 1
    said = capsys.readouterr().out
    assert f"{NAMES[0]}: infer/clustered is not ok" in said
    assert f"{NAMES[2]}: was not run" in said
    assert (tmp_path / "docs/zoo.md").exists()


def test_models_are_chosen_by_name_or_glob() -> None:
    assert [m.name for m in zoo.choose(["pitch*"])] == [n for n in NAMES if n.startswith("pitch")]
    assert zoo.choose([]) == list(MODELS)
    with pytest.raises(UsageError, match="no model 'panda'"):
        zoo.choose(["panda"])
