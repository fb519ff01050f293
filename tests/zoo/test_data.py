"""The zoo's data: what their models take them for."""

from __future__ import annotations

import numpy as np

from research.zoo import data


def test_texts_come_from_several_packages_with_many_of_each() -> None:
    texts, labels = data.docstrings()
    assert len(texts) == len(labels) > 500
    assert min(np.bincount(labels)) > 20
    assert len(set(texts)) == len(texts)


def test_masks_have_the_size_of_their_images() -> None:
    made = data.blobs()
    assert made["x"].shape == made["y"].shape
    assert set(np.unique(made["y"])) == {0.0, 1.0}


def test_one_case_in_ten_is_positive() -> None:
    assert 0.08 < data.few_malignant()["y"].mean() < 0.12


def test_inputs_and_targets_with_names_have_one_length() -> None:
    inputs, targets = data.pictures_and_numbers()
    assert {len(array) for array in (*inputs.values(), *targets.values())} == {600}
