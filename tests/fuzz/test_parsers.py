"""Every parser meets wrong input with one line that says so: never a traceback, never a hang."""

from __future__ import annotations

import contextlib
import io
import json
import math
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from bench.bundle import claim as claims
from bench.bundle import places, verifying
from bench.bundle.claim import Claim, Form, Port, Quality, Speed
from bench.guard import stored as stored_runs
from bench.guard.loop import going_on, journal
from bench.guard.rule import limits
from bench.results import data_names, model_names, quantities
from bench.results.as_json import to_json
from bench.results.errors import TfbenchError
from bench.results.store import Run, read_run
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep import checking, merging, recording, resuming, settings
from bench.sweep.checking_models import check_model
from bench.sweep.discovery import discover
from bench.sweep.planning import Plan
from reports.facts import history, own_claims
from reports.facts.derive import facts_of
from reports.facts.limits import Limits, Loss
from reports.facts.recommend import recommend
from reports.facts.sides import all_sides
from reports.tables import comparison
from reports.tables.report import contents
from tests.command.test_surface import STORED
from tests.fuzz.making import MANY, VALUES, as_json, changed, garbled
from tfbench import exporting
from tfbench.command import cli, guard_request

KNOWN = discover()
ROOT = Path(tempfile.mkdtemp(prefix="tfbench-fuzz-"))
RUN = json.loads((STORED / "run.json").read_text())
LAUNCHES = [json.loads(line) for line in (STORED / "launches.jsonl").read_text().splitlines()]
for each in LAUNCHES:  # long rows of numbers would draw all changes to themselves
    for key in ("predictions", "correct", "outputs", "scores", "answers"):
        if key in each:
            each[key] = each[key][:3]


def tried(function: Callable[..., Any], *arguments: Any) -> Any:
    """What it gives, or None where it refuses in a line."""
    try:
        return function(*arguments)
    except TfbenchError as error:
        said = str(error)
    assert said.strip()
    assert "Traceback" not in said
    return None


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """The command line parser's own errors, which the command line shows, and ours."""
    try:
        yield
    except (TfbenchError, typer.Exit):
        pass
    except Exception as error:
        if not hasattr(error, "show"):
            raise


def folder() -> Path:
    """A folder of its own name, the same for each example."""
    place = ROOT / "x"
    place.mkdir(exist_ok=True)
    return place


def stored(run: bytes, launches: bytes) -> None:
    """A run's folder is read, computed with and shown, or refused."""
    place = folder()
    (place / "run.json").write_bytes(run)
    (place / "launches.jsonl").write_bytes(launches)
    found = tried(read_run, place)
    if found is not None:
        shown(found)


def shown(run: Run) -> None:
    facts = facts_of(run)
    contents(facts)
    tried(recommend, facts, "latency", Limits(Loss(1.0)))


def lines(launches: list[Any]) -> bytes:
    return b"".join(as_json(each) + b"\n" for each in launches)


OTHER = [{**each, "started_s": 5.0} for each in LAUNCHES]


def beside(run: bytes, launches: bytes) -> None:
    """A run is put beside another one in every way that there is, or refused."""
    place, other = folder(), folder() / "other"
    other.mkdir(exist_ok=True)
    for where, facts, found in ((place, run, launches), (other, as_json(RUN), lines(OTHER))):
        (where / "run.json").write_bytes(facts)
        (where / "launches.jsonl").write_bytes(found)
    one, two = tried(read_run, place), read_run(other)
    if one is None:
        return
    for both in ([one, two], [two, one]):
        tried(merging.merge, both)
        compared = tried(all_sides, [facts_of(each) for each in both], ())
        tried(comparison.contents, compared)
        tried(stored_runs.compare, both[:1], both[1], limits.Limits())
    tried(exported, one)


def exported(run: Run) -> None:
    """As far as is read from the run."""
    facts = facts_of(run)
    chosen, among = exporting.choose(facts, None, None, None)
    exporting.subject(run, facts, chosen, among, KNOWN)


@MANY
@pytest.mark.parametrize("used", [stored, beside])
@given(document=changed(RUN))
def test_facts_of_a_run(used: Callable[[bytes, bytes], None], document: Any) -> None:
    used(as_json(document), lines(LAUNCHES))


@MANY
@pytest.mark.parametrize("used", [stored, beside])
@given(document=changed(LAUNCHES))
def test_launches_of_a_run(used: Callable[[bytes, bytes], None], document: Any) -> None:
    whole = document if isinstance(document, list) else [document]
    used(as_json(RUN), lines(whole))


