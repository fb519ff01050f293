"""Where launches are spent, and what is said when time runs out."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from bench.guard.comparison.timing import Series
from bench.guard.outputs import words
from bench.guard.rule import decide
from bench.guard.rule.decide import Limit
from bench.guard.rule.evidence import Evidence, benjamini_hochberg
from bench.guard.rule.limits import DEFAULTS, Limits
from tests.guard.fakes import Effect, compare, pair, subject, verdicts


def test_quiet_subjects_end_at_the_first_look_and_noisy_ones_go_on() -> None:
    effects = {"infer/quiet": Effect(noise=0.002), "infer/noisy": Effect(noise=0.012)}
    _, launcher = compare(effects)
    spent = Counter(id for id, _, _ in launcher.timed)
    assert spent["infer/quiet"] == decide.LOOKS[0]
    assert spent["infer/noisy"] in decide.LOOKS[1:]


def test_launches_end_in_time() -> None:
    effects = {f"infer/s{i}": Effect(noise=0.1) for i in range(10)}
    guard, launcher = compare(effects, budget_s=100)
    assert launcher.clock <= 100
    assert set(verdicts(guard).values()) == {"inconclusive"}
    assert all(j.reason for j in guard.judgements if j.verdict == "inconclusive")


def test_a_budget_too_short_for_anything_is_inconclusive() -> None:
    guard, _ = compare({"infer/one": Effect(), "infer/two": Effect()}, budget_s=0.5)
    assert set(verdicts(guard).values()) == {"inconclusive"}


def test_time_is_kept_for_confirming() -> None:
    effects = {"infer/slow": Effect(change=0.05, noise=0.002)}
    effects |= {f"infer/s{i}": Effect(noise=0.03) for i in range(5)}
    guard, launcher = compare(effects, budget_s=120)
    assert verdicts(guard)["infer/slow"] == "regression"
    assert launcher.restarts == 1
    assert launcher.clock <= 125


def test_where_time_is_too_short_for_everybody_some_are_settled() -> None:
    """Four launches of each of ten would use up the time without a verdict."""
    effects = {f"infer/s{i}": Effect(change=0.05, noise=0.006) for i in range(10)}
    for seed in range(10):
        guard, launcher = compare(effects, seed, budget_s=50)
        spent = Counter(id for id, stage, _ in launcher.timed if stage == "screen")
        assert set(spent.values()) >= {2, decide.LOOKS[0]}
        assert "regression" in verdicts(guard).values()
        assert launcher.clock <= 55


def test_one_disturbed_launch_does_not_put_a_slow_subject_behind_the_others() -> None:
    values = [0.021, 0.019, 0.020, 0.022, 0.018, 0.25]
    guess, known = Evidence.guess(values), Evidence.of(values, [0, 1] * 3)
    assert guess is not None
    assert known is not None
    assert guess.theta == 0.0205
    assert guess.p_slower() < 0.001
    assert known.p_slower() > 0.05
    assert decide.still_needed(guess, Limit.of(0.02, 0.0025), 0.01) == 0
    assert decide.still_needed(known, Limit.of(0.02, 0.0025), 0.01) > 100
    series = Series(subject(), {"latency": Limit.of(0.02, 0.0025)})
    series.pairs = [pair(value) for value in values]
    assert series.p_slower() == pytest.approx(guess.p_slower(), rel=0.1)
    assert series.still_needed(0.01) == 0
    assert series.signs(0.01) == {}  # who is next, and no verdict


def test_too_few_launches_for_a_guess_are_judged_by_what_they_show() -> None:
    assert Evidence.guess([0.02, 0.021, 0.02]) is None


def test_jobs_have_their_first_look_where_time_is_short() -> None:
    jobs = [
        dataclasses.replace(each, head=dataclasses.replace(each.head, unit="job"))
        for each in (subject("convert/one"), subject("convert/two"))
        if each.head is not None
    ]
    effects = {job.id: Effect(launch_s=10) for job in jobs}
    _, launcher = compare(effects, subjects=jobs, budget_s=130)
    assert Counter(id for id, _, _ in launcher.timed) == {"convert/one": 6, "convert/two": 6}


def test_short_jobs_go_on_like_steps() -> None:
    one = subject("infer/one")
    assert one.head is not None
    job = dataclasses.replace(one, head=dataclasses.replace(one.head, unit="job"))
    _, launcher = compare({"infer/one": Effect(noise=0.03)}, subjects=[job])
    assert len(launcher.timed) > decide.LOOKS[0]


def test_new_processes_are_not_started_where_nothing_could_be_measured_in_them() -> None:
    guard, launcher = compare({"infer/slow": Effect(change=0.05, noise=0.002)}, budget_s=15)
    (latency,) = [j for j in guard.judgements if j.metric == "latency"]
    assert latency.verdict == "inconclusive"
    assert "no time was left to confirm it" in latency.reason
    assert launcher.restarts == 0
    assert launcher.clock <= 15


def test_what_looks_slower_comes_before_what_is_cheap() -> None:
    """Nine cheaper subjects that are open as well must not use up the time."""
    effects = {f"infer/s{i}": Effect(noise=0.012) for i in range(9)}
    effects["infer/slow"] = Effect(change=0.025, noise=0.012, launch_s=1.5)
    guards = [compare(effects, seed, budget_s=125)[0] for seed in range(20)]
    assert sum(verdicts(guard)["infer/slow"] == "regression" for guard in guards) >= 18


def test_an_improvement_does_not_take_the_time_that_a_regression_needs() -> None:
    effects = {
        "train/fast": Effect(change=-0.05, noise=0.004, launch_s=4),
        "infer/slow": Effect(change=0.04, noise=0.012),
    }
    guards = [compare(effects, seed, budget_s=80)[0] for seed in range(10)]
    assert all(verdicts(guard)["infer/slow"] == "regression" for guard in guards)
    assert {verdicts(guard)["train/fast"] for guard in guards} <= {"improved", "inconclusive"}


def test_the_next_launch_is_announced_so_that_it_can_be_built_meanwhile() -> None:
    _, launcher = compare({f"infer/s{i}": Effect(noise=0.002, change=0.05) for i in range(3)})
    pairs = list(zip(launcher.announced, launcher.timed[1:], strict=False))
    assert [n for n, (announced, _) in enumerate(pairs, 1) if announced is None] == [18]
    assert all(announced in (None, timed) for announced, timed in pairs)
    assert launcher.announced[-1] is None


@pytest.mark.parametrize(
    ("guarded", "launches"),
    [({"latency": None, "first_step": None}, 0), ({"latency": None}, decide.LOOKS[0])],
)
def test_what_is_not_guarded_takes_no_time(guarded: dict[str, None], launches: int) -> None:
    limits = Limits(defaults={**DEFAULTS, **guarded})
    guard, launcher = compare({"infer/one": Effect(noise=0.03)}, limits=limits)
    assert len(launcher.timed) == launches
    assert "latency" not in {j.metric for j in guard.judgements}
    assert "size" in {j.metric for j in guard.judgements}


def test_both_start_orders_are_equally_frequent() -> None:
    _, launcher = compare({"infer/one": Effect(noise=0.012, change=0.05)})
    by_stage = Counter((stage, index % 2) for _, stage, index in launcher.timed)
    for stage in ("screen", "confirm"):
        assert by_stage[stage, 0] == by_stage[stage, 1] > 0


def test_what_was_flagged_is_confirmed_by_new_processes() -> None:
    """A bias that all forks of one process share must not become a regression."""
    found = Counter(
        verdicts(compare({"infer/one": Effect(noise=0.001, process=0.01)}, seed)[0])["infer/one"]
        for seed in range(60)
    )
    assert found["regression"] <= 4  # one process alone: about 10 of 60 beyond the floor


def test_a_regression_lies_above_the_allowance_of_its_kind_of_path() -> None:
    """What a side's launches of a suite share is seen again by fresh ones."""
    effects = {"infer/one": Effect(change=0.012, noise=0.001)}
    measured = Limits(allowances={"infer": 0.012})
    assert verdicts(compare(effects)[0]) == {"infer/one": "regression"}
    guard, _ = compare(effects, limits=measured)
    (found,) = [j for j in guard.judgements if j.metric == "latency"]
    assert found.verdict == "no change"
    assert "allowance 1.20%" in words.sentence(found)


