"""What is asked of answers over all test examples, beside a small error."""

import math

import pytest

from bench.results.likeness import (
    ROUNDED,
    displaced,
    drowned,
    least_correlation,
    not_finite,
    rounded_away,
    shuffled,
)
from bench.results.tolerance import NOISE

GOOD = {"relative_error": 0.2, "correlation": 0.98, "correlation_chance": 0.3, "displaced": 0.0}


def test_the_least_correlation_is_what_the_allowed_noise_leaves():
    assert least_correlation("int8") == pytest.approx(1 / math.sqrt(2))
    assert least_correlation("bfloat16") == pytest.approx(1 / math.sqrt(1.25))
    assert least_correlation("float16") == pytest.approx(1 / math.sqrt(1.0625))


@pytest.mark.parametrize("precision", NOISE)
def test_good_answers_are_the_originals(precision):
    assert shuffled(GOOD, precision) is None
    assert drowned(GOOD, precision) is None


@pytest.mark.parametrize(
    ("precision", "error"), [("float16", 0.25), ("bfloat16", 0.5), ("int8", 1)]
)
def test_noise_as_loud_as_the_limit_drowns(precision, error):
    assert f"may be off by {error:.0%}" in drowned(GOOD | {"relative_error": error}, precision)
    assert drowned(GOOD | {"relative_error": error - 1e-6}, precision) is None


@pytest.mark.parametrize("precision", NOISE)
def test_a_small_error_is_not_enough_where_answers_vary_otherwise(precision):
    least = least_correlation(precision)
    assert drowned(GOOD | {"correlation": least + 1e-6}, precision) is None
    assert "correlation" in drowned(GOOD | {"correlation": least - 1e-6}, precision)


def test_answers_that_vary_as_shuffled_ones_are_not_the_originals():
    assert shuffled(GOOD | {"correlation": 0.31}, "int8") is None  # poor, and more than chance
    assert "random order" in shuffled(GOOD | {"correlation": 0.29}, "int8")
    few = GOOD | {"correlation": 0.5, "correlation_chance": 1.5}  # of three examples
    assert shuffled(few, "int8") is None
    assert drowned(few, "int8") is not None  # nor do they excuse a difference


def test_noise_is_no_other_order_where_that_is_all_it_leaves():
    """Of 20 examples whose answers hardly vary, noise leaves less than chance reaches."""
    noisy = {"relative_error": 0.13, "variation": 0.1, "correlation": 0.6}
    assert shuffled(noisy | {"correlation_chance": 0.688}, "int8") is None
    assert drowned(noisy | {"correlation_chance": 0.688}, "int8", moved=False) is None
    reversed_ones = {"relative_error": 0.14, "variation": 0.1, "correlation": 0.02}
    assert "random order" in shuffled(reversed_ones | {"correlation_chance": 0.275}, "int8")


def test_limits_hold_where_no_single_answer_moved():
    far = {"relative_error": 0.9, "correlation": 0.4, "variation": 0.9, "correlation_chance": 0.1}
    assert "float16 may be off by 25%" in drowned(far, "float16", moved=False)
    assert "leaves 0.67" in drowned(far, "int8", moved=False)
    assert drowned({"relative_error": 0.1}, "int8", moved=False) is None  # hardly vary


@pytest.mark.parametrize("name", ["", "kind/"])
def test_answers_that_are_no_numbers_are_counted(name):
    several = {"amount/relative_error": 0.1} if name else {}
    said = not_finite({"relative_error": math.inf, f"{name}not_finite": 0.3} | several)
    assert "30 % of the values of " in said
    assert ("'kind'" in said) == bool(name)
    assert not_finite(GOOD) is None
    assert drowned({"relative_error": math.nan}, "int8", moved=False) is not None


def test_columns_or_outputs_that_hold_anothers_answers_are_named():
    assert "2 columns of the output hold another's" in displaced(GOOD | {"displaced": 2.0})
    several = {**{f"kind/{k}": v for k, v in GOOD.items()}, "amount/displaced": 1.0, **GOOD}
    assert "output 'amount' holds another's" in displaced(several)
    assert displaced(GOOD) is None


def test_choices_no_better_than_random_ones_are_drowned():
    chosen = GOOD | {"top1": 0.5, "top1_chance": 0.4}
    assert drowned(chosen, "int8") is None
    assert "by chance" in drowned(chosen | {"top1": 0.4}, "int8")


def test_what_does_not_vary_cannot_excuse_a_difference():
    assert "hardly vary" in drowned({"relative_error": 0.1}, "int8")
    assert drowned({"relative_error": 0.0}, "int8") is None


@pytest.mark.parametrize(
    ("found", "is_cause"),
    [({}, False), ({"relative_error": 0.3, "correlation": 0.9}, False),
     ({"relative_error": 1.2, "correlation": 0.9}, True),
     ({"relative_error": 0.9, "correlation": 0.1}, True)],
)  # fmt: skip
def test_inputs_that_eight_bits_cannot_hold_are_a_cause_where_they_alone_would_drown(
    found, is_cause
):
    agreement = GOOD | {f"{name}{ROUNDED}": value for name, value in found.items()}
    said = rounded_away(agreement, "int8")
    assert ("scale the columns" in said) if is_cause else said is None
    assert rounded_away(agreement, "bfloat16") is None
    assert rounded_away(agreement, None) is None  # its inputs stay as they are
    assert shuffled(agreement, "int8") is None  # nothing is said of the path's own answers
    assert drowned(agreement, "int8") is None


def test_the_cause_says_of_how_many_examples_it_was_asked():
    found = {f"relative_error{ROUNDED}": 1.2, f"examples{ROUNDED}": 256.0}
    assert "on 256 test examples the output is off by 120%" in rounded_away(found, "int8")


def test_noise_that_the_whole_may_have_is_louder_beside_what_varies_of_it():
    assert least_correlation("int8", 0.5) == pytest.approx(1 / math.sqrt(5))
    mostly_mean = GOOD | {"variation": 0.5, "correlation": 0.46}
    assert drowned(mostly_mean, "int8") is None
    assert "leaves 0.45" in drowned(mostly_mean | {"correlation": 0.44}, "int8")
    # Never less than shuffled examples reach.
    assert drowned(mostly_mean | {"variation": 0.01, "correlation": 0.29}, "int8") is not None
    assert drowned(mostly_mean | {"variation": 0.01, "correlation": 0.31}, "int8") is None
