"""Proofs fail where the technique is missing; the pieces that scenarios share do what they say."""

import pytest

from bench.results.tolerance import FIRST_LOSSES
from tests.checks import saw

pytestmark = pytest.mark.launches


@pytest.fixture(scope="module")
def seen(pool):
    """What train_checks.py saw, run once in a process of its own."""
    return saw(pool, "tests.scenarios.train_checks")


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ("xla", "does not ask for XLA"),
        ("fit_xla", "not compiled"),
        ("traced", "traced 2 times"),
        ("clusters", "no XLA cluster"),
        ("dtypes", "compute in"),
        ("updates", "0 optimizer updates, not 1"),
        ("keras", "not of Keras 2"),
        ("replicas", "1 replicas"),
        ("examples", "inputs differ"),
        ("labels", "not the expected examples"),
    ],
)
def test_a_proof_fails_without_its_technique(seen, proof, said):
    assert seen["proofs"][proof] is not None
    assert seen["proofs"][proof].startswith("NotEngaged")
    assert said in seen["proofs"][proof]


def test_the_expected_examples_pass(seen):
    assert seen["proofs"]["right_examples"] is None


@pytest.mark.parametrize(
    ("variant", "layer"),
    [
        ("separable", "SeparableConv2D"),
        ("residual", "Add"),
        ("squeeze_excitation", "Multiply"),
        ("attention", "SelfAttention"),
    ],
)
def test_a_users_model_is_rewritten(seen, variant, layer):
    assert layer in seen["conversions"][variant]


def test_a_model_without_convolutions_is_unsupported(seen):
    assert "no Conv2D" in seen["conversions"]["dense"]
    assert seen["conversions"]["dense"].startswith("Unsupported")


def test_a_comparable_workloads_models_draw_no_random_numbers(seen):
    quiet, plain = seen["comparable"]["different"]
    assert quiet == 0
    assert plain > 0
    assert seen["comparable"]["rates"] == [0.0]


def test_a_disturbed_models_weights_are_each_moved_by_one_rounding(seen):
    assert seen["comparable"]["moved"] == pytest.approx([2**-11, 2**-11, 2**-11, 2**-8], rel=1e-2)
    assert seen["comparable"]["alike"] == [True, True, False, False]


def test_repeated_trainings_start_elsewhere_and_share_their_data(seen):
    """Each in the same way every time, or no two paths would start alike."""
    first, second, again = seen["trainings"]
    assert second == again
    (weights, batch, *data), (other_weights, other_batch, *other_data) = first, second
    assert weights != other_weights
    assert batch != other_batch
    assert data == other_data


def test_losses_inside_fit_are_recorded_batch_by_batch(seen):
    recorded = seen["comparable"]["recorded"]
    assert len(set(recorded)) == len(recorded) == 5
    assert recorded[0] == pytest.approx(seen["comparable"]["first"], rel=1e-5)


def test_a_comparable_epoch_is_as_long_as_losses_are_compared_and_others_are_as_always(seen):
    batches, same_loss, nothing_kept = seen["comparable"]["plain"]
    assert seen["comparable"]["batches"] >= FIRST_LOSSES > batches
    assert seen["comparable"]["batches"] % batches == 0
    assert same_loss
    assert nothing_kept


def test_tfrecords(seen):
    assert seen["records"]["good"] == [[6, 5, 3], 2, 8]


def test_tfrecords_of_mixed_sizes_are_resized_and_say_so(seen):
    shape, note = seen["records"]["mixed"]
    assert shape == [6, 5, 3]
    assert "resized to 6×5" in note


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unlabelled", "not TFRecords of"),
        ("empty", "no examples"),
        ("torn", "not TFRecords of"),
    ],
)
def test_tfrecords_that_hold_nothing_usable(seen, name, said):
    assert said in seen["records"][name]
    assert seen["records"][name].startswith("UsageError")


def test_workers_answer_fail_and_die_with_a_reason(seen):
    workers = seen["workers"]
    assert workers["echo"] == ["héllo\n"]
    assert "ValueError" in workers["fail"]
    assert "broken on purpose" in workers["fail"]
    assert workers["killed"] == -9
    assert "ended" in workers["after"]


def test_a_long_epoch_is_cut_and_the_model_starts_as_it_was(seen):
    """Or a turn of `fit` takes as long as a large data set takes."""
    whole, cut = seen["long epochs"]["whole"], seen["long epochs"]["cut"]
    assert whole["updates"] == whole["steps"] == whole["epoch"] > 100
    assert whole["said"] == []
    assert (cut["updates"], cut["steps"], cut["examples"]) == (2, 2, 8)
    assert cut["said"] == [f"a timed call of `fit` makes 2 of an epoch's {cut['epoch']:,} updates"]
    assert seen["long epochs"]["same start"]
