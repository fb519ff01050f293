"""Data from functions of the user's, and losses, with either Keras, in a process of its own."""

import itertools

import pytest

from bench.results.errors import UsageError
from scenarios.core.data import functions
from tests.checks import saw


@pytest.fixture(scope="module", params=[3, 2], ids=["Keras 3", "Keras 2"])
def seen(pool, request):
    found = saw(pool, "tests.scenarios.data_checks", keras=request.param)
    assert found["keras"].startswith("keras." if request.param == 3 else "tf_keras.")
    return found


def test_every_form_gives_the_same_examples(seen):
    found = seen["functions"]
    for name in (
        "pair",
        "lists",
        "weighted",
        "weighted_batches",
        "batched",
        "unbatched",
        "dropping",
        "batches",
        "filtered",
        "seeded",
    ):
        assert found[name] == [[3], 30, 10, 2, "table", True], name
    for name in ("two", "parts", "keras_names", "two_datasets"):
        assert found[name] == [[3], 30, 10, 2, "table", True], name
    assert found["array"] == [[3], 30, 10, 0, "table", None]


def test_inputs_keep_their_names(seen):
    found = seen["functions"]
    named = [{"a": [1], "b": [2]}, 30, 10, 2, "table", True]
    assert found["inputs"] == found["nested"] == found["named"] == named
    assert found["listed"][0] == {"0": [1], "1": [2]}


def test_rows_of_various_length_are_padded(seen):
    assert seen["functions"]["ragged"] == [[5], 30, 10, 2, "table", None]


def test_strings_are_text_and_frames_are_tables(seen):
    assert seen["functions"]["words"] == [[], 30, 10, 2, "text", None]
    assert seen["functions"]["frame"][0] == {"a": [1], "kind": [1]}


def test_as_many_as_wanted_are_taken(seen):
    taken = [[3], 18, 6, 2, "table", True]
    assert seen["functions"]["endless, taken"] == seen["functions"]["batched, taken"] == taken


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("endless", "never ends: say how many examples with --take"),
        ("hidden", "never ends: say how many examples with --take"),
        ("empty", "the dataset is empty"),
        ("broken", "mine.py:42: ValueError"),
        ("nothing", "return arrays"),
        ("text", "returned str: return arrays"),
        ("uneven", "40 inputs but 30 targets"),
    ],
)
def test_what_is_no_data_is_said_in_one_line(seen, name, said):
    assert said in seen["functions"][name]
    assert "\n" not in seen["functions"][name]


def test_a_dataset_of_unknown_length_is_not_read_for_ever():
    seconds = iter(range(1000))
    read = functions._ending(itertools.count(), "data", clock=lambda: float(next(seconds)))
    with pytest.raises(UsageError, match="within 60 s and 60 elements: say how many examples"):
        list(read)
    assert list(functions._ending(range(3), "data", clock=lambda: 0.0)) == [0, 1, 2]


def test_weights_that_are_not_used_are_reported(seen):
    told = {name for name, notes in seen["functions"]["notes"].items() if "weights" in str(notes)}
    assert told == {"weighted", "weighted_batches"}


def test_losses_are_the_usual_ones_of_the_task(seen):
    assert seen["losses"]
    for name, (loss, written_out) in seen["losses"].items():
        assert loss == pytest.approx(written_out, rel=1e-4), name
