"""Bundles of strangers: what leads out of them, or is no claim, is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.bundle import checks, claim, places, texts
from bench.bundle.checks import FALSE, HOLDS, OPEN, Check
from bench.bundle.claim import Claim, Form, Port, Quality, Speed
from bench.bundle.measuring import Pair
from bench.bundle.verifying import verify
from bench.results.errors import UsageError
from bench.results.values import Estimate
from bench.sweep.progress import Silent

PORT = Port("image", (1, 8, 8, 1), "float32")
FORM = Form("litert", "model.tflite", (PORT,), (Port("y", (1, 3), "float32"),), size_bytes=4)
SPEED = Speed(2.0, 1.9, 2.1, 6, "measured")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "model.tflite").write_bytes(b"abcd")
    made = Claim("infer/x", model=FORM, files=places.digests(tmp_path))
    claim.write(tmp_path, made)
    return tmp_path


def test_a_claim_survives_its_file(bundle: Path) -> None:
    assert claim.read(bundle).model == FORM


def changed(bundle: Path, **changes: Any) -> None:
    table = json.loads((bundle / "claim.json").read_text())
    (bundle / "claim.json").write_text(json.dumps({**table, **changes}))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": 99}, {"schema": "1"}, {"model": 3}, {"model": {"runtime": "litert"}},
        {"model": {"runtime": "sh", "place": "x", "inputs": [], "outputs": []}},
        {"speedup": {"value": "9", "low": 1, "high": 2, "launches": 1, "how": ""}},
        {"speedup": {"value": float("nan"), "low": 1, "high": 2, "launches": 1, "how": ""}},
        {"files": []}, {"scenario": None}, {"notes": "x"},
    ],
)  # fmt: skip
def test_what_is_no_claim_is_refused(bundle: Path, changes: dict[str, Any]) -> None:
    changed(bundle, **changes)
    with pytest.raises(UsageError) as caught:
        claim.read(bundle)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", ["/etc/passwd", "../x", "a/../../x", "", "a\\..\\b"])
def test_places_stay_inside(bundle: Path, place: str) -> None:
    with pytest.raises(UsageError, match="leaves the bundle"):
        places.inside(bundle, place)


@pytest.mark.parametrize("target", ["model.tflite", "/etc/passwd"])
@pytest.mark.faults("Stored files", {"a bundle holds links, or names places outside": "refused"})
def test_links_are_refused(bundle: Path, target: str) -> None:
    (bundle / "link").symlink_to(target)
    with pytest.raises(UsageError, match="link"):
        verify(bundle, 1.0, Silent())


def test_other_files_than_claimed_are_found_before_anything_runs(bundle: Path) -> None:
    (bundle / "model.tflite").write_bytes(b"abcdefgh")
    found = verify(bundle, 1.0, Silent())
    assert found.exit_code == 1
    assert found.checks[0].reason == "model.tflite changed"
    assert "8 bytes; 4 were claimed" in found.checks[1].reason
    assert found.notes == ("nothing was run",)


def test_only_what_comes_into_a_models_folder_is_a_change() -> None:
    claimed, found = {"model/a": "1"}, {"model/a": "1", "__pycache__/infer.pyc": "2"}
    assert checks.files(claimed, found, ["model"]).verdict == HOLDS
    assert checks.files(claimed, {**found, "model/b": "3"}, ["model"]).verdict == FALSE
    assert checks.files(claimed, {}, ["model"]).verdict == FALSE


# --- the three values -----------------------------------------------------------------------------


def pair(log: float, spread: float, control: float = 0.0) -> Pair:
    signs = (-1, 1, 1, -1, -1, 1)
    return Pair(
        tuple(-log + spread * s for s in signs), tuple(control + 1e-4 * s for s in signs),
        (0, 1, 0, 1, 0, 1),
    )  # fmt: skip


def test_a_speed_holds_fails_or_stays_open() -> None:
    assert SPEED.promised == pytest.approx(1.71)
    assert checks.speed(SPEED, pair(0.69, 0.01), 60).verdict == HOLDS
    assert checks.speed(SPEED, pair(0.40, 0.01), 60).verdict == FALSE
    assert checks.speed(SPEED, pair(0.55, 0.30), 60).verdict == OPEN
    assert checks.speed(SPEED, None, 60).verdict == OPEN


def test_without_a_sound_control_nothing_is_reported() -> None:
    found = checks.speed(SPEED, pair(0.69, 0.01, control=0.2), 60)
    assert found.verdict == OPEN
    assert "differs from itself" in found.reason


def test_quality_is_judged_by_its_claimed_interval() -> None:
    claimed = Quality("accuracy", 0.97, 0.975, -0.005, -0.01, 0.0)

    def judged(value: float, reach: float) -> str:
        change = Estimate(value, value - reach, value + reach, 100)
        return checks.quality(claimed, change, "digits").verdict

    assert judged(-0.005, 0.005) == HOLDS
    assert judged(-0.03, 0.005) == FALSE
    assert judged(-0.012, 0.005) == OPEN
    assert judged(-0.005, 0.05) == OPEN
    assert checks.quality(claimed, None, "digits").verdict == OPEN
    level = checks.level(claimed, 0.95, "digits")
    assert level is not None
    assert level.verdict == FALSE


def test_an_error_is_better_when_smaller() -> None:
    claimed = Quality("mae", 1.1, 1.0, 0.1, 0.0, 0.2, larger_is_better=False)
    assert checks.quality(claimed, Estimate(0.5, 0.4, 0.6, 9), "x").verdict == FALSE
    assert checks.quality(claimed, Estimate(0.1, 0.0, 0.2, 9), "x").verdict == HOLDS


def test_one_broken_promise_breaks_the_claim() -> None:
    good, bad, open_ = (Check("x", v, "") for v in (HOLDS, FALSE, OPEN))
    assert checks.together([good, bad, open_]) == FALSE
    assert checks.together([good, open_]) == OPEN
    assert checks.together([good]) == HOLDS
    assert [checks.EXIT_CODES[v] for v in (HOLDS, FALSE, OPEN)] == [0, 1, 3]


def test_outputs_are_compared_one_by_one() -> None:
    assert checks.outputs("m", [[1.0, 2.0]], [[1.0, 2.0]], "float32").verdict == HOLDS
    assert checks.outputs("m", [[1.0, 2.1]], [[1.0, 2.0]], "float32").verdict == FALSE
    assert checks.outputs("m", [[1.0]], [], "float32").verdict == FALSE


# --- the texts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("runtime", claim.RUNTIMES)
@pytest.mark.parametrize("inputs", [1, 3])
def test_the_script_is_short_python(runtime: str, inputs: int) -> None:
    ports = tuple(
        Port(f"in {i}", (4, 8), "float32", i, 0.1, -3, "int8") for i in range(inputs)
    )  # fmt: skip
    form = Form(runtime, "model", ports, (PORT,), batch=4, xla=True)
    text = texts.infer_script(Claim("infer/x", summary='Says "hi".', model=form), form)
    compile(text, "infer.py", "exec")
    assert len(text.splitlines()) <= 40
    assert "bench" not in text


def test_a_readme_tells_how_outputs_agree_and_not_what_that_is_held_against() -> None:
    agreement = {"kind/top1": 0.98, "kind/top1_chance": 0.4, "kind/displaced": 0.0,
                 "correlation": 0.99, "correlation_chance": 0.3}  # fmt: skip
    text = texts.readme(Claim("infer/x", model=FORM, agreement=agreement), ["infer.py"])
    told = [line for line in text.splitlines() if "agreement with" in line]
    assert [line.split("|")[1].split(":")[1].strip() for line in told] == [
        "kind/top1", "correlation",
    ]  # fmt: skip