BEGUN = json.loads(json.dumps({
    **recording.facts(settings.Settings(settings.PROFILES["quick"], (Configuration("c", 1, (0,)),),
                                        WorkloadSpec()), list(KNOWN.values())[:3], "x", "tfbench"),
    "workload": {"line": "classification"},
    "columns": {"d": {"environment": {}, "wanted": []}},
    "resumed": [{"at": 1.0, "command": "", "differs": ["code: a → b"]}],
}))  # fmt: skip


@MANY
@given(changed(BEGUN), st.booleans())
def test_facts_of_a_run_that_goes_on(document: Any, force: bool) -> None:
    place = folder()
    (place / "run.json").write_bytes(as_json(document))
    (place / "launches.jsonl").unlink(missing_ok=True)
    found = tried(read_run, place)
    begun = tried(recording.settings_of, found.facts, str(place)) if found else None
    if begun is not None:
        plan = Plan(tuple(KNOWN.values())[:3], begun.configurations, begun.profile)
        tried(resuming.go_on, found, BEGUN, plan, force)
        tried(resuming.warnings, found.facts)


@MANY
@given(garbled((STORED / "launches.jsonl").read_bytes()))
def test_bytes_of_a_run(data: bytes) -> None:
    stored(as_json(RUN), data)


@MANY
@given(garbled((STORED / "effects.csv").read_bytes()))
def test_the_table_of_effects_in_a_history(data: bytes) -> None:
    place = folder() / "history" / "a"
    place.mkdir(parents=True, exist_ok=True)
    (place / "run.json").write_bytes(as_json(RUN))
    (place / "effects.csv").write_bytes(data)
    tried(history.history, place.parent)


PORT = Port("image", (1, 8, 8, 1), "float32")
FORM = Form("litert", "model.tflite", (PORT,), (PORT,), size_bytes=4)
CLAIM = to_json(
    Claim(
        "infer/x", summary="A path.", baseline="infer/function", model=FORM, baseline_model=FORM,
        configuration=Configuration("cpu-1", 1, (0,)), speedup=Speed(2.0, 1.9, 2.1, 6, "how"),
        quality=Quality("accuracy", 0.97, 0.975, -0.005, -0.01, 0.0), agreement={"top1": 1.0},
        workload={"data": "digits"}, environment={"cpu": "a", "packages": {"numpy": "2"}},
        commands={"run": "tfbench run"}, files={"model.tflite": "0"}, notes=("a",),
    )
)  # fmt: skip


@MANY
@given(st.one_of(changed({"schema": 1, **CLAIM}).map(as_json),
                 garbled(as_json({"schema": 1, **CLAIM}))))  # fmt: skip
def test_claims_of_bundles(data: bytes) -> None:
    """What is read as a claim names no place outside of the bundle that would be opened."""
    place = folder() / "bundle"
    place.mkdir(exist_ok=True)
    (place / "model.tflite").write_bytes(b"abcd")
    (place / claims.NAME).write_bytes(data)
    found = tried(claims.read, place)
    for form in (found.model, found.baseline_model) if found else ():
        path = tried(places.inside, place, form.place) if form else None
        assert path is None or path.resolve().is_relative_to(place.resolve())
    # the digests do not fit: nothing is run, whatever the claim says
    verdict = tried(verifying.verify, place, 1.0, _Quiet())
    assert verdict is None or verdict.exit_code in (1, 3)


class _Quiet:
    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


def _samples() -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{"output/image": np.zeros((2, 3))})
    return file.getvalue()


@MANY
@given(garbled(_samples()))
def test_samples_of_bundles(data: bytes) -> None:
    place = folder()
    (place / verifying.SAMPLES).write_bytes(data)
    tried(verifying.recorded, place, FORM, "output/")


