"""What a model is taken to be for, and how good its answers are, by metrics written out by hand."""

import numpy as np
import pytest
from scipy import special

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import tasks
from scenarios.core.data import Data, Part
from scenarios.core.data.assembly import assembled
from scenarios.core.tasks import Compiled, agreement, form_of, judging, losses, probing

RNG = np.random.default_rng(12)
X = RNG.random((400, 4)).astype(np.float32)
RARE = (X[:, 0] > 0.96).astype(np.int64)
DEGREES = 90 * X[:, 0] + 2.5


def softmax(z):
    return special.softmax(z, axis=-1)


def sigmoid(x):
    return special.expit(60 * (x[:, :1] - 0.955))


def inferred(y, network, compiled=None, x=X, **spec):
    """The task of a network, its data with fitted targets, and its outputs on the test part."""
    spec = WorkloadSpec(**spec)
    kind = "images" if x.ndim == 4 else None
    data = assembled("some", Part(x, y), None, spec, kind)
    task = tasks.infer(spec, data, network(probing(data)), compiled)
    data = task.fitted(data)
    return task, data, network(data.test.inputs)


def judged(*arguments, **spec):
    task, data, outputs = inferred(*arguments, **spec)
    return task, task.quality(outputs, data.test.targets), task.guessing(outputs, data.test.targets)


# --- the form of outputs -------------------------------------------------------------------------


def test_the_form_shows_in_outputs():
    logits = RNG.normal(0, 3, (20, 5))
    assert form_of(softmax(logits)) == "probabilities"
    assert form_of(logits) == "reals"
    assert form_of(softmax(logits).astype(np.float16)) == "probabilities"
    assert form_of(1 / (1 + np.exp(-logits))) == "sigmoid"
    assert form_of(1 / (1 + np.exp(-logits[:, :1]))) == "sigmoid"
    assert form_of(softmax(RNG.normal(0, 3, (2, 6, 6, 4)))) == "probabilities"


def test_a_linear_unit_shows_where_inputs_are_exaggerated():
    y = (X[:, 0] > 0.5).astype(int)
    task, _, _ = inferred(y, lambda x: 0.2 * x[:, :1] + 0.4)
    assert (task.kind, task.form, task.threshold) == ("binary", "reals", 0.0)


def test_hidden_softmax_and_logits_are_the_same_task():
    y = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)
    weights = RNG.normal(size=(4, 3))
    found = [inferred(y, f)[0] for f in (lambda x: softmax(x @ weights), lambda x: x @ weights - 1)]
    assert [task.kind for task in found] == ["classification"] * 2
    assert [task.form for task in found] == ["probabilities", "reals"]


@pytest.mark.parametrize(
    ("scale", "said"), [(1e6, "2,506 to 1,000,000;"), (0.5, "0.001253 to 0.5;")]
)
def test_a_regressions_range_is_written_as_people_do(scale, said):
    line = judged(np.linspace(0, scale, 400), lambda x: x[:, :1])[0].line
    assert said in line


# --- the kind of task ----------------------------------------------------------------------------


def test_real_numbers_are_a_regression():
    task, quality, luck = judged(DEGREES, lambda x: 88 * x[:, :1])
    assert task.kind == "regression"
    assert task.line.startswith("regression: one real number in ")
    assert "mean absolute error" in task.line
    assert (quality.metric.name, quality.metric.larger_is_better) == ("mae", False)
    assert quality.value == pytest.approx(np.mean(quality.scores))
    assert quality.others["r2"] > 0.9
    assert luck is None


def test_a_classifier_for_real_numbers_is_reported_what_is_wrong():
    task, _, luck = judged(DEGREES, lambda x: softmax(x[:, :1]))
    assert task.kind == "regression"
    assert "the same number" in task.warnings[0]
    assert "targets' mean" in luck


def test_one_hot_rows_are_class_numbers_for_the_metric():
    numbers = (X[:, 1] * 4).astype(int)
    task, data, outputs = inferred(np.eye(4)[numbers], lambda x: softmax(8 * x))
    assert (task.kind, task.classes, data.classes) == ("classification", 4, 4)
    assert data.y_test.ndim == 1
    assert "one-hot labels" in task.line
    quality = task.quality(outputs, data.y_test)
    assert quality.as_answer()["accuracy"] == np.mean(outputs.argmax(axis=1) == data.y_test)


