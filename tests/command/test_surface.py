"""What users and their programs rely on, as version 0.1.0 had it: nothing of it may be lost.

More may come; what is here stays. `stored/` is a run that version 0.1.0 wrote.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bench.guard import stored
from bench.guard.comparison import bases
from bench.guard.comparison import values as guard_values
from bench.guard.rule.limits import Limits
from bench.plugin.fixture import OPTIONS
from bench.results.errors import StoreError, UsageError
from bench.results.store import RunFolder, read_run
from bench.sweep import settings
from bench.sweep.interrupts import Interrupted
from tests.conftest import ROOT
from tfbench.command import cli, doctor, listing, running

STORED = Path(__file__).parent / "stored"
WORKLOAD = "--batch --cache --data --model --safe"
COMMANDS = {
    "compare": "--out --price RUNS",
    "diagnose": f"--configuration --settings --steps PATH {WORKLOAD}",
    "doctor": "--configuration --json --settings",
    "export": "--configuration --max-accuracy-loss --max-loss --measure --out RUN SCENARIO",
    "guard": "--allow-inconclusive --base --base-python --baseline --bisect --budget "
    f"--configuration --epochs --out --profile --seed --settings PATTERNS {WORKLOAD} "
    "--calls --command --prepare --cleanup --pytest -k --install --python",
    "history": "--every-environment --out FOLDER",
    "list": "--plain PATTERNS",
    "recommend": "--configuration --kind --max-accuracy-loss --max-latency --max-loss --max-memory "
    "--max-size --measure --minimize --price RUN",
    "merge": "--json --out RUNS",
    "report": "--anonymize --claims --json --price-per-hour --comment --export --summary RUN",
    "run": "--configuration --epochs --launches --out --profile --python --seed --settings "
    f"--anonymize --claims --force --json --price-per-hour --resume --shard PATTERNS {WORKLOAD}",
    "verify": "--budget --data --json BUNDLE",
    "trace": "--configuration --top OTHER RUN SCENARIO",
}
SETTINGS = (
    "profile configuration data model batch epochs seed cache launches python scenarios guard"
)
PROFILE = (
    "name looks half_width turn_ms rounds member_s warmup_s epochs timeout_s suite trace controls "
    "members within_error trainings placements build_apart"
)
EFFECTS = (
    "scenario,configuration,baseline,status,reason,latency_ns,throughput_per_s,speedup,speedup_low,"
    "speedup_high,size_bytes,size_ratio,accuracy,accuracy_delta_pp,peak_memory_bytes,first_step_s,"
    "break_even_steps,difficulty,warnings"
)
FILES = "run.json launches.jsonl effects.csv report.md report.html plots pytest-benchmark.json"
INI = "effect_skip_inconclusive effect_configuration effect_data effect_model effect_cache"


def test_the_command_line_itself_has_the_versions() -> None:
    command = typer.main.get_command(cli.app)
    assert "--version" in {option for each in command.params for option in each.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_keeps_its_arguments(name: str) -> None:
    command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
    has: set[str] = set()
    for each in command.params:
        has |= {each.name.upper()} if each.param_type_name == "argument" else {*each.opts}
    assert set(COMMANDS[name].split()) <= has


def test_settings_and_options_keep_their_names(tmp_path: Path) -> None:
    assert set(PROFILE.split()) <= {f.name for f in dataclasses.fields(settings.Profile)}
    assert set(INI.split()) <= set(OPTIONS)
    file = tmp_path / "settings.toml"
    file.write_text("[tool.tfbench]\nqqqqqqqq = 1\n")
    with pytest.raises(UsageError, match="unknown setting") as caught:
        settings.load(file, {})
    assert set(SETTINGS.split()) <= set(re.findall(r"\w+", str(caught.value)))
    assert {"smoke", "quick", "full"} <= set(settings.PROFILES)


def test_exit_codes_mean_what_they_did() -> None:
    assert (running.DONE, running.SOME_FAILED) == (0, 4)
    assert (doctor.FINE, doctor.BAD) == (0, 3)
    assert (guard_values.GOOD, guard_values.REGRESSION, guard_values.INCONCLUSIVE) == (0, 1, 3)
    assert guard_values.FAILED == 4
    assert UsageError.exit_code == StoreError.exit_code == 2


@pytest.mark.faults("Around it", {"Ctrl-C in any command": "exit 130, one line"})
def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "show", interrupt)
    assert cli.main(["list"]) == 130


HEARING = """
import os, signal, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == os.environ["AT"]:
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
sys.meta_path.insert(0, Finder)
"""


@pytest.mark.faults("Around it", {"a signal in the first moments": "exit 130, one line"})
@pytest.mark.parametrize("at", ["typer", "bench.sweep.settings", "tfbench.command.listing"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_first_moments(number: signal.Signals, at: str, tmp_path: Path) -> None:
    """While the parser, then what it needs, then the command itself is imported."""
    (tmp_path / "sitecustomize.py").write_text(HEARING)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    found = subprocess.run(
        [sys.executable, "-m", "tfbench", "list"], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": path, "AT": at, "SIGNAL": str(int(number))},
    )  # fmt: skip
    said = f"tfbench: interrupted by {number.name}\n"
    assert (found.returncode, found.stdout, found.stderr) == (130, "", said)


@pytest.mark.faults("Around it", {"a mistake of tfbench's own": "a traceback, exit 2: no verdict"})
def test_a_mistake_is_no_regression(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listing, "show", lambda *_, **__: {}["nothing"])
    monkeypatch.setattr(sys, "argv", ["tfbench", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "KeyError: 'nothing'" in capsys.readouterr().err


def test_an_interrupted_run_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted("interrupted by SIGTERM; to go on: tfbench run --resume runs/x")

    monkeypatch.setattr(running, "measure", interrupted)
    assert cli.main(["run", "infer/function"]) == 130
    assert "tfbench: interrupted by SIGTERM; to go on" in capsys.readouterr().err


def test_columns_stay_where_they_were(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run")
    folder.write_effects([])
    header = (tmp_path / "run/effects.csv").read_text().splitlines()[0]
    assert f"{header},".startswith(f"{EFFECTS},")
    assert (STORED / "effects.csv").read_text().splitlines()[0] == EFFECTS


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of a run of version 0.1.0."""
    return Path(shutil.copytree(STORED, tmp_path / "old"))


