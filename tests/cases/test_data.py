"""Data of users' kinds: what they are taken for, and what scenarios make of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.results.tolerance import outputs_differ
from tests.cases import data
from tests.cases.asking import Ask, Asked, builder, slow

pytestmark = pytest.mark.launches


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases")


# --- a model that scales pixels itself ------------------------------------------------------------


@pytest.fixture(scope="module")
def rescaled(ask: Ask, folder: Path) -> Asked:
    data.eight_bit(folder / "eight_bit.npz")
    model = builder("rescaling_inside")
    return ask(data=f"npz:{folder / 'eight_bit.npz'}", model=model, epochs=6)


def test_a_model_that_scales_pixels_gets_them_raw(rescaled: Asked) -> None:
    assert "rescaling" in rescaled.said
    assert "255" in rescaled.said


def test_eight_bits_lose_nothing_where_inputs_span_their_range(rescaled: Asked) -> None:
    plain, int8 = (rescaled.ok(id) for id in ("infer/function", "infer/litert-int8"))
    assert plain.accuracy is not None
    assert int8.accuracy is not None
    assert int8.accuracy >= plain.accuracy - 0.02


# --- several named inputs, in a CSV file ----------------------------------------------------------


@pytest.fixture(scope="module")
def customers(ask: Ask, folder: Path) -> Asked:
    data.customers(folder / "customers.csv")
    return ask(
        data=f"csv:{folder / 'customers.csv'}", target="leaves", model=builder("named_inputs"),
        epochs=20,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("id", "precision"),
    [
        ("infer/litert-float32", "float32"),
        ("infer/litert-int8", "int8"),
        ("infer/onnxruntime", "float32"),
        slow("infer/onnxruntime-int8", "int8"),
        slow("infer/openvino", "float32"),
    ],
)
def test_inputs_are_bound_by_name(customers: Asked, id: str, precision: str) -> None:
    wanted = customers.ok("infer/function")
    assert not outputs_differ(wanted.outputs, customers.ok(id).outputs, precision)


# --- labels of another kind -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def labelled(ask: Ask, folder: Path) -> Callable[[str, str], Asked]:
    data.labels(folder)

    def of(file: str, function: str) -> Asked:
        model = builder("other_labels", function)
        return ask(data=f"npz:{folder / file}.npz", model=model, epochs=4)

    return of


LABELLED = [
    ("real", "build_regression", "regression", "mae"),
    ("real_split", "build_regression", "regression", "mae"),
    ("one_hot", "build", "classification", "accuracy"),
    ("one_hot_split", "build", "classification", "accuracy"),
    ("tags", "build_tags", "multilabel", "f1"),
    ("tags_split", "build_tags", "multilabel", "f1"),
]


@pytest.mark.parametrize(("file", "function", "task", "metric"), LABELLED)
def test_labels_make_the_task(
    labelled: Callable[[str, str], Asked], file: str, function: str, task: str, metric: str
) -> None:
    assert labelled(file, function).facts["task"] == task


@pytest.mark.parametrize(
    ("file", "function", "task", "metric"),
    [each if "_split" not in each[0] else slow(*each) for each in LABELLED],
)
def test_labels_are_measured_by_a_metric_of_their_task(
    labelled: Callable[[str, str], Asked], file: str, function: str, task: str, metric: str
) -> None:
    found = labelled(file, function).ok("infer/litert-int8")
    assert metric in found.quality_metric
    assert found.quality is not None


@pytest.mark.parametrize("file", ["real", "tags"])
def test_labels_that_a_softmax_cannot_answer_are_not_cast(
    labelled: Callable[[str, str], Asked], file: str
) -> None:
    asked = labelled(file, "build")
    assert asked.facts["task"] != "classification"


# --- few positives --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scratches(folder: Path) -> str:
    data.scratches(folder / "scratches.npz")
    return f"npz:{folder / 'scratches.npz'}"


def test_one_unit_is_a_binary_classifier_with_a_threshold(ask: Ask, scratches: str) -> None:
    asked = ask(data=scratches, model=builder("few_positives"))
    assert asked.facts["task"] == "binary"
    assert "0.5" in asked.facts["line"]
    assert "4 %" in asked.facts["line"]
    found = asked.ok("infer/litert-int8")
    assert {"recall", "precision"} <= {found.quality_metric, *found.other_qualities}


def test_recall_stands_beside_the_accuracy_of_rare_classes(ask: Ask, scratches: str) -> None:
    asked = ask(data=scratches, model=builder("few_positives", "build_two"))
    found = asked.ok("infer/litert-int8")
    known = {found.quality_metric, *found.other_qualities}
    assert known & {"recall", "balanced_accuracy", "f1"}, known
    assert found.accuracy is not None


# --- 16-bit grey pictures -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def instrument(folder: Path) -> Path:
    data.instrument(folder)
    return folder


@pytest.mark.parametrize("name", ["images:{}/pictures", "npz:{}/pictures.npz"])
def test_16_bits_keep_depth_channel_and_shape(ask: Ask, instrument: Path, name: str) -> None:
    asked = ask(data=name.format(instrument), model=builder("deep_grey"), epochs=12)
    assert "20×48×1" in str(asked.facts["signature"])
    assert "65535" in asked.said


def test_16_bits_are_learned_from(ask: Ask, instrument: Path) -> None:
    asked = ask(data=f"images:{instrument / 'pictures'}", model=builder("deep_grey"), epochs=150)
    accuracy = asked.ok("infer/litert-int8").accuracy
    assert accuracy is not None
    assert accuracy > 0.6, "of three classes"


def test_hidden_folders_are_no_classes(ask: Ask, instrument: Path) -> None:
    asked = ask(data=f"images:{instrument / 'pictures'}", model=builder("deep_grey"), epochs=12)
    assert ".ipynb_checkpoints" in asked.said


# --- training data sorted by class ----------------------------------------------------------------


@pytest.mark.parametrize(
    "id",
    [
        "infer/litert-int8",
        slow("infer/litert-int8-full"),
        slow("infer/onnxruntime-int8"),
        slow("infer/openvino-int8"),
    ],
)
def test_the_order_of_training_data_costs_no_accuracy(ask: Ask, folder: Path, id: str) -> None:
    data.brightness(folder)
    for order in ("sorted", "shuffled"):
        asked = ask(data=f"npz:{folder / order}.npz", model=builder("sorted_by_class"), epochs=8)
        plain, int8 = asked.ok("infer/function"), asked.ok(id)
        assert abs(sum(plain.correct) - sum(int8.correct)) <= 3, order  # of 300
