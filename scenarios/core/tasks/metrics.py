"""Metrics by name: each is a library's function on answers, of every example or of them all."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.results import metric_names
from bench.results.errors import UsageError
from scenarios.core import user_code
from scenarios.core.tasks.answers import Answers

CLASSES = frozenset({"classification", "binary"})
LABELS = CLASSES | {"multilabel"}
HARD = LABELS | {"segmentation"}
REALS = frozenset({"regression"})
ALL = HARD | REALS | {"other"}


@dataclass(frozen=True)
class Metric:
    """How good answers are.

    `compute` gives a score of each example that counts (their mean is the quality), or one value
    of the whole set.
    """

    name: str
    compute: Callable[[Answers], Any]
    kinds: frozenset[str]
    unit: str = "%"
    """`%`: a share of 1, told in percent; empty: the targets' own unit."""
    larger_is_better: bool = True
    words: str = ""
    counts: bool = False
    """It depends on predicted classes alone, so that it moves in steps."""

    def __str__(self) -> str:
        return self.words or self.name.replace("_", " ")


def find(name: str, kind: str) -> Metric:
    """The metric of that name for a kind of task, or the user's FILE.py:function(y_true, y_pred).

    Raises:
        UsageError: There is none, or it is not for such a task.
    """
    if ":" in name:
        return _own(name)
    plain = metric_names.plain(name)
    fitting = [metric.name for metric in METRICS.values() if kind in metric.kinds]
    if plain not in METRICS:
        near = difflib.get_close_matches(plain, METRICS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(fitting)}"
        raise UsageError(f"unknown metric {name!r}: {hint}, or FILE.py:function")
    if kind not in METRICS[plain].kinds:
        raise UsageError(f"metric {name!r} is not for {kind}: use one of {', '.join(fitting)}")
    return METRICS[plain]


def _own(name: str) -> Metric:
    function, _ = user_code.find(name, "metric")

    def compute(answers: Answers) -> Any:
        value = np.asarray(user_code.calling(function, answers.targets, answers.outputs), float)
        if value.shape not in ((), (answers.examples,)):
            raise UsageError(
                f"metric {name!r} returned an array of {value.shape}: return one number, or one "
                "an example"
            )
        return value if value.ndim else float(value)

    label = name.rpartition(":")[2]
    falls = any(word in label.lower() for word in ("loss", "error", "mae", "mse", "distance"))
    larger = bool(getattr(function, "larger_is_better", not falls))
    return Metric(label, compute, ALL, "", larger)


# --- of every example ----------------------------------------------------------------------------


def _right(answers: Answers) -> np.ndarray:
    if answers.counts is not None:
        classes = round(answers.counts.shape[1] ** 0.5)
        right = answers.counts[:, :: classes + 1].sum(axis=1)
        share: np.ndarray = right / answers.counts.sum(axis=1)
        return share
    right = answers.predicted == answers.targets
    return np.asarray(right.all(axis=-1) if right.ndim > 1 else right, int)


def _top5(answers: Answers) -> np.ndarray:
    best = np.argsort(answers.outputs, axis=-1)[:, -5:]
    return np.asarray((best == answers.targets[:, None]).any(axis=1), int)


def _absolute(answers: Answers) -> np.ndarray:
    return _mean_of_each(np.abs(answers.predicted - answers.targets))


def _squared(answers: Answers) -> np.ndarray:
    return _mean_of_each(np.square(answers.predicted - answers.targets))


def _log_loss(answers: Answers) -> np.ndarray:
    scores = np.clip(answers.scores.astype(np.float64), 1e-7, 1 - 1e-7)
    if answers.kind == "binary":
        return -np.log(np.where(answers.targets == 1, scores, 1 - scores))
    return -np.log(np.take_along_axis(scores, answers.targets[:, None], axis=-1)[:, 0])


def _mean_of_each(values: np.ndarray) -> np.ndarray:
    mean: np.ndarray = values.reshape(len(values), -1).mean(axis=1, dtype=np.float64)
    return mean


