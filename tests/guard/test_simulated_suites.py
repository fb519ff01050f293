"""Error rates and power of the whole guard on invented launches of known effects."""

from __future__ import annotations

import pytest

from bench.guard.rule.limits import Limits
from tests.guard.fakes import Effect, compare, verdicts

SUITES = 40


def suite(**changed: Effect) -> dict[str, Effect]:
    """Ten scenarios, most of them unchanged; keyword `s3` replaces the fourth."""
    return {f"infer/s{i}": changed.get(f"s{i}", Effect(noise=0.006)) for i in range(10)}


def alarms(effects: dict[str, Effect], suites: int = SUITES, **options: float) -> int:
    """Suites in which anything was called a regression."""
    return sum(
        any(v == "regression" for v in verdicts(compare(effects, seed, **options)[0]).values())
        for seed in range(suites)
    )


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(Effect(noise=0.003), id="quiet"),
        pytest.param(Effect(noise=0.02), id="noisy"),
        pytest.param(Effect(noise=0.006, order=0.02), id="being started second costs 2 %"),
        pytest.param(Effect(noise=0.006, process=0.004), id="each process has a bias of its own"),
        pytest.param(Effect(noise=0.006, outlier=0.1), id="one launch in ten is disturbed"),
    ],
)
def test_no_false_alarm_in_forty_unchanged_suites(noise: Effect) -> None:
    assert alarms({f"infer/s{i}": noise for i in range(10)}) == 0


def test_going_on_where_it_looks_slower_flags_no_more_than_the_level() -> None:
    """Who is launched next depends on estimates; the rate of false flags must not."""
    effects = {f"infer/s{i}": Effect(noise=0.02) for i in range(10)}
    limits = Limits(defaults={"latency": 0.02, "first_step": None})
    confirmed = 0
    for seed in range(SUITES):
        _, launcher = compare(effects, seed, budget_s=110, limits=limits)
        confirmed += len({id for id, stage, _ in launcher.timed if stage == "confirm"})
    assert confirmed <= 12  # 400 comparisons, both signs, 1 % each: 8 are expected


def test_two_percent_in_one_scenario_is_found_in_nineteen_of_twenty_suites() -> None:
    slow = suite(s3=Effect(change=0.02, noise=0.006))
    found = [verdicts(compare(slow, seed)[0])["infer/s3"] for seed in range(SUITES)]
    assert found.count("regression") >= 0.95 * SUITES


def test_two_percent_is_found_although_some_launches_are_disturbed() -> None:
    slow = suite(s3=Effect(change=0.02, noise=0.006, outlier=0.05))
    found = [verdicts(compare(slow, seed)[0])["infer/s3"] for seed in range(SUITES)]
    assert found.count("regression") >= 0.95 * SUITES


def test_two_percent_is_found_with_biased_processes() -> None:
    slow = suite(s3=Effect(change=0.02, noise=0.005, process=0.002))
    found = [verdicts(compare(slow, seed)[0])["infer/s3"] for seed in range(SUITES)]
    assert found.count("regression") >= 0.95 * SUITES


def test_five_percent_is_always_found() -> None:
    assert alarms(suite(s3=Effect(change=0.05, noise=0.012))) == SUITES


def test_a_change_in_the_shared_core_is_found_everywhere() -> None:
    found = verdicts(compare({f"infer/s{i}": Effect(change=0.03) for i in range(10)})[0])
    assert list(found.values()).count("regression") >= 9


def test_an_unchanged_suite_is_no_change_and_not_merely_open() -> None:
    found = verdicts(compare(suite())[0])
    assert set(found.values()) == {"no change"}


def test_improvements_are_reported() -> None:
    found = verdicts(compare(suite(s3=Effect(change=-0.05)))[0])
    assert found["infer/s3"] == "improved"


def test_a_small_change_is_never_called_no_change_when_it_is_at_the_margin() -> None:
    at_margin = {"infer/s0": Effect(change=0.02, noise=0.006)}
    found = [verdicts(compare(at_margin, seed)[0])["infer/s0"] for seed in range(SUITES)]
    assert found.count("no change") <= 0.1 * SUITES  # 5 % by construction, and luck


def test_hopeless_noise_is_inconclusive_and_says_how_much_is_missing() -> None:
    guard, _ = compare({"infer/s0": Effect(noise=0.3)})
    (found,) = [j for j in guard.judgements if j.metric == "latency"]
    assert found.verdict == "inconclusive"
    assert found.needed is not None
    assert found.needed > 500
    assert found.visible is not None
    assert found.visible > 0.1


def test_first_steps_are_judged_with_their_own_margin() -> None:
    guard, _ = compare({"infer/s0": Effect(first_step=0.3)})
    assert verdicts(guard, "first_step") == {"infer/s0": "regression"}
    assert verdicts(guard) == {"infer/s0": "no change"}
