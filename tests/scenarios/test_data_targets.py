"""Targets: what they are taken for, and that none is ever cast."""

import numpy as np
import pytest

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import load

RNG = np.random.default_rng(11)
LEVEL = RNG.random(400)
IMAGES = (LEVEL[:, None, None, None] * np.ones((12, 12, 1))).astype(np.float32)
DEGREES = (90 * LEVEL + 2.5).astype(np.float32)
ONE_HOT = np.eye(4, dtype=np.float32)[(LEVEL * 4).astype(int)]
TAGS = np.stack([LEVEL > 0.3, LEVEL > 0.6, LEVEL < 0.5], axis=1).astype(np.int64)


def loaded(folder, y, split=False, x=IMAGES, **spec):
    arrays = {"x": x, "y": y}
    if split:
        arrays = {"x_train": x[:300], "y_train": y[:300], "x_test": x[300:], "y_test": y[300:]}
    np.savez(folder / "data.npz", **arrays)
    return load(WorkloadSpec(data=f"{folder}/data.npz", **spec))


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("y", "units"), [(DEGREES, 1), (ONE_HOT, 4), (TAGS, 3)], ids=["real", "one-hot", "tags"]
)
def test_labels_of_another_kind_stay_what_they_are(tmp_path, y, units, split):
    data = loaded(tmp_path, y, split)
    assert (data.classes, data.units) == (0, units)
    assert data.y_test.dtype == y.dtype
    together = np.concatenate([data.y_train, data.y_test])
    assert sorted(together.sum(axis=-1).ravel()) == sorted(y.sum(axis=-1).ravel())


def test_one_hot_rows_are_split_in_the_shares_of_their_classes(tmp_path):
    data = loaded(tmp_path, ONE_HOT)
    shares = [part.mean(axis=0) for part in (data.y_train, data.y_test)]
    assert np.allclose(*shares, atol=0.01)


@pytest.mark.parametrize(
    ("y", "classes", "names"),
    [
        (np.arange(400) % 3, 3, ()),
        (np.arange(400) % 2 * 4 + 5, 2, (5, 9)),
        (np.arange(400) % 2 * 2 - 1, 2, (-1, 1)),
        ((np.arange(400) % 2).astype(np.float64), 2, ()),
        (np.array(["no", "yes"] * 200), 2, ("no", "yes")),
        (np.arange(400) % 2 == 0, 2, ("False", "True")),
    ],
    ids=["counted", "gaps", "signs", "whole reals", "words", "truth"],
)
def test_class_numbers_are_known_whatever_they_are_written_as(tmp_path, y, classes, names):
    data = loaded(tmp_path, y)
    assert (data.classes, data.class_names, data.y_test.dtype) == (classes, names, np.int64)
    assert set(data.y_test) == set(range(classes))


def test_whole_numbers_that_measure_something_are_no_classes(tmp_path):
    prices = RNG.integers(100, 5000, 400)
    data = loaded(tmp_path, prices)
    assert (data.classes, data.units) == (0, 1)
    assert set(np.concatenate([data.y_train, data.y_test])) == set(prices)


def test_the_task_that_is_asked_for_decides(tmp_path):
    stars = np.arange(400) % 5
    assert loaded(tmp_path, stars).classes == 5
    assert loaded(tmp_path, stars, task="regression").classes == 0


def test_labels_that_were_numbered_are_said(tmp_path):
    assert any("5, 9" in note for note in loaded(tmp_path, np.arange(400) % 2 * 4 + 5).notes)
    words = loaded(tmp_path, np.array(["yes", "no"] * 200)).notes
    assert "labels no, yes were numbered from 0 in alphabetical order" in words
    many = loaded(tmp_path, np.array([f"c{i % 9}" for i in range(400)])).notes
    assert any("c7, … were numbered" in note for note in many)


def test_several_targets_by_name(tmp_path):
    np.savez(tmp_path / "d.npz", x=IMAGES, y_hot=LEVEL > 0.5, y_degrees=DEGREES)
    data = load(WorkloadSpec(data=f"{tmp_path}/d.npz"))
    assert set(data.test.targets) == {"hot", "degrees"}
    assert data.classes == 0


def test_a_forecast_is_judged_on_what_comes_last(tmp_path):
    series = np.arange(400, dtype=np.float32)[:, None, None] * np.ones((1, 6, 1), np.float32)
    data = loaded(tmp_path, np.arange(400) + 0.5, x=series)
    assert data.kind == "series"
    assert data.y_train.max() < data.y_test.min()
    assert list(data.y_test) == sorted(data.y_test)


def test_one_class_alone_is_refused(tmp_path):
    with pytest.raises(UsageError, match="1 classes"):
        loaded(tmp_path, np.zeros(400, int))
