"""Whose group has controls, and what their launches say."""

from __future__ import annotations

import dataclasses
import math

import pytest

from bench.results.values import Launch, Role, Scenario
from bench.sweep import controls

GROUP = "infer/plain@cpu-1"


def scenario(name: str, baseline: str = "", unit: str = "step") -> Scenario:
    kind = name.partition("/")[0]
    return Scenario(name, kind, "", "", "", "", 0, baseline or None, unit=unit)  # type: ignore[arg-type]


def test_the_baseline_that_most_are_compared_with_is_controlled_of_each_kind() -> None:
    chosen = [
        scenario("train/eager"), scenario("train/function", "train/eager"),
        scenario("infer/eager"), scenario("infer/function", "infer/eager"),
        scenario("infer/xla", "infer/function"), scenario("infer/int8", "infer/function"),
        scenario("input/serial"), scenario("input/cache", "input/serial"),
        scenario("serve/one", unit="job"), scenario("serve/two", "serve/one", unit="job"),
    ]  # fmt: skip
    assert controls.baselines(chosen) == {"train/eager", "infer/function", "input/serial"}


def test_a_lone_scenario_and_a_baseline_that_was_not_chosen_have_none() -> None:
    assert controls.baselines([scenario("input/serial")]) == set()
    assert controls.baselines([scenario("input/cache", "input/serial")]) == set()


def launches(same: float, slow: float, sd: float = 0.001, count: int = 8) -> list[Launch]:
    """Of a baseline and its controls, whose times differ by the factors; deviations cancel."""
    made = []
    roles: dict[Role, float] = {"baseline": 1.0, "control-same": same, "control-slow": slow}
    for index in range(count):
        for order, (role, factor) in enumerate(roles.items()):
            level = math.log(1e6 * factor) + sd * (-1) ** (index >> order)
            made.append(
                Launch("infer/plain", "cpu-1", GROUP, role, index=index, level=level,
                       start_order=order if index % 2 else 2 - order, examples_per_step=1)
            )  # fmt: skip
    return made


def test_controls_that_show_what_was_injected_pass() -> None:
    found = controls.verdicts(launches(1.0, 1.05))[GROUP]
    assert found["passed"]
    assert found["slow"][0] == pytest.approx(0.05, abs=0.005)
    assert found["slow"][1] < 0.05 < found["slow"][2]
    assert 0 < found["noise_floor"] < 0.01
    assert not controls.warnings({GROUP: found})


@pytest.mark.parametrize(
    ("same", "slow", "reason"),
    [
        (1.03, 1.05, "the baseline differed from itself by +3"),
        (1.0, 1.02, "an injected 5% was measured as +2"),
        (1.0, 1.09, "an injected 5% was measured as +9"),
    ],
)
def test_controls_that_show_something_else_fail(same: float, slow: float, reason: str) -> None:
    (warning,) = controls.warnings(controls.verdicts(launches(same, slow)))
    assert warning.startswith(f"the controls of {GROUP} failed: {reason}")


def test_noise_that_hides_the_injected_effect_widens_the_floor_and_fails_nothing() -> None:
    found = controls.verdicts(launches(1.0, 1.05, sd=0.05))[GROUP]
    assert found["passed"]
    assert found["noise_floor"] > 0.02


def test_a_group_without_controls_has_no_verdict() -> None:
    plain = [x for x in launches(1.0, 1.05) if x.role == "baseline"]
    assert controls.verdicts(plain) == {}


def test_controls_without_turns_fail() -> None:
    untimed = [dataclasses.replace(x, level=None) for x in launches(1.0, 1.05)]
    assert controls.verdicts(untimed)[GROUP]["reason"] == "the controls took no turns"
