"""Drawn examples: for calibration over the training part, or from a model's signature."""

import numpy as np
import pytest

from scenarios.core.data import Data, Part, Spec, calibration, samples

RNG = np.random.default_rng(20)
LABELS = np.repeat(np.arange(6), 150)
BRIGHT = (np.array([0.1, 0.25, 0.4, 0.6, 0.8, 0.95])[LABELS][:, None, None, None]
          + RNG.normal(0, 0.03, (900, 8, 8, 1))).astype(np.float32)  # fmt: skip


def sorted_data(order=slice(None), classes=6, labels=LABELS, **fields):
    train = Part(BRIGHT[order], labels[order])
    return Data("some", "images", train, Part(BRIGHT[::7], labels[::7]), classes, **fields)


def test_sorted_and_shuffled_training_data_give_the_same_examples():
    shuffled = RNG.permutation(900)
    one, other = (calibration(sorted_data(order), 100) for order in (slice(None), shuffled))
    assert np.array_equal(one.inputs, other.inputs)
    assert not one.warnings


def test_the_seed_decides_which_are_drawn():
    one, other = (calibration(sorted_data(), 50, seed).inputs for seed in (0, 1))
    assert not np.array_equal(one, other)


def drawn_labels(data, count):
    known = {x.tobytes(): int(y) for x, y in zip(BRIGHT, data.y_train, strict=True)}
    return [known[x.tobytes()] for x in calibration(data, count).inputs]


def test_each_class_gets_its_share():
    assert np.bincount(drawn_labels(sorted_data(), 102)).tolist() == [17] * 6


def test_a_rare_class_is_drawn_too():
    rare = np.where(np.arange(900) < 5, 1, 0)
    found = drawn_labels(sorted_data(labels=rare, classes=2), 40)
    assert found.count(1) == 1
    assert len(found) == 40


@pytest.mark.parametrize("shuffled", [False, True])
def test_examples_that_are_no_numbers_calibrate_nothing(shuffled):
    x = np.linspace(0, 1, 40, dtype=np.float32)[:, None]
    x[::2] = np.nan
    part = Part(x, np.arange(40) // 20)
    data = Data("some", "table", part, part, classes=2, shuffled=shuffled)
    drawn = calibration(data, count=30).inputs
    assert len(drawn) == 20
    assert np.isfinite(drawn).all()


def test_a_random_order_is_a_draw_already():
    data = sorted_data(RNG.permutation(900), shuffled=True)
    assert np.array_equal(calibration(data, 30).inputs, data.x_train[:30])


def test_inputs_beyond_the_drawn_range_are_warned_of():
    dark = Part(BRIGHT[:150], LABELS[:150])
    (warning,) = calibration(Data("some", "images", dark, Part(BRIGHT, LABELS), 6)).warnings
    assert "cut off" in warning


def test_without_training_data_the_test_part_is_used_and_that_is_said():
    (warning,) = calibration(Data("some", "images", None, Part(BRIGHT))).warnings
    assert "no training data" in warning


def test_several_inputs_are_drawn_together():
    a = np.arange(50, dtype=np.float32)[:, None]
    part = Part({"a": a, "b": 2 * a})
    drawn = calibration(Data("some", "table", part, part), 20).inputs
    assert np.array_equal(drawn["b"], 2 * drawn["a"])
    assert len(set(drawn["a"].ravel())) == 20


# --- samples -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "low", "high"),
    [
        (Spec((8, 8, 3)), 0, 1),
        (Spec((8, 8, 3), low=0, high=255), 0, 255),
        (Spec((8, 8, 3), "uint8"), 0, 255),
        (Spec((12,), "int32", 0, 99), 0, 99),
        (Spec((12,), "int64"), 0, 1),
        (Spec((4,)), -6, 6),
    ],
)
def test_samples_have_shape_dtype_and_range_of_the_signature(spec, low, high):
    data = samples({"x": spec}, 64)
    assert (data.input_shape, str(data.x_test.dtype)) == (spec.shape, spec.dtype)
    assert low <= data.x_test.min() < data.x_test.max() <= high
    assert (data.kind, data.train, data.test.targets) == ("samples", None, None)
    assert "own signature" in data.notes[0]
    assert np.array_equal(data.x_test, samples({"x": spec}, 64).x_test)


@pytest.mark.parametrize(
    ("shape", "dtype", "closed"),
    [
        ((None, None, 3), "float32", (224, 224, 3)),
        ((3, None, None), "float32", (3, 224, 224)),
        ((None, 40, None), "float32", (224, 40, 3)),
        ((None,), "float32", (16_000,)),
        ((None,), "int32", (64,)),
        ((None, 5), "float32", (64, 5)),
    ],
)
def test_open_dimensions_are_closed_and_that_is_said(shape, dtype, closed):
    data = samples({"x": Spec(shape, dtype)}, 8)
    assert data.input_shape == closed
    assert any("is open" in note for note in data.notes)


def test_samples_of_several_inputs_are_a_dict_text_is_made_up():
    data = samples({"words": Spec((1,), "string"), "size": Spec((2,))}, 16)
    assert {name: array.shape for name, array in data.test.inputs.items()} == {
        "words": (16, 1), "size": (16, 2),
    }  # fmt: skip
    assert " " in data.test.inputs["words"][0, 0]


def test_large_examples_are_fewer():
    assert len(samples({"x": Spec((1000, 1000, 3))}, 256).test) == 8
