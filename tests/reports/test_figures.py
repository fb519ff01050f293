import math

import pytest

from bench.results.values import Estimate
from reports.facts import figures


@pytest.mark.parametrize(
    ("half_width", "decimals"),
    [(0.3, 1), (0.13, 2), (0.02, 2), (0.019, 3), (3.0, 0), (30.0, -1), (0.0, 3), (math.inf, 3)],
)
def test_decimals_follow_the_half_width(half_width, decimals):
    assert figures.decimals_for(half_width) == decimals


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (99.96, 3, "100"), (0.0123456, 3, "0.0123"), (1234567, 3, "1,230,000"), (0, 3, "0"),
        (-2.5, 2, "−2.5"), (9.99, 2, "10"), (0.999, 2, "1.0"), (1.7e308, 3, "∞"),
    ],
)  # fmt: skip
def test_significant_digits(value, digits, text):
    assert figures.significant(value, digits) == text


def test_an_estimate_shows_the_digits_that_its_interval_supports():
    assert figures.estimate(Estimate(2.5137, 2.49, 2.54, 6), "×") == "2.51× (2.49 to 2.54)"
    assert figures.estimate(Estimate(13.42, 13.1, 13.7, 6), "×") == "13.4× (13.1 to 13.7)"
    assert figures.estimate(Estimate(13.42, 9.0, 18.0, 6), "×") == "13× (9 to 18)"


def test_a_wide_interval_leaves_the_value_its_first_digit():
    assert figures.estimate(Estimate(4.79, 0.36, 63.5, 2), "×") == "5× (0.36 to 64)"
    assert figures.interval(Estimate(102.0, 10.91, 958.9, 2)) == "11 to 960"
    assert figures.factor(Estimate(0.297, 0.06, 5.4, 2)) == "0.3×"


def test_ends_beyond_all_use_say_only_that():
    assert figures.interval(Estimate(0.6, 5.6e-10, 5.6e8, 2)) == "<0.0006 to >600"
    assert figures.interval(Estimate(47.0, 0.19, 3e5, 2)) == "0.19 to >50,000"


def test_a_single_launch_has_no_interval_and_few_digits():
    one = Estimate(2.5137, 0.0, math.inf, 1)
    assert figures.speedup(one) == "≈ 2.5×"
    assert figures.interval(one) == ""


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (54_321.0, None, "54 µs"), (54_321.0, 400.0, "54.3 µs"), (54_321.0, 4000.0, "54 µs"),
        (1.3e6, 2e3, "1.30 ms"), (5.3e9, None, "5.3 s"), (12.0, None, "12 ns"), (None, None, "–"),
    ],
)  # fmt: skip
def test_durations(value, half, text):
    assert figures.duration(value, half) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (448_123, "448 KB")]
)
def test_sizes(value, text):
    assert figures.size(value) == text


@pytest.mark.parametrize(("value", "text"), [(2641.0, "2,600"), (3.2, "4"), (96.0, "96")])
def test_whole_steps(value, text):
    assert figures.whole(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.3, "5.30× faster"), (1.05, "5.0 % faster"), (0.97, "3.1 % slower"), (0.2, "5.0× slower")],
)
def test_changes_in_words(value, text):
    assert figures.change(Estimate(value, value - 0.02, value + 0.02, 6)) == text


def test_a_difference_that_rounds_to_zero_has_no_sign():
    assert figures.signed(-0.04, 1) == "0.0"
    assert figures.signed(0.06, 1) == "+0.1"
