"""A run's folder may come from a stranger: it names no code of a scenario that is exported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.command.test_surface import STORED
from tfbench.command import cli

EVIL = "open({marker!r}, 'w').write('ran')\n"


@pytest.fixture
def edited(tmp_path: Path) -> tuple[Path, Path]:
    """A run in which every scenario's code is said to be a stranger's file; what that leaves."""
    marker, evil = tmp_path / "ran", tmp_path / "evil.py"
    evil.write_text(EVIL.format(marker=str(marker)))
    run = Path(shutil.copytree(STORED, tmp_path / "run"))
    facts = json.loads((run / "run.json").read_text())
    for each in facts["scenarios"]:
        each |= {"module": str(evil), "path": str(evil), "function": "x"}
    (run / "run.json").write_text(json.dumps(facts))
    return run, marker


@pytest.mark.faults("Stored files", {"a run names another file as a scenario's": "not imported"})
def test_a_scenario_is_found_by_its_id_whatever_the_run_names(
    edited: tuple[Path, Path], tmp_path: Path
) -> None:
    from bench.results.store import read_run
    from bench.sweep.discovery import discover
    from reports.facts.derive import facts_of
    from tfbench import exporting

    run, here = read_run(edited[0]), discover()
    facts = facts_of(run)
    chosen = next(m for m in facts.all if m.ok and m.scenario in here and m.kind == "infer")
    found = exporting.subject(run, facts, chosen, 1, here)
    assert found.scenario == here[chosen.scenario]
    assert found.baseline is None or found.baseline == here[found.baseline.id]


def test_an_unknown_id_is_refused(
    edited: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, marker = edited
    for name in ("run.json", "launches.jsonl"):
        text = (run / name).read_text()
        (run / name).write_text(text.replace("infer/", "infer/strange-"))
    id = next(
        x["scenario"]
        for x in map(json.loads, (run / "launches.jsonl").read_text().splitlines())
        if x["scenario"].startswith("infer/") and x.get("turns")
    )
    out = tmp_path / "bundle"
    assert cli.main(["export", str(run), id, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert f"no scenario {id} is known here: give its folder by --scenarios DIR" in said
    assert not out.exists()
    assert not marker.exists()
