"""Estimates and intervals on distributions whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bench.results import statistics
from bench.results.histogram import bucket, histogram_quantile
from bench.results.values import Estimate, Turn

SETS = 2500


def turns(*elapsed: float) -> list[Turn]:
    return [Turn(number, 0, 10, round(each)) for number, each in enumerate(elapsed)]


# --- one launch -------------------------------------------------------------------------------


def test_a_launch_s_effect_is_the_median_over_neighbouring_turns() -> None:
    base = turns(1000, 2000, 4000)  # the machine slows down by 4
    slower = turns(1100, 2200, 40000)  # one turn was disturbed
    assert statistics.launch_log_ratio(base, slower) == pytest.approx(math.log(1.1))


def test_only_rounds_that_both_took_part_in_count() -> None:
    base = turns(1000, 1000, 1000, 1000)
    rare = [Turn(0, 1, 10, 2000), Turn(3, 0, 10, 2000), Turn(9, 0, 10, 1)]
    assert statistics.launch_log_ratio(base, rare) == pytest.approx(math.log(2))
    assert statistics.launch_log_ratio(base, [Turn(9, 0, 10, 1)]) is None


def test_times_are_compared_per_step_and_per_example() -> None:
    base = [Turn(0, 0, 10, 1000)]
    batch = [Turn(0, 1, 5, 4000)]  # 8 times a step's time, for 32 times the examples
    assert statistics.launch_log_ratio(base, batch, 1, 32) == pytest.approx(math.log(8 / 32))


def test_a_linear_drift_cancels_over_alternating_rounds() -> None:
    base, candidate, clock = [], [], 1.0
    for number in range(40):
        order = (base, candidate) if number % 2 == 0 else (candidate, base)
        for side in order:
            clock *= 1.01  # the machine gets 1 % slower from turn to turn
            side.append(Turn(number, 0, 1, round(1e9 * clock)))
    value = statistics.launch_log_ratio(base, candidate)
    assert value == pytest.approx(0, abs=1e-6)


# --- over launches ----------------------------------------------------------------------------


def coverage(
    launches: int, order_bias: float, told: bool, rng: np.random.Generator, confidence: float = 0.95
) -> tuple[float, float]:
    """(share of intervals that hold the truth, mean half-width) of simulated sets of launches."""
    orders = [number % 2 for number in range(launches)]
    hits, widths = 0, []
    for _ in range(SETS):
        noise = rng.normal(0.02, 0.005, launches)
        values = noise + order_bias * (np.array(orders) - 0.5)
        found = statistics.over_launches(list(values), orders if told else None, confidence)
        hits += found.low <= 0.02 <= found.high
        widths.append((found.high - found.low) / 2)
    return hits / SETS, float(np.mean(widths))


@pytest.mark.parametrize("launches", [2, 8, 12, 24])
def test_intervals_hold_the_truth_as_often_as_they_say(launches: int) -> None:
    rng = np.random.default_rng(launches)
    for confidence in (0.95, 0.98):
        share, _ = coverage(launches, 0.0, True, rng, confidence)
        error = 4 * math.sqrt(confidence * (1 - confidence) / SETS)
        assert share == pytest.approx(confidence, abs=error)


def test_a_bias_of_the_start_order_neither_shifts_nor_widens_the_interval() -> None:
    rng = np.random.default_rng(0)
    plain, narrow = coverage(8, 0.0, True, rng)
    biased, still_narrow = coverage(8, 0.02, True, rng)
    untold, wide = coverage(8, 0.02, False, rng)
    assert plain == pytest.approx(0.95, abs=0.018)
    assert biased == pytest.approx(0.95, abs=0.018)
    assert still_narrow == pytest.approx(narrow, rel=0.03)
    assert wide > 1.5 * still_narrow  # not told the orders, it takes the bias for noise
    assert untold > 0.97


def test_unequal_numbers_of_orders_are_balanced() -> None:
    values = [0.03] * 9 + [0.01] * 3
    found = statistics.over_launches(values, [0] * 9 + [1] * 3)
    assert found.value == pytest.approx(0.02)


def test_a_disturbed_launch_of_twelve_neither_shifts_the_mean_nor_hides_a_change() -> None:
    values = [0.02 + 0.001 * (number % 5) for number in range(12)]
    orders = [number % 2 for number in range(12)]
    plain = statistics.over_launches(values, orders)
    hit = statistics.over_launches([*values[:-1], 0.5], orders)
    assert hit.value == pytest.approx(plain.value, abs=0.001)
    assert 0.01 < hit.low < plain.value < hit.high < 0.03


def test_heavy_tails_do_not_break_the_level() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(SETS):
        found = statistics.over_launches(list(rng.standard_t(3, 8)), [0, 1] * 4)
        hits += found.low <= 0 <= found.high
    assert hits / SETS >= 0.94


def test_a_single_launch_has_no_interval_and_none_no_estimate() -> None:
    one = statistics.over_launches([0.1])
    assert (one.value, one.low, one.high) == (0.1, -math.inf, math.inf)
    with pytest.raises(ValueError, match="no launches"):
        statistics.over_launches([])


def test_speed_up_turns_the_log_ratio_and_its_interval_round() -> None:
    found = statistics.as_speedup(Estimate(math.log(2), math.log(1.6), math.log(2.5), 8))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.4, 0.625))
    open_ended = statistics.as_speedup(Estimate(0.0, -math.inf, math.inf, 1))
    assert (open_ended.low, open_ended.high) == (0.0, math.inf)


def test_chained_effects_cover_the_sum() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(SETS):
        parts = [statistics.over_launches(list(rng.normal(mean, 0.01, 12))) for mean in (0.1, 0.2)]
        found = statistics.chained(*parts)
        hits += found.low <= 0.3 <= found.high
    assert hits / SETS == pytest.approx(0.95, abs=0.02)


# --- quantiles --------------------------------------------------------------------------------


def histogram(values: np.ndarray) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        name = bucket(value)
        found[name] = found.get(name, 0) + 1
    return found


def test_histogram_quantiles_are_those_of_the_samples_to_0_2_percent() -> None:
    values = np.random.default_rng(1).lognormal(13, 0.4, 20_000)
    steps = histogram(values)
    for quantile in (0.01, 0.5, 0.9, 0.99):
        exact = np.quantile(values, quantile, method="inverted_cdf")
        assert histogram_quantile(steps, quantile) == pytest.approx(exact, rel=0.0011)
    assert histogram_quantile({}, 0.5) is None


def test_samples_behind_a_quantile_follow_the_rule_of_order_statistics() -> None:
    assert statistics.samples_for_quantile(0.95) == 59
    assert statistics.samples_for_quantile(0.99) == 299
    needed = statistics.samples_for_quantile(0.9)
    assert 1 - 0.9**needed >= 0.95 > 1 - 0.9 ** (needed - 1)


# --- proportions ------------------------------------------------------------------------------


def test_clopper_pearson_s_known_intervals() -> None:
    assert statistics.clopper_pearson(0, 500) == pytest.approx((0.0, 0.00735), abs=1e-5)
    assert statistics.clopper_pearson(10, 10)[0] == pytest.approx(0.6915, abs=1e-4)
    assert statistics.clopper_pearson(4, 20) == pytest.approx((0.0573, 0.4366), abs=1e-4)
    assert statistics.clopper_pearson(0, 0) == (0.0, 1.0)


def test_clopper_pearson_never_covers_less_than_it_says() -> None:
    trials = 30
    intervals = [statistics.clopper_pearson(k, trials) for k in range(trials + 1)]
    for share in np.linspace(0.02, 0.98, 25):
        weights = stats.binom.pmf(np.arange(trials + 1), trials, share)
        held = [low <= share <= high for low, high in intervals]
        assert float(weights @ np.array(held, float)) >= 0.95


def test_paired_accuracy_s_interval_holds_the_true_difference() -> None:
    rng = np.random.default_rng(11)
    examples, hits, sets = 400, 0, 400
    for _ in range(sets):
        both = rng.random(examples)
        base = (both < 0.95).astype(int)
        candidate = base.copy()
        candidate[both < 0.04] = 0  # 4 % lost
        candidate[both > 0.98] = 1  # 2 % gained
        found = statistics.paired_accuracy_delta(list(base), list(candidate))
        hits += found.low <= -0.02 <= found.high
    assert hits / sets >= 0.92


@pytest.mark.parametrize("spread", [0.0, 0.005, 0.03])
def test_accuracy_over_trainings_holds_the_true_difference(spread: float) -> None:
    """Of 4 trainings, by whose start it varies, on one choice of 400 test examples."""
    rng = np.random.default_rng(12)
    hits, sets = 0, 600
    for _ in range(sets):
        chosen = rng.random(400)
        base = (chosen < 0.95).astype(int)
        candidate = base.copy()
        candidate[chosen < 0.04] = 0
        candidate[chosen > 0.98] = 1
        one = statistics.paired_accuracy_delta(list(base), list(candidate))
        differences = one.value + rng.normal(0, spread, 4)
        found = statistics.over_trainings(one, [0.9] * 4, list(0.9 + differences))
        assert found.value == pytest.approx(float(np.mean(differences)))
        hits += found.low <= -0.02 <= found.high
    assert 0.92 <= hits / sets <= 0.99


def test_one_training_tells_of_its_test_examples_alone() -> None:
    one = Estimate(0.01, -0.01, 0.04, 100)
    assert statistics.over_trainings(one, [], []) == one
    assert statistics.over_trainings(one, [0.5], [0.51]) == one
    alike = statistics.over_trainings(one, [0.5, 0.6], [0.53, 0.63])
    assert (alike.value, alike.low, alike.high) == pytest.approx((0.03, 0.01, 0.06))


def test_paired_accuracy_without_a_difference_still_has_an_interval() -> None:
    found = statistics.paired_accuracy_delta([1] * 100, [1] * 100)
    assert found.value == 0
    assert found.low < 0 < found.high
    assert found.high == pytest.approx(0.037, abs=0.002)  # z² / (n + z²), Tango 1998
    with pytest.raises(ValueError, match="same test examples"):
        statistics.paired_accuracy_delta([1], [1, 0])