def test_several_tags_are_multi_label():
    tags = (X[:, :3] > 0.5).astype(np.int64)
    task, quality, luck = judged(tags, lambda x: special.expit(9 * (x[:, :3] - 0.5)))
    assert (task.kind, task.classes) == ("multilabel", 3)
    assert "3 tags" in task.line
    assert quality.metric.name == "f1"
    assert quality.value == 1
    assert set(quality.by_class) == {"0", "1", "2"}
    assert luck is None
    warned, _, _ = inferred(tags, lambda x: softmax(x[:, :3]))
    assert "sigmoid units" in warned.warnings[0]


def test_one_sigmoid_unit_with_few_positives():
    task, quality, luck = judged(RARE, sigmoid)
    assert task.kind == "binary"
    assert task.line.startswith(
        "binary classification: one sigmoid unit, threshold 0.5; F1 and accuracy; "
    )
    assert task.line.endswith("% positives")
    assert set(quality.others) >= {"accuracy", "recall", "precision"}
    assert quality.others["accuracy"] == np.mean(quality.right)
    assert luck is None


def test_two_units_with_few_positives_are_judged_alike():
    one = judged(RARE, sigmoid)[1]
    two = judged(RARE, lambda x: np.concatenate([1 - sigmoid(x), sigmoid(x)], axis=1))[1]
    assert (two.metric.name, two.value, two.others) == (one.metric.name, one.value, one.others)


def test_never_saying_yes_is_no_better_than_guessing_however_often_it_is_right():
    _, quality, luck = judged(RARE, lambda x: 0.01 + 0 * x[:, :1])
    assert quality.others["accuracy"] > 0.9
    assert quality.value == 0
    assert "no better than guessing" in luck


@pytest.mark.parametrize("wide", [1, 3])
def test_masks_are_a_segmentation(wide):
    x = RNG.random((40, 8, 8, 1)).astype(np.float32)
    masks = (x[..., 0] * wide + 0.5 if wide > 1 else x[..., 0] > 0.5).astype(np.int64).clip(0, 2)
    slopes, offsets = np.array([[0.0, 60.0, 120.0]]), np.array([0.0, -10.0, -40.0])

    def network(x):
        return x.clip(0, 1) if wide == 1 else softmax(x @ slopes + offsets)

    task, quality, luck = judged(masks, network, x=x)
    assert (task.kind, task.classes) == ("segmentation", 2 if wide == 1 else 3)
    assert quality.metric.name == "iou"
    assert quality.value > 0.99
    assert luck is None


def test_black_and_white_masks_are_two_classes():
    x = RNG.random((40, 8, 8, 1)).astype(np.float32)
    masks = np.where(x > 0.5, 255, 0).astype(np.uint8)
    task, data, outputs = inferred(masks, lambda x: x.clip(0, 1), x=x)
    assert task.kind == "segmentation"
    assert set(np.unique(data.y_test)) == {0, 1}
    assert task.quality(outputs, data.y_test).value == 1


def test_inputs_that_are_their_own_targets_are_a_regression():
    x = np.where(RNG.random((40, 8, 8, 1)) > 0.5, 1, 0).astype(np.float32)
    task, quality, _ = judged(x.copy(), lambda x: x.clip(0.1, 0.9), x=x)
    assert task.kind == "regression"
    assert quality.metric.name == "mae"
    assert quality.value == pytest.approx(0.1)


def test_without_targets_only_agreement_is_left():
    data = Data("some", "samples", None, Part(X))
    task = tasks.infer(WorkloadSpec(), data, softmax(X))
    assert (task.kind, task.metrics) == ("classification", ())
    assert "agreement" in task.line
    assert task.quality(X, None) is None
    assert task.fitted(data) is data
    assert tasks.infer(WorkloadSpec(), data, X - 2).kind == "other"


def test_each_output_has_its_task():
    y = {"hot": (X[:, 0] > 0.5).astype(int), "degrees": DEGREES}

    def network(x):
        hot = special.expit(30 * (x[:, :1] - 0.5))
        return {"hot": hot, "degrees": 90 * x[:, :1], "features": x - 5}

    task, data, outputs = inferred(y, network)
    assert {name: part.kind for name, part in task.parts.items()} == {
        "hot": "binary", "degrees": "regression", "features": "other",
    }  # fmt: skip
    quality = task.quality(outputs, data.test.targets)
    assert quality.metric.name == "accuracy"
    assert quality.others["degrees/mae"] == pytest.approx(2.5, abs=1e-4)