def test_a_confirmed_regression_names_the_operations_that_changed() -> None:
    guard, _ = compare({"infer/one": Effect(change=0.1)})
    (found,) = [j for j in guard.judgements if j.verdict == "regression"]
    assert found.confirmed
    assert found.operations[0].name == "Conv2D"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.1 < found.high


def test_tracing_regressions_stays_within_the_budget() -> None:
    """The largest is always explained, others while there is time."""
    effects = {f"infer/s{i}": Effect(change=0.03 + 0.01 * i, noise=0.004) for i in range(8)}
    guard, launcher = compare(effects, budget_s=125)
    assert set(verdicts(guard).values()) == {"regression"}
    assert launcher.clock <= 130
    explained = {j.scenario for j in guard.judgements if j.operations}
    assert "infer/s7" in explained
    assert len(explained) < 8


def test_more_comparisons_ask_for_more() -> None:
    assert decide.alpha(30) == decide.ALPHA
    assert decide.alpha(600) < decide.ALPHA
    assert decide.alpha(600) ** 2 * 600 <= decide.FAMILY + 1e-12


def test_benjamini_hochberg_by_hand() -> None:
    assert benjamini_hochberg([0.03, 0.9, 0.001, 0.045], 0.10) == [True, False, True, True]
    assert benjamini_hochberg([0.2, 0.9], 0.10) == [False, False]


def test_one_disturbed_launch_does_not_move_twelve() -> None:
    quiet = [0.001 * (i % 3) for i in range(12)]
    orders = [i % 2 for i in range(12)]
    plain = Evidence.of(quiet, orders)
    hit = Evidence.of([*quiet[:-1], 0.5], orders)
    assert plain is not None
    assert hit is not None
    assert abs(hit.theta - plain.theta) < 0.001
    assert hit.error < 0.001


def test_what_looks_slower_is_listed_but_does_not_fail() -> None:
    effects = {f"infer/s{i}": Effect(noise=0.002) for i in range(5)}
    effects["infer/s0"] = Effect(change=0.008, noise=0.002)
    guard, _ = compare(effects)
    assert verdicts(guard)["infer/s0"] == "no change"
    assert any("infer/s0" in line for line in guard.watch())