# --- of the whole set ----------------------------------------------------------------------------


def _by_class(function: str, **options: Any) -> Callable[[Answers], float]:
    """A scikit-learn metric of predicted classes: of the positives, or the mean over classes."""

    def compute(answers: Answers) -> float:
        from sklearn import metrics

        right, predicted, weights = answers.targets, answers.predicted, None
        if answers.counts is not None:  # pixels by right and predicted class, weighted
            classes = round(answers.counts.shape[1] ** 0.5)
            weights = answers.counts.sum(axis=0)
            right, predicted = np.divmod(np.arange(classes**2), classes)
            right, predicted, weights = (a[weights > 0] for a in (right, predicted, weights))
        two = right.ndim == 1 and max(right.max(), predicted.max()) <= 1
        average = {"average": "binary" if two else "macro", "zero_division": 0}
        call = getattr(metrics, function)
        return float(call(right, predicted, sample_weight=weights, **(options or average)))

    return compute


def _plain(function: str) -> Callable[[Answers], float]:
    """A scikit-learn metric of predicted classes that needs no averaging."""

    def compute(answers: Answers) -> float:
        import warnings

        from sklearn import metrics

        with warnings.catch_warnings():  # a class that a resample lacks is no news
            warnings.simplefilter("ignore")
            return float(getattr(metrics, function)(answers.targets, answers.predicted))

    return compute


def _ranking(function: str) -> Callable[[Answers], float]:
    """A scikit-learn metric of a ranking: of the positives, or the mean over classes or tags."""

    def compute(answers: Answers) -> float:
        from sklearn import metrics

        call, right, scores = getattr(metrics, function), answers.targets, answers.scores
        if answers.kind == "classification" and scores.shape[-1] == 2:
            scores = scores[:, 1]
        if scores.ndim == 1:
            right, scores = right[:, None], scores[:, None]
        elif answers.kind == "classification":
            right = right[:, None] == np.arange(scores.shape[-1])
        known = [c for c in range(right.shape[1]) if 0 < right[:, c].sum() < len(right)]
        if not known:
            raise UsageError(f"{function} needs positives and negatives among the test examples")
        return float(np.mean([call(right[:, c], scores[:, c]) for c in known]))

    return compute


def _error(function: str) -> Callable[[Answers], float]:
    def compute(answers: Answers) -> float:
        from sklearn import metrics

        flat = [a.reshape(answers.examples, -1) for a in (answers.targets, answers.predicted)]
        return float(getattr(metrics, function)(*flat))

    return compute


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _right, HARD),
        Metric("top5", _top5, frozenset({"classification"}), words="top-5 accuracy"),
        Metric("log_loss", _log_loss, CLASSES, "", False),
        Metric("balanced_accuracy", _plain("balanced_accuracy_score"), CLASSES, counts=True),
        Metric("matthews", _plain("matthews_corrcoef"), CLASSES, "", counts=True),
        Metric("f1", _by_class("f1_score"), HARD, words="F1", counts=True),
        Metric("precision", _by_class("precision_score"), HARD, counts=True),
        Metric("recall", _by_class("recall_score"), HARD, counts=True),
        Metric("auc", _ranking("roc_auc_score"), LABELS, words="AUC"),
        Metric("average_precision", _ranking("average_precision_score"), LABELS),
        Metric("iou", _by_class("jaccard_score"), HARD, words="IoU", counts=True),
        Metric("dice", _by_class("f1_score"), frozenset({"segmentation"}), words="Dice"),
        Metric("mae", _absolute, REALS, "", False, "mean absolute error"),
        Metric("mse", _squared, REALS, "", False, "mean squared error"),
        Metric(
            "rmse", _error("root_mean_squared_error"), REALS, "", False,
            "root mean squared error",
        ),
        Metric(
            "mape", _error("mean_absolute_percentage_error"), REALS, "%", False,
            "mean absolute percentage error",
        ),
        Metric("r2", _error("r2_score"), REALS, "", words="R²"),
    )
}  # fmt: skip