def test_a_unit_for_each_of_the_source_s_own_numbers():
    y = np.where(X[:, 0] > 0.5, 9, 5)
    task, data, _ = inferred(y, lambda x: softmax(np.tile(x, 3)))
    assert task.classes == 12
    assert set(data.y_test) == {5, 9}


def test_numbers_that_are_outputs_are_not_said_to_be_renumbered():
    y = np.where(X[:, 0] > 0.5, 9, 5)
    task, data, _ = inferred(y, lambda x: softmax(np.tile(x, 3)))
    assert not any("were numbered" in note for note in data.notes)
    assert task.warnings == ()


def test_labels_counted_from_1_mean_the_outputs_in_their_order():
    y = np.arange(400) % 4 + 1
    task, data, _ = inferred(y, softmax)
    assert (task.classes, data.classes) == (4, 4)
    assert set(data.y_train) == set(data.y_test) == set(range(4))
    assert "labels 1 to 4 were numbered from 0: the model has 4 outputs" in data.notes


@pytest.mark.parametrize("labels", [[5, 15, 25], ["cat", "dog", "owl"]])
def test_labels_that_no_output_is_known_for_are_a_warning(labels):
    task, _, _ = inferred(np.array(labels)[np.arange(400) % 3], softmax)
    (warning,) = task.warnings
    assert str(labels[0]) in warning
    assert "the model has 4 outputs" in warning


def test_numbered_labels_of_a_regression_are_their_values_again():
    y = np.where(X[:, 0] > 0.5, 9, 5)
    task, data, _ = inferred(y, lambda x: 9 * x[:, :1])
    assert task.kind == "regression"
    assert set(data.y_test) == {5.0, 9.0}
    assert data.classes == 0


def test_the_default_is_left_alone():
    y = np.arange(400) % 4
    task, data, outputs = inferred(y, softmax)
    assert [m.name for m in task.metrics] == ["accuracy", "balanced_accuracy"]
    again = task.fitted(data)
    assert again is data
    answer = task.quality(outputs, data.y_test).as_answer()
    assert answer["quality"] == answer["accuracy"] == np.mean(answer["correct"])
    assert answer["predictions"] == outputs.argmax(axis=1).tolist()
    assert answer["quality_unit"] == "%"


# --- what the user says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "network", "spec", "said"),
    [
        (np.arange(400) % 8, softmax, {}, "labels go up to 7, but the model has 4 outputs"),
        (DEGREES, softmax, {"task": "classification"}, "targets are real numbers"),
        (DEGREES, lambda x: x, {}, "outputs are [N, 4]"),
        (RARE, sigmoid, {"metric": "mae"}, "'mae' is not for binary: use one of accuracy"),
        (RARE, sigmoid, {"metric": "acuracy"}, "did you mean accuracy"),
        (np.arange(400) % 3, sigmoid, {"task": "binary"}, "targets of 0 and 1"),
        (np.eye(5)[np.arange(400) % 5], softmax, {}, "5 columns, but the model has 4 outputs"),
        (RARE, sigmoid, {"task": "guess"}, "unknown task"),
        (DEGREES, lambda x: x[:, :1], {"metric": "nowhere.py:f"}, "nowhere.py does not exist"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_one_line(y, network, spec, said):
    with pytest.raises(UsageError) as caught:
        inferred(y, network, **spec)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_metric_asked_for_comes_first():
    task, quality, _ = judged(RARE, sigmoid, metric="auc")
    assert quality.metric.name == "auc"
    assert len(quality.resampled) == judging.RESAMPLES
    assert "AUC" in task.line


def test_what_the_model_was_compiled_with_counts():
    task, _, _ = inferred(RARE, sigmoid, Compiled("binary_crossentropy", ("acc", "AUC")))
    assert task.metrics[0].name == "auc"
    whole = (X[:, 1] * 4).astype(int)
    assert (
        inferred(whole, lambda x: 4 * x[:, :1], Compiled("mse", ("mae",)))[0].kind == "regression"
    )

    class CategoricalCrossentropy:
        from_logits = True

    odd = inferred(np.arange(400) % 4, softmax, Compiled(CategoricalCrossentropy()))[0]
    assert "from_logits=False" in odd.warnings[0]


def test_a_metric_of_the_user_s(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def worst_error(y_true, y_pred):\n    return np.abs(y_true - y_pred[:, 0]).max()\n"
        "def each(y_true, y_pred):\n    return np.abs(y_true - y_pred[:, 0])\n"
        "def wrong(y_true, y_pred):\n    return y_pred[:5]\n"
        "def broken(y_true, y_pred):\n    raise KeyError('no')\n"
    )

    def by(name):
        return judged(DEGREES, lambda x: 90 * x[:, :1], metric=f"{tmp_path}/mine.py:{name}")[1]

    worst = by("worst_error")
    assert (worst.metric.name, worst.metric.larger_is_better) == ("worst_error", False)
    assert worst.value == pytest.approx(2.5, abs=1e-4)
    assert len(worst.resampled) == judging.RESAMPLES
    assert len(by("each").scores) == 100
    with pytest.raises(UsageError, match="one number, or one an example"):
        by("wrong")
    with pytest.raises(UsageError, match=r"mine\.py:9: KeyError"):
        by("broken")


# --- values of metrics ---------------------------------------------------------------------------

RIGHT, SAID = np.array([0, 0, 0, 1, 1, 1, 1, 0]), np.array([0, 0, 1, 1, 1, 0, 1, 0])


@pytest.mark.parametrize(
    ("name", "value"),
    [("accuracy", 0.75), ("precision", 0.75), ("recall", 0.75), ("f1", 0.75), ("iou", 0.6),
     ("balanced_accuracy", 0.75), ("matthews", 0.5), ("auc", 0.75)],
)  # fmt: skip
def test_metrics_of_classes_by_hand(name, value):
    task = tasks.Task("binary", "", "sigmoid", (tasks.METRICS[name],), 2)
    assert task.quality(SAID[:, None].astype(float), RIGHT).value == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "value"), [("mae", 1.0), ("mse", 1.5), ("rmse", 1.5**0.5), ("r2", 1 - 6 / 5)]
)
def test_metrics_of_numbers_by_hand(name, value):
    task = tasks.Task("regression", "", "reals", (tasks.METRICS[name],))
    outputs = np.array([[1.0], [3.0], [2.0], [6.0]])
    assert task.quality(outputs, np.array([1.0, 2, 3, 4])).value == pytest.approx(value)


