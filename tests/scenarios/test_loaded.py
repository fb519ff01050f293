"""A function that loads trained weights is distinguished from one that makes a new model."""

from __future__ import annotations

from typing import Any

import pytest

from bench.sweep.preloaded import Pool
from tests.checks import saw


@pytest.fixture(scope="module")
def seen(pool: Pool) -> Any:
    """What loaded_checks.py saw, run once in a process of its own."""
    return saw(pool, "tests.scenarios.loaded_checks")


def test_loaded_models_came_trained_and_new_ones_did_not(seen: Any) -> None:
    trained = {name for name, is_so in seen["made"].items() if is_so}
    assert trained == {"file", "file, not compiled", "weights", "numbers"}
    assert len(seen["made"]) == 10


def test_a_class_of_ones_own_is_named_with_a_way_out_that_leads_on(seen: Any) -> None:
    own = seen["own"]
    assert own["refused"] == (
        "FOLDER/net.keras needs Twice, which Keras does not know: give FILE.py:function that "
        "imports Twice and returns keras.models.load_model('FOLDER/net.keras')"
    )
    trained, notes = own["load"]
    assert trained
    assert notes == ["the model's function loads trained weights: they are measured as they are"]
    assert own["new"] == [False, []]


@pytest.mark.parametrize(
    ("ending", "cause"),
    [(".keras", "Keras does not know focal"), (".h5", "Keras cannot read how that was")],
)
def test_a_loss_that_keras_does_not_know_is_missed_aloud(
    seen: Any, ending: str, cause: str
) -> None:
    assert seen["loss"][f"known{ending}"] == [[], True]
    (note,), compiled = seen["loss"][f"own{ending}"]
    assert not compiled
    assert note == (
        f"the model is not trained as it was compiled ({cause}): for its own loss "
        "and optimizer give FILE.py:function that returns keras.models.load_model"
        f"('FOLDER/own{ending}') with all known"
    )


def test_a_model_that_computes_in_16_bits_is_known_and_its_way_out_leads_on(seen: Any) -> None:
    refused, taken = seen["half"]
    assert refused.startswith("layer 'dense")
    assert "computes in float16" in refused
    assert "sets layer.dtype_policy = 'float32'" in refused
    assert taken == ""


@pytest.mark.parametrize("name", ["two", "two.py:both"])
def test_one_of_several_signatures_is_named(seen: Any, name: str) -> None:
    found = seen["signatures"]
    assert found[f"{name} encode"] == ["x", 2]
    assert found[f"{name} decode"] == ["code", 0]
    for wrong in ("", "other"):
        assert "name one by --signature" in found[f"{name} {wrong}"]
        assert "encode" in found[f"{name} {wrong}"]


def test_a_keras_model_has_no_signatures_to_name(seen: Any) -> None:
    found = seen["signatures"]
    assert isinstance(found["two.py:plain "], list)
    assert found["two.py:plain encode"] == (
        "model 'FOLDER/two.py:plain' returns Sequential, which has no signatures: leave "
        "--signature out"
    )


def test_a_call_that_raises_is_named_by_its_line(seen: Any) -> None:
    assert seen["raises"].startswith("FOLDER/odd.py:6: KeyError: ")
    assert "rain" in seen["raises"]
    assert "\n" not in seen["raises"]


def test_an_architecture_has_the_weights_of_its_file(seen: Any) -> None:
    found = seen["architectures"]
    assert found["random"] == [
        "MobileNet has random weights: speed and size hold, quality means nothing"
    ]
    assert found["loaded"] == [True, []]
    assert found["same"]
    assert found["refused"].startswith(
        "--weights FOLDER/three.weights.h5 does not fit MobileNet with 1000 classes (no data say "
        "how many): give labelled data of the classes that it was trained for"
    )
    assert "\n" not in found["refused"]
