"""`--json`: one object on standard output, as its schema in docs/schemas says."""

from __future__ import annotations

import dataclasses
import functools
import gc
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from bench.bundle.checks import Check
from bench.bundle.verifying import Verification
from bench.explain.diagnose import Diagnosis, NextStep
from bench.explain.verdict import Verdict
from bench.results.values import Effect
from bench.sweep.outlook import Outlook
from tests.command.test_surface import STORED
from tests.conftest import ROOT
from tests.guard.test_outputs import FOUND
from tfbench.command import cli, diagnose, guarding, running, verify
from tfbench.command.guard_request import Request
from tfbench.screen.answer import answer

SCHEMAS = ROOT / "docs/schemas"
Captured = pytest.CaptureFixture[str]


@functools.cache
def schemas() -> Registry[Any]:
    files = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    return Registry().with_resources((n, Resource.from_contents(s)) for n, s in files.items())


def checked(captured: Captured) -> dict[str, Any]:
    """The one object on standard output, which its schema describes."""
    found: dict[str, Any] = json.loads(captured.readouterr().out)
    schema = schemas().contents(f"{found['command']}.json")
    Draft202012Validator(schema, registry=schemas()).validate(found)
    return found


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED, tmp_path / "runs" / "old"))


@pytest.mark.parametrize("name", sorted(p.stem for p in SCHEMAS.glob("*.json")))
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schemas().contents(f"{name}.json"))


def test_each_column_of_a_row_says_what_it_is() -> None:
    described = schemas().contents("common.json")["$defs"]["effect"]["properties"]
    for column in dataclasses.fields(Effect):
        assert described[column.name]["description"], column.name


def test_every_command_has_the_option_and_a_schema() -> None:
    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    names = ("list", "run", "report", "recommend", "compare", "history", "guard", "diagnose")
    for name in (*names, "doctor", "verify", "merge"):
        assert any("--json" in each.opts for each in commands[name].params), name
        assert (SCHEMAS / f"{name}.json").exists()
    for name, command in commands["cache"].commands.items():
        assert any("--json" in each.opts for each in command.params), name
        assert (SCHEMAS / f"cache-{name}.json").exists()


def test_list_and_doctor(capsys: Captured) -> None:
    assert cli.main(["list", "infer/litert-int8", "--json"]) == 0
    assert "infer/litert-int8" in [each["id"] for each in checked(capsys)["scenarios"]]
    assert cli.main(["doctor", "--json"]) in (0, 3)
    assert checked(capsys)["findings"]


def test_what_is_said_of_a_stored_run(old: Path, tmp_path: Path, capsys: Captured) -> None:
    out = str(tmp_path / "out")
    for arguments, name in (
        (["report", str(old)], "effects"),
        (["recommend", str(old)], "best"),
        (["compare", str(old), str(old), "--out", out], "rows"),
        (["history", str(old.parent), "--out", out], "rows"),
    ):
        assert cli.main([*arguments, "--json"]) == 0
        found = checked(capsys)
        assert name in found
        assert found[name] or name == "rows"


def test_runs_that_were_put_together(
    old: Path, tmp_path: Path, capsys: Captured, request: pytest.FixtureRequest
) -> None:
    again = Path(shutil.copytree(old, tmp_path / "again"))
    lines = (again / "launches.jsonl").read_text().splitlines()
    (again / "launches.jsonl").write_text("\n".join(lines[1:]) + "\n")
    out = tmp_path / "both"
    gc.disable()  # its folder must be free at once, whatever still waits to be collected
    request.addfinalizer(gc.enable)
    assert cli.main(["merge", str(old), str(again), "--out", str(out), "--json"]) == 0
    assert checked(capsys)["effects"]
    assert (out / "report.html").exists()
    assert cli.main(["merge", str(old), "--out", str(tmp_path / "one")]) == 2
    assert cli.main(["run", "--resume", str(out)]) == 2
    assert "go on with one of them" in capsys.readouterr().err


def test_the_cache(tmp_path: Path, capsys: Captured) -> None:
    for command in ("list", "clear"):
        assert cli.main(["cache", command, "--cache", str(tmp_path), "--json"]) == 0
        assert checked(capsys)["command"] == f"cache-{command}"


def test_a_diagnosis(capsys: Captured) -> None:
    judged = Verdict("compute", "high", {"compute": 0.9}, {"compute": math.nan}, 4, 5, ("a note",))
    found = Diagnosis("train/function", "cpu-1", 0.02, judged, None, ("a warning",))
    tried = [NextStep.of("XLA", Effect("train/xla", "cpu-1", "train/function", speedup=1.2))]
    answer("diagnose", diagnoses=[diagnose._answer(found, tried)])
    (one,) = checked(capsys)["diagnoses"]
    assert one["verdict"]["traced"] == {"compute": None}


def test_a_comparison_of_the_guard(capsys: Captured) -> None:
    code = guarding.publish(FOUND, Request(), as_json=True)
    assert checked(capsys)["exit_code"] == code


def test_a_bundle_s_verification(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Verification("infer/x", (Check("speed", "cannot tell", "one launch"),), ("a note",))
    monkeypatch.setattr(verify, "measure", lambda *_: found)
    assert verify.verify(Path("bundle"), "60s", None, True) == found.exit_code
    assert checked(capsys)["verdict"] == "cannot tell"


def test_a_run_that_is_only_foretold(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    class Foretelling:
        def __init__(self, *_: object, **__: object) -> None: ...

        def foretell(self) -> Outlook:
            return Outlook("a line", (), (), {"infer/x": "no GPU"}, True, 4, 0, 12.5)

    monkeypatch.setattr(running, "Sweep", Foretelling)
    assert running.foretell([], {"profile": "smoke"}, None, as_json=True) == 0
    assert checked(capsys)["unsupported"] == {"infer/x": "no GPU"}


def test_an_error_leaves_standard_output_empty(capsys: Captured) -> None:
    assert cli.main(["report", "nowhere", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