def test_intersection_over_union_by_hand():
    right, said = np.zeros((1, 4, 4), int), np.zeros((1, 4, 4, 2))
    right[0, :2], said[0, 1:3, :, 1], said[..., 0] = 1, 2, 1
    task = tasks.Task("segmentation", "", "reals", (tasks.METRICS["iou"],), 2)
    quality = task.quality(said, right)
    assert quality.value == pytest.approx(4 / 12)
    assert quality.by_class == {"0": 0.5, "1": 0.5}


def test_what_one_answer_changes():
    task = tasks.Task("binary", "", "sigmoid", (tasks.METRICS["balanced_accuracy"],), 2)
    quality = task.quality(RIGHT[:, None].astype(float), RIGHT)
    assert quality.step == pytest.approx(1 / 8)  # of four examples of each class one


# --- agreement -----------------------------------------------------------------------------------


def test_agreement_by_hand():
    reference = np.array([[0.9, 0.1], [0.2, 0.8]])
    own = np.array([[0.4, 0.6], [0.2, 0.8]])
    found = agreement(own, reference)
    assert found["top1"] == 0.5
    assert found["relative_error"] == pytest.approx((0.5 / 1.5) ** 0.5)
    assert found["snr_db"] == pytest.approx(10 * np.log10(3))
    same = agreement(reference, reference)
    assert same == {"relative_error": 0.0, "top1": 1.0}


def test_agreement_of_several_outputs_holds_the_worst():
    reference = {"a": np.ones((4, 3)) * 2, "b": np.ones((4, 1)) * 5}
    own = {"a": reference["a"] * 1.1, "b": reference["b"]}
    found = agreement(own, reference)
    assert found["a/relative_error"] == pytest.approx(0.1)
    assert found["relative_error"] == found["a/relative_error"]
    assert "top1" not in found


def test_outputs_that_are_not_finite():
    found = agreement(np.array([[np.nan, 1.0]]), np.ones((1, 2)))
    assert found == {"relative_error": np.inf, "not_finite": 0.5}


def test_a_compiled_loss_is_given_the_targets_that_it_compares_with():
    import types

    sparse = types.SimpleNamespace(name="sparse_categorical_crossentropy")
    for one_hot in (True, False):
        task = tasks.Task("classification", "", one_hot=one_hot)
        assert losses._wants_rows(task, "categorical_crossentropy")
        assert losses._wants_rows(task, {"class_name": "CategoricalCrossentropy", "config": {}})
        assert not losses._wants_rows(task, sparse)
        assert losses._wants_rows(task, "mean_squared_error") is one_hot
