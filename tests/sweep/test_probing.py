"""What a probe asks of a launch, and what it keeps where one ends early."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from bench.results.tolerance import FIRST_LOSSES
from bench.results.values import Launch, Scenario
from bench.sweep.probing import checked, probe
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import PROFILES, Profile

TRAIN = Scenario("train/x", "train", "", "scenarios.train.x", "x", "", 1)
STEP = Scenario("infer/x", "infer", "", "scenarios.infer.x", "x", "", 1)
JOB = Scenario("train/x", "train", "", "scenarios.train.x", "x", "", 1, unit="job")
PROFILE = PROFILES["smoke"]


class Fake:
    """A launch that answers, or fails at one message."""

    def __init__(
        self, build_s: float = 0.1, fails: str = "", accuracy: float = 0.5, **built: Any
    ) -> None:
        self.fails, self.accuracy = fails, accuracy
        self.built = {"build_s": build_s, "resident_bytes": 1} | built
        self.asked: list[tuple[str, float, dict[str, Any]]] = []
        self.closed = False
        self.training, self.comparable, self.left_out = 0, False, 0

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        self.asked.append((do, timeout_s, arguments))
        if do == self.fails:
            raise LaunchFailed("failed", f"{do} broke")
        if do == "build":
            return dict(self.built)
        if do == "losses":
            return {"losses": [2.0, 1.0], "left_out": self.left_out}
        return {"accuracy": self.accuracy, "step_losses": [3.0, 2.0], "from_a_later_version": 1}

    def output(self) -> str:
        assert not self.closed
        return "said"

    def close(self) -> None:
        self.closed = True


def probed(
    *fakes: Fake | LaunchFailed,
    scenario: Scenario = STEP,
    profile: Profile = PROFILE,
    compared: bool = False,
    training_s: float = math.inf,
) -> Launch:
    """The record of a probe whose launches are `fakes`, in order."""
    left = list(fakes)

    def start(training: int = 0, comparable: bool = False) -> Any:
        launch = left.pop(0)
        if isinstance(launch, LaunchFailed):
            raise launch
        launch.training, launch.comparable = training, comparable
        return launch

    record = probe(
        start,
        Launch("infer/x", "cpu-1", purpose="probe"),
        scenario,
        profile,
        compared,
        training_s,
    )
    assert not left
    assert all(fake.closed for fake in fakes if isinstance(fake, Fake))
    return record


def test_a_probe_keeps_what_it_found() -> None:
    fake = Fake()
    record = probed(fake)
    assert (record.outcome, record.accuracy, record.losses) == ("ok", 0.5, ())
    assert record.step_losses == (3.0, 2.0)
    assert record.outputs == ()
    asked = {"first": FIRST_LOSSES, "epochs": PROFILE.epochs}
    assert fake.asked[-1] == ("probe", PROFILE.timeout_s, asked)


def test_a_job_may_take_four_times_as_long() -> None:
    fake = Fake()
    probed(fake, scenario=JOB)
    assert {limit for _, limit, _ in fake.asked} == {4 * PROFILE.timeout_s}


@pytest.mark.parametrize("made", [{"made": True}, {}])
def test_a_step_that_made_its_artifact_is_probed_in_a_second_launch(made: dict[str, bool]) -> None:
    """Launches of older versions do not say so: by the time that it took."""
    cold, warm = Fake(build_s=2.0, **made), Fake(build_s=2.0, made=False)
    assert probed(cold, warm).accuracy == 0.5
    assert [do for do, *_ in cold.asked] == ["build"]
    assert [do for do, *_ in warm.asked] == ["build", "probe"]
    probed(Fake(build_s=2.0), scenario=JOB)  # a job is not built twice


def test_a_launch_that_ends_early_says_why_and_what_it_printed() -> None:
    record = probed(Fake(fails="probe"))
    assert (record.outcome, record.reason, record.output) == ("failed", "probe broke", "said")
    assert record.accuracy is None


def test_what_could_not_be_started_printed_nothing() -> None:
    never = LaunchFailed("failed", "the preloaded process ended: killed")
    assert probed(never).output == ""
    again = probed(Fake(build_s=2.0), never)
    assert (again.outcome, again.output) == ("failed", "")


def test_losses_that_are_compared_are_those_of_a_comparable_launch() -> None:
    plain, comparable = Fake(), Fake()
    record = probed(plain, comparable, scenario=TRAIN, compared=True)
    assert (record.losses, record.step_losses) == ((2.0, 1.0), (3.0, 2.0))
    assert (plain.comparable, comparable.comparable) == (False, True)
    assert [do for do, *_ in comparable.asked] == ["build", "losses"]
    assert comparable.asked[-1][2] == {"first": FIRST_LOSSES}
    probed(Fake(), scenario=STEP, compared=True)  # outputs need no other launch


def test_a_comparable_launch_that_fails_fails_the_probe() -> None:
    record = probed(Fake(), Fake(fails="losses"), scenario=TRAIN, compared=True)
    assert (record.outcome, record.reason) == ("failed", "losses broke")


FOLLOWED = dataclasses.replace(TRAIN, baseline="train/base", follows="float32")


@pytest.mark.parametrize(
    ("disturbed", "outcome"),
    [([2.0, 1.01], "ok"), ([2.0, 1.001], "failed"), ([], "failed"), ([2.0, math.nan], "failed")],
)
def test_losses_may_differ_as_far_as_one_rounding_moves_the_baseline_s(
    disturbed: list[float], outcome: str
) -> None:
    base = Launch("train/base", "cpu-1", losses=(2.0, 1.0))
    own = Launch("train/x", "cpu-1", losses=(2.0, 1.015))
    found = checked(own, base, FOLLOWED, lambda: [disturbed])
    assert found.outcome == outcome
    assert ("does other work" in found.reason) == (outcome == "failed")
    assert any("trainings may part by 4.0%" in each for each in found.warnings) == (outcome == "ok")


def test_a_path_whose_updates_take_long_is_compared_over_fewer_and_says_so() -> None:
    base = Launch("train/base", "cpu-1", losses=tuple(2.0 / n for n in range(1, 21)))
    slow = Launch("train/x", "cpu-1", losses=base.losses[:6], probes={"losses_left_out": 14})
    found = checked(slow, base, FOLLOWED)
    assert (found.outcome, found.warnings) == (
        "ok", ("its losses are compared over 6 updates: more would take too long",)
    )  # fmt: skip
    assert checked(base, base, FOLLOWED).warnings == ()
    assert checked(base, slow, FOLLOWED).warnings == found.warnings
    wrong = dataclasses.replace(slow, losses=(*slow.losses[:5], 1.0))
    assert checked(wrong, base, FOLLOWED).outcome == "failed"
    for lost in (slow.losses[:4], ()):
        few = dataclasses.replace(slow, losses=lost)
        assert f"{len(lost)} losses, the baseline has 6" in checked(few, base, FOLLOWED).reason
    no_reason = dataclasses.replace(slow, probes={})
    assert "6 losses, the baseline has 20" in checked(no_reason, base, FOLLOWED).reason


def test_how_many_losses_took_too_long_is_kept() -> None:
    comparable = Fake()
    comparable.left_out = 18
    record = probed(Fake(), comparable, scenario=TRAIN, compared=True)
    assert record.probes["losses_left_out"] == 18
    assert "losses_left_out" not in probed(Fake(), Fake(), scenario=TRAIN, compared=True).probes


def test_the_baseline_is_disturbed_only_where_losses_leave_it() -> None:
    base = Launch("train/base", "cpu-1", losses=(2.0, 1.0))
    assert checked(base, base, FOLLOWED, lambda: pytest.fail("nobody asked")).outcome == "ok"


# --- trainings --------------------------------------------------------------------------------

THRICE = dataclasses.replace(PROFILE, trainings=3)


def test_a_training_path_is_trained_as_often_as_the_profile_says() -> None:
    fakes = [Fake(accuracy=accuracy) for accuracy in (0.5, 0.6, 0.7)]
    record = probed(*fakes, scenario=TRAIN, profile=THRICE)
    assert (record.accuracy, record.accuracies) == (0.5, (0.5, 0.6, 0.7))
    assert [fake.training for fake in fakes] == [0, 1, 2]
    asked = ("accuracy", PROFILE.timeout_s, {"epochs": PROFILE.epochs})
    assert all(fake.asked[-1] == asked for fake in fakes[1:])


def test_a_path_that_trains_too_long_is_trained_once_and_says_so() -> None:
    record = probed(Fake(), scenario=TRAIN, profile=dataclasses.replace(THRICE, timeout_s=1e-12))
    assert record.accuracies == (0.5,)
    assert record.warnings == ("accuracy is that of 1, not 3 trainings: 0 s each",)


def test_a_technique_s_budget_shortens_its_trainings_and_spares_some() -> None:
    first, second = Fake(), Fake()
    record = probed(first, second, Fake(), scenario=TRAIN, profile=THRICE, training_s=60.0)
    assert first.asked[-1][2]["train_s"] == second.asked[-1][2]["train_s"] == 30.0
    assert len(record.accuracies) == 3
    record = probed(Fake(), scenario=TRAIN, profile=THRICE, training_s=1e-12)
    assert "1, not 3 trainings" in record.warnings[0]


def test_inference_and_jobs_are_not_trained_again() -> None:
    for scenario in (STEP, JOB):
        assert probed(Fake(), scenario=scenario, profile=THRICE).accuracies == ()


def test_a_path_that_cannot_be_trained_again_fails() -> None:
    record = probed(Fake(), Fake(), Fake(fails="accuracy"), scenario=TRAIN, profile=THRICE)
    assert (record.outcome, record.reason) == ("failed", "accuracy broke")
    assert record.accuracies == ()


# --- whether it answers as its baseline ----------------------------------------------------------

FOLLOWS = dataclasses.replace(STEP, follows="float32")


def answered(**outputs: float) -> Launch:
    """A launch with two outputs of one value each, in the order given."""
    launch = probed(Fake())
    return dataclasses.replace(launch, outputs_named={k: (v,) for k, v in outputs.items()})


def test_outputs_are_compared_by_name_in_whatever_order_a_runtime_gives_them() -> None:
    base, other = answered(energy=0.97, features=0.1), answered(features=0.1, energy=0.97)
    assert checked(other, base, FOLLOWS).outcome == "ok"


def test_each_output_is_judged_on_a_scale_of_its_own() -> None:
    base, other = answered(large=1000.0, small=0.1), answered(large=1000.0, small=0.2)
    found = checked(other, base, FOLLOWS)
    assert found.outcome == "failed"
    assert "output 'small'" in found.reason


def test_an_output_that_is_missing_is_named() -> None:
    found = checked(answered(one=1.0), answered(one=1.0, two=2.0), FOLLOWS)
    assert "output 'two'" in found.reason


@pytest.mark.parametrize(
    ("error", "correlation", "outcome"),
    [(0.3, 0.95, "ok"), (1.2, 0.95, "failed"), (0.3, 0.5, "failed")],
)
def test_what_eight_bits_cost_is_a_result_until_noise_drowns_the_answers(
    error: float, correlation: float, outcome: str
) -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    agreement = {"relative_error": error, "correlation": correlation}
    moved = dataclasses.replace(base, outputs=(0.5, 0.9), agreement=agreement)
    found = checked(moved, base, dataclasses.replace(STEP, follows="int8"))
    assert found.outcome == outcome
    assert any("an output differs by 0.89" in each for each in found.warnings)


def test_an_error_of_any_size_does_not_excuse_answers_in_another_order() -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    for held in ({"displaced": 2.0}, {"correlation": 0.1, "correlation_chance": 0.3}):
        same = dataclasses.replace(base, agreement={"relative_error": 0.01} | held)
        found = checked(same, base, dataclasses.replace(STEP, follows="int8"))
        assert found.outcome == "failed", held
        assert found.warnings == ()  # no single answer moved far


def test_what_rounded_inputs_alone_would_drown_is_unsupported_and_says_why() -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    follows = dataclasses.replace(STEP, follows="int8", inputs_in="int8")
    raw = {"relative_error@rounded_inputs": 1.1, "correlation@rounded_inputs": -0.1}
    lost = {"relative_error": 1.2, "correlation": 0.1, "correlation_chance": 0.3}
    found = checked(dataclasses.replace(base, agreement=lost | raw), base, follows)
    assert (found.outcome, "scale the columns" in found.reason) == ("unsupported", True)
    good = {"relative_error": 0.1, "correlation": 0.9, "correlation_chance": 0.3}
    found = checked(dataclasses.replace(base, agreement=good | raw), base, follows)
    assert found.outcome == "ok"  # whoever converts a network well keeps its row
    finer = dataclasses.replace(follows, inputs_in=None)
    found = checked(dataclasses.replace(base, agreement=lost | raw), base, finer)
    assert (found.outcome, "scale the columns" in found.reason) == ("failed", False)


def test_rounded_inputs_do_not_hide_answers_in_another_s_place() -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    follows = dataclasses.replace(STEP, follows="int8", inputs_in="int8")
    swapped = {"relative_error": 1.2, "displaced": 2.0, "relative_error@rounded_inputs": 1.2}
    found = checked(dataclasses.replace(base, agreement=swapped), base, follows)
    assert found.outcome == "failed"
    assert "2 columns of the output hold another's answers" in found.reason
    assert "scale the columns" in found.warnings[-1]


@pytest.mark.parametrize("follows", ["float32", "float16", "int8"])
def test_answers_that_are_no_numbers_fail_wherever_they_stand(follows: Any) -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    lost = {"relative_error": math.inf, "not_finite": 0.3}
    scenario = dataclasses.replace(STEP, follows=follows)
    found = checked(dataclasses.replace(base, agreement=lost), base, scenario)
    assert found.outcome == "failed"
    assert "30 % of the values of the output are not finite" in found.reason


def test_a_changed_network_says_where_rounded_inputs_cost_its_quality() -> None:
    raw = {"relative_error@rounded_inputs": 1.1, "correlation@rounded_inputs": -0.1}
    launch = dataclasses.replace(probed(Fake()), agreement={"relative_error": 1.0} | raw)
    found = checked(launch, None, dataclasses.replace(STEP, inputs_in="int8"))
    assert found.outcome == "ok"
    assert "scale the columns" in found.warnings[-1]
    calibrated = dataclasses.replace(STEP, deployment=("calibration data",))
    assert checked(launch, None, calibrated) == launch  # its inputs stay in float, or in 16 bits


def test_one_moved_output_of_float32_is_a_failure_whatever_the_others_do() -> None:
    base = dataclasses.replace(probed(Fake()), outputs=(0.5, 0.01))
    moved = dataclasses.replace(base, outputs=(0.5, 0.9), agreement={"relative_error": 0.01})
    assert checked(moved, base, FOLLOWS).outcome == "failed"
