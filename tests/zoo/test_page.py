"""The zoo's page and its going on, on runs made up here."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench.results.errors import UsageError
from bench.results.values import Effect
from research.zoo import __main__ as zoo
from research.zoo import page, running
from research.zoo.models import MODELS
from tests.reports.fabricate import typical

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


def test_the_page_says_what_ran_what_did_not_and_what_was_best(out: Path) -> None:
    text = page.markdown(page.visited(MODELS, out))
    first = next(line for line in text.splitlines() if MODELS[0].what in line)
    assert f"what {NAMES[0]} is for" in first
    assert "`infer/combined`" in first
    assert "÷" in first
    assert text.count("no GPU: install an NVIDIA driver") == 1, "a reason of all is said once"
    assert f"nox -s zoo -- {' '.join(NAMES[:2])}" in text
    assert f"Not run: {', '.join(NAMES[2:])}" in text
    assert f"{NAMES[0]} 1.5" in text
    assert "No row failed in 2 models." in text


def test_the_page_lists_what_failed_without_the_machines_folders(out: Path) -> None:
    (one, *_) = page.visited(MODELS, out)
    broken = Effect("infer/xla", "cpu-all", status="failed", reason="/tmp/x/net.h5 broke: a/b")
    text = page.markdown([dataclasses.replace(one, rows=(*one.rows, broken))])
    assert f"| {NAMES[0]} | infer/xla | net.h5 broke: a/b |" in text
    assert "No row failed" not in text


def test_what_was_run_by_this_version_is_not_run_again(out: Path) -> None:
    assert running.is_done(MODELS[0], out)
    assert not running.is_done(MODELS[2], out)
    (out / NAMES[0] / running.MARK).write_text(json.dumps({"key": "another"}))
    assert not running.is_done(MODELS[0], out)


def test_a_report_says_what_is_missing_and_fails(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = zoo.main(["--report", "--out", str(out), "--docs", str(tmp_path / "docs")])
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