TABLE: dict[str, Any] = {
    "profile": "quick", "configuration": ["cpu-1", "two"], "data": "digits", "model": "cnn",
    "batch": 8, "epochs": 1, "seed": 0, "cache": "x", "launches": 2, "scenarios": ["infer/*"],
    "exclude": "train/*", "train_budget": "5s", "take": 5, "task": "auto", "metric": "accuracy",
    "scenario_folders": ["a"], "baseline": "infer/function", "workload": "mine",
    "configurations": {"two": {"cpus": [0], "threads": 1, "environment": {"A": "1"}}},
    "profiles": {"quick": {"looks": [2], "half_width": 0.1, "trace": False, "rounds": 3}},
    "workloads": {"mine": {"data": "digits", "model": "cnn", "batch": 4}},
    "guard": {"latency": 0.02, "noisy": ["cpu-all"], "budget": "5m", "allowance": {"infer": 0.01},
              "scenarios": {"infer/*": {"size": 0.0}}},
}  # fmt: skip


def toml(value: Any, top: bool = True) -> str:
    """A document as TOML; what TOML cannot say is left out."""
    if isinstance(value, dict):
        pairs = [f"{json.dumps(k)} = {text}" for k, v in value.items() if (text := toml(v, False))]
        return "\n".join(pairs) if top else f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(filter(None, (toml(each, False) for each in value)))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    return "" if value is None else json.dumps(value)


def load(data: bytes) -> None:
    file = folder() / "settings.toml"
    file.write_bytes(data)
    tried(settings.load, file, {})
    table = tried(settings.read_table, file)
    if table is not None:
        tried(limits.load, table.get("guard", {}))


@MANY
@given(changed(TABLE))
@pytest.mark.faults("Stored files", {"settings changed at random": "read, or refused in a line"})
def test_settings(document: Any) -> None:
    whole = document if isinstance(document, dict) else {"data": document}
    load(f"[tool.tfbench]\n{toml(whole)}\n".encode("utf-8", "replace"))


@MANY
@given(garbled(f"[tool.tfbench]\n{toml(TABLE)}\n".encode()))
def test_bytes_of_settings(data: bytes) -> None:
    load(data)


NAMES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["digits", "synthetic:8x8x3", "npz:x", "csv:x", "images:x", "a.py:f", "m:f",
                     "cnn", "applications:MobileNetV2", "x.keras", "x.tflite", "x.onnx",
                     "tfrecord:*", "function:a", "mnist", "samples"]),
    st.builds("{}:{}".format, st.sampled_from(["synthetic", "npz", "a.py", "tfrecord", "x.y"]),
              st.text(max_size=20)),
)  # fmt: skip


@MANY
@given(NAMES, NAMES, st.one_of(st.none(), NAMES))
def test_names_of_data_models_and_metrics(data: str, model: str, metric: str | None) -> None:
    data_names.source(data)
    model_names.form(model)
    tried(settings.load, None, {"data": data, "model": model, "metric": metric})


@MANY
@given(garbled(b'a,b;c\td\n1,2;3\t4\n"x""y"\n'), st.text(max_size=5))
def test_headers_of_tables(data: bytes, target: str) -> None:
    file = folder() / "table.csv"
    file.write_bytes(data)
    tried(checking.check_data, f"csv:{file}", target)


@MANY
@given(garbled(b"import x\n\n\ndef build(shape, classes=3):\n    return 1\n"))
def test_python_files_that_are_only_read(data: bytes) -> None:
    file = folder() / "models" / "model.py"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    tried(settings.load, None, {"model": f"{file}:build"})


SCENARIO = b'''"""A module."""
from tfbench import scenario, InferencePath


@scenario(baseline="infer/function", needs=("model:keras",), variants={"a": {"n": 1}})
def mine(workload, n=0) -> "InferencePath":
    """A path of mine."""
    return InferencePath(1)
'''


@MANY
@given(garbled(SCENARIO))
def test_scenarios_that_are_only_read(data: bytes) -> None:
    place = folder() / "scenarios"
    place.mkdir(exist_ok=True)
    (place / "mine.py").write_bytes(data)
    tried(discover, folder() / "nowhere", [place])


@MANY
@given(
    st.one_of(
        garbled(b"scenario,technique,speed,size,quality\ninfer/x,X,2.5x,3,1pp\n"),
        garbled(b'[[claims]]\nscenario = "infer/x"\nspeed = 2.5\n'),
    ),
    st.booleans(),
)
def test_claims_of_ones_own(data: bytes, table: bool) -> None:
    file = folder() / ("claims.csv" if table else "claims.toml")
    file.write_bytes(data)
    tried(own_claims.read, file)


@MANY
@given(st.text(max_size=20))
def test_times_sizes_and_points(text: str) -> None:
    tried(quantities.seconds, text)
    tried(quantities.size_bytes, text, "x")
    with refusing():
        Loss.read(text, "--x")


