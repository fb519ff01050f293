"""The limits within which two paths do the same work."""

import math

import numpy as np
import pytest

from bench.results.tolerance import (
    TOLERANCES,
    first_difference,
    losses_differ,
    moved_by,
    outputs_differ,
)

LOSSES = [2.5, 2.3, 2.2, 2.0]


def test_rounding_follows_and_the_first_step_that_differs_is_named():
    rounded = [2.5, 2.3 * (1 + 1e-4), 2.2, 2.0]
    assert first_difference(rounded, LOSSES, "float32") is None
    assert first_difference([2.5, 2.3, 2.2 * 1.01, 2.0], LOSSES, "float32") == 2


def test_the_first_loss_is_one_forward_pass_and_held_closest():
    shifted = [2.5 * (1 + 1e-4), *LOSSES[1:]]
    assert first_difference(shifted, LOSSES, "float32") == 0
    assert first_difference(shifted, LOSSES, "float16") is None


@pytest.mark.parametrize("start", [1.0, 400.0])
def test_losses_near_0_are_held_against_a_hundredth_of_the_first(start):
    base = [start, 1e-4 * start]
    limit = (TOLERANCES["float32"].first_loss + TOLERANCES["float32"].growth) * 0.01 * start
    assert first_difference([start, base[1] + 0.9 * limit], base, "float32") is None
    assert first_difference([start, base[1] + 1.1 * limit], base, "float32") == 1


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_differs(bad):
    assert first_difference([2.5, bad], LOSSES, "bfloat16") == 1
    assert first_difference([2.5, bad], [2.5, bad], "bfloat16") == 1


def test_nothing_to_compare_differs():
    assert first_difference([], LOSSES, "float32") == 0


@pytest.mark.parametrize("own", [[], LOSSES[:3], [*LOSSES, 1.9]])
def test_missing_losses_are_a_difference_on_either_side(own):
    assert f"{len(own)} losses" in losses_differ(own, LOSSES, "float32")
    assert f"has {len(own)}" in losses_differ(LOSSES, own, "float32")


def test_what_one_rounding_moves_is_allowed_besides_and_no_more():
    moved = moved_by([[2.5, 2.3 * 1.01, 2.2, 2.0], [2.5, 2.3 * 1.002, 2.2, 2.0 * 1.04]], LOSSES)
    assert moved == pytest.approx([0, 0.04, 0.04, 0.16])
    own = [2.5, 2.3, 2.2 * 1.04, 2.0]
    assert losses_differ(own, LOSSES, "float32") is not None
    assert losses_differ(own, LOSSES, "float32", moved) is None
    assert losses_differ([2.5, 2.3, 2.2 * 1.05, 2.0], LOSSES, "float32", moved) is not None
    assert losses_differ([2.5 * 1.02, *LOSSES[1:]], LOSSES, "float32", moved) is not None


def test_a_chaotic_training_is_not_taken_for_other_work():
    """Losses of one that each update carries further apart, from any weights that are as near."""
    rng = np.random.default_rng(0)
    base = np.linspace(3.0, 2.0, 20)
    growth = 1e-7 * 4.0 ** np.minimum(np.arange(20), 8)

    def training() -> list[float]:
        return [float(x) for x in base * (1 + growth * rng.standard_normal(20))]

    def leaves(own: list[float]) -> bool:
        moved = moved_by([training() for _ in range(3)], base)
        return losses_differ(own, list(base), "float32", moved) is not None

    left = sum(leaves(training()) for _ in range(400))
    assert left <= 3  # twice the furthest, and it would be 7


def test_a_first_loss_that_is_off_excuses_nothing_behind_it():
    """Before any update: it says where a path rounds, and nothing of what its updates do."""
    moved = moved_by([[2.5 * (1 + 1e-7), 2.3 * 1.01, 2.2, 2.0]], LOSSES)
    own = [2.5 * (1 + 9e-6), 2.3, 2.2 * 1.05, 2.0]
    assert "at step 3" in losses_differ(own, LOSSES, "float32", moved)


@pytest.mark.parametrize("disturbed", [[], [2.5, math.nan, 2.2, 2.0], [math.inf] * 4])
def test_a_training_that_one_rounding_breaks_excuses_nothing(disturbed):
    assert moved_by([LOSSES, disturbed], LOSSES) == []


def test_without_a_disturbed_training_nothing_more_is_allowed():
    assert moved_by([], LOSSES) == [0, 0, 0, 0]


def test_no_losses_on_both_sides_are_no_agreement():
    assert losses_differ([], [], "int8") is not None


def test_the_step_at_which_losses_differ_is_reported_with_both():
    assert losses_differ(LOSSES, LOSSES, "float32") is None
    said = losses_differ([2.5, 2.3, 2.9, 2.0], LOSSES, "float32")
    assert "step 3" in said
    assert "2.9 against 2.2" in said


def test_another_dropout_mask_is_caught_in_every_precision():
    # The reference guide's CNN: 8 % on the first loss where the mask was drawn in float16.
    masked = [loss * 1.08 for loss in LOSSES]
    assert {first_difference(masked, LOSSES, p) for p in ("float32", "float16", "bfloat16")} == {0}


def test_narrower_precisions_allow_more():
    for narrow, wide in (("float32", "float16"), ("float16", "bfloat16"), ("bfloat16", "int8")):
        assert TOLERANCES[narrow].first_loss < TOLERANCES[wide].first_loss
        assert TOLERANCES[narrow].output < TOLERANCES[wide].output


def test_outputs():
    base = [1.0, 0.0, 0.2, 0.8]
    assert outputs_differ(base, base, "float32") is None
    assert outputs_differ([1.0, 0.0, 0.21, 0.79], base, "float32") is not None
    assert outputs_differ([1.0, 0.0, 0.21, 0.79], base, "float16") is None
    assert "3 outputs" in str(outputs_differ(base[:3], base, "int8"))
    assert "not finite" in str(outputs_differ([math.nan, 0.1, 0.2, 0.8], base, "int8"))
    assert outputs_differ([], [], "float32") is not None


def test_many_small_differences_count_as_one_large_one():
    base = [0.1] * 99 + [1.0]
    assert "average" in str(outputs_differ([x + 9e-4 for x in base], base, "float32"))


@pytest.mark.parametrize("scale", [1e-3, 1, 40, 1e6])
def test_outputs_are_judged_by_their_own_scale(scale):
    """Logits of 40 round to 4e-5 of themselves, as probabilities do; amounts of 1e-3 as well."""
    base = [-1.0 * scale, 0.3 * scale, 0.9 * scale]
    near, far = ([x * (1 + by) for x in base] for by in (1e-4, 1e-2))
    assert outputs_differ(near, base, "float32") is None
    assert outputs_differ(far, base, "float32") is not None


def test_a_baseline_that_is_not_finite_is_followed_by_nobody():
    assert "not finite" in str(outputs_differ([0.1, 0.2], [math.nan, 0.2], "int8"))