def test_an_old_run_keeps_its_figures(old: Path) -> None:
    run = read_run(old)
    with (STORED / "effects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["scenario"] for row in rows] == [row.scenario for row in run.effects.rows]
    for row in rows:
        now = run.effects.row(row["scenario"], row["configuration"])
        assert now is not None
        assert now.status == row["status"]
        for name in EFFECTS.split(","):
            value = getattr(now, name)
            if isinstance(value, float):
                assert value == pytest.approx(float(row[name]), rel=1e-9), name


def test_an_old_run_is_reported_compared_and_recommended_from(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(old.parent)
    for arguments, file in (
        (("report", str(old), "--export", str(old / "rows.csv")), "report.html"),
        (("compare", str(old), str(old), "--out", str(old / "c")), "c/compare.md"),
        (("recommend", str(old)), "run.json"),
        (("history", str(old.parent), "--out", str(old / "h")), "h/history.md"),
    ):
        assert cli.main([*arguments]) == 0
        assert (old / file).exists()
    assert "infer/litert-int8" in (old / "report.md").read_text()


def test_an_old_run_is_a_baseline(old: Path) -> None:
    runs = bases.read(old).runs
    found = stored.compare(runs, read_run(old), Limits())
    assert found.exit_code in (guard_values.GOOD, guard_values.INCONCLUSIVE)
    assert stored.check_environment(runs[-1].facts, runs[-1].facts) == []