COMMAND = typer.main.get_command(cli.app)


def words() -> Iterator[str]:
    """Every command and flag that there is."""
    for name, command in COMMAND.commands.items():  # type: ignore[attr-defined]
        yield name
        yield from (option for each in command.params for option in each.opts)
        yield from getattr(command, "commands", ())


WORDS = st.one_of(
    st.sampled_from(sorted(set(words()))),
    st.text(max_size=15),
    st.sampled_from(["cpu-1", "infer/*", "-1", "0", "1pp", "90s", "--", "-", "x=1"]),
)


@MANY
@given(st.lists(WORDS, max_size=7))
def test_the_command_line(arguments: list[str]) -> None:
    """Parsed as far as a command gets before it does anything."""
    with refusing(), COMMAND.make_context("tfbench", list(arguments)) as context:
        _descend(COMMAND, context)


def _descend(command: Any, context: Any) -> None:
    left = [*getattr(context, "_protected_args", ()), *context.args]
    if not hasattr(command, "commands") or not left:
        return
    name, inner, rest = command.resolve_command(context, left)
    if inner is not None:
        with inner.make_context(name, rest, parent=context) as below:
            _descend(inner, below)


@MANY
@given(st.dictionaries(st.sampled_from(["data", "model", "batch", "epochs", "seed", "task", "take",
                                        "configuration", "profile", "python", "target"]),
                       st.one_of(st.text(max_size=12), st.integers(-5, 5))))  # fmt: skip
def test_flags(flags: dict[str, Any]) -> None:
    """As the command line passes them: numbers where it asks for numbers."""
    whole = ("batch", "epochs", "seed", "take")
    given_ = {k: v if k in whole else str(v) for k, v in flags.items() if k not in whole
              or isinstance(v, int)}  # fmt: skip
    found = tried(settings.load, None, given_)
    if found is not None:
        tried(check_model, found.workload)


@MANY
@given(VALUES)
def test_limits_of_guard(value: Any) -> None:
    if isinstance(value, dict):
        tried(limits.load, value)
    tried(limits.load, {"latency": value})


def test_a_zip_that_is_none_is_no_samples() -> None:
    """What numpy.load takes for an archive or a pickle by its first bytes."""
    for data in (b"PK\x03\x04", b"\x80\x04.", b"", b"\x93NUMPY\x01\x00"):
        (folder() / verifying.SAMPLES).write_bytes(data)
        with pytest.raises(TfbenchError):
            verifying.recorded(folder(), FORM, "output/")
    assert not zipfile.is_zipfile(folder() / verifying.SAMPLES)


# --- a guard that goes on -------------------------------------------------------------------------

KEPT = {
    "guard": {
        "asked": {
            "patterns": ["a"],
            "request": {"base": "main", "budget": "60s", "code": {"calls": "hot.py"}},
            "flags": {"seed": 1, "exclude": ["b"]},
            "file": "x.toml",
            "folder": "/mine",
        },
        "base": {"commit": "ab", "packages": {"numpy": "2"}},
        "head": {"folder": ".", "commit": "cd", "changes": {"a.py": "1"}, "packages": {}},
        "plan": {"budget_s": 60.0, "limits": {"noisy": ["cpu-all"]}},
        "code": "x",
        "files": {},
    },
    "environment": {"host": "a"},
}
STEPS = [
    {"what": "begun", "until_s": 0.1},
    {"what": "probe a@cpu-1 base", "until_s": 0.2, "launches": 1},
    {"what": "operations a@cpu-1", "until_s": 1.0, "operations": [
        {"name": "f", "base_ns": 1.0, "head_ns": 2.0, "base_count": 1, "head_count": 2}]},
]  # fmt: skip


@MANY
@given(changed(KEPT))
def test_facts_of_a_guard(document: Any) -> None:
    place = folder()
    (place / "run.json").write_bytes(as_json(document))
    (place / "launches.jsonl").unlink(missing_ok=True)
    found = tried(read_run, place)
    if found is not None:
        tried(guard_request.read, found)
        tried(going_on.check, found, KEPT)


@MANY
@given(changed(STEPS))
def test_steps_of_a_guard(document: Any) -> None:
    place = folder()
    lines = document if isinstance(document, list) else [document]
    (place / journal.STEPS).write_bytes(b"\n".join(map(as_json, lines)) + b"\n")
    tried(journal.read, Run(place, {}, ()))
