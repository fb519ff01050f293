"""How good answers are: the quality with what its interval is made from, and guessing beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios.core.tasks.answers import Answers
from scenarios.core.tasks.metrics import Metric

if TYPE_CHECKING:
    from scenarios.core.tasks.values import Task

RESAMPLES = 200
"""Of a metric of the whole set: the standard deviation of as many is known within 5 %."""
CHANGED = 50
"""Examples whose answer is changed, to see by how much the metric moves."""
GUESS_LEVEL = 1e-3
"""Probability below which answers that depend on the right ones are no luck."""


@dataclass(frozen=True)
class Quality:
    """The quality of one path's answers."""

    metric: Metric
    value: float
    examples: int
    """Independent test examples (of a series: blocks of them)."""
    scores: tuple[float, ...] = ()
    """Of each example, where the value is their mean."""
    resampled: tuple[float, ...] = ()
    """The value on resampled examples, where it is one of the whole set."""
    step: float = 0.0
    """What one example's other answer typically changes the value by, where it moves in steps."""
    others: Mapping[str, float] = field(default_factory=dict)
    by_class: Mapping[str, float] = field(default_factory=dict)
    """Share of each class's (or tag's) examples that was classified correctly."""
    predicted: tuple[int, ...] = ()
    """Class numbers, where they are what was asked for."""
    right: tuple[int, ...] = ()

    def as_answer(self) -> dict[str, Any]:
        """Under the names of a `Launch`'s fields; accuracy and predictions where it classifies."""
        answer: dict[str, Any] = {
            "quality_metric": self.metric.name,
            "quality_unit": self.metric.unit,
            "quality_larger_is_better": self.metric.larger_is_better,
            "quality": self.value,
            "quality_examples": self.examples,
            "scores": list(self.scores),
            "answers": list(self.resampled),
            "answer_step": self.step,
            "other_qualities": dict(self.others),
            "class_qualities": dict(self.by_class),
        }
        if self.right:
            answer |= {
                "accuracy": float(np.mean(self.right)),
                "predictions": list(self.predicted),
                "correct": list(self.right),
            }
        return answer


def quality(task: Task, outputs: np.ndarray, targets: np.ndarray) -> Quality:
    """The quality of outputs [N, ...] on fitted targets [N, ...]."""
    answers = task.answers(outputs, targets)
    metric, *others = task.metrics
    found = np.asarray(metric.compute(answers))
    scores = found if found.ndim else None
    resampled: tuple[float, ...] = ()
    units = answers.examples
    if task.series or scores is None:
        length = block_length(answers.examples) if task.series else 1
        units = answers.examples // length
        resampled = tuple(
            float(np.mean(scores[chosen] if scores is not None
                          else metric.compute(answers.take(chosen))))
            for chosen in draws(answers, length)
        )  # fmt: skip
    classifies = task.kind in ("classification", "binary")
    return Quality(
        metric,
        float(np.mean(found)),
        len(scores) if scores is not None and not task.series else units,
        () if scores is None else tuple(scores.tolist()),
        resampled,
        _step(metric, answers) if metric.counts and answers.counts is None else 0.0,
        {other.name: float(np.mean(other.compute(answers))) for other in others},
        by_class(task, answers),
        tuple(answers.predicted.tolist()) if classifies else (),
        tuple((answers.predicted == answers.targets).astype(int).tolist()) if classifies else (),
    )


def joined(found: Mapping[str, Quality]) -> Quality | None:
    """Of several outputs: the first one's, with all others' values by `NAME/metric`."""
    if not found:
        return None
    (first, main), *rest = found.items()
    others = {f"{first}/{name}": value for name, value in main.others.items()}
    for name, each in rest:
        others[f"{name}/{each.metric.name}"] = each.value
        others |= {f"{name}/{other}": value for other, value in each.others.items()}
    return Quality(
        main.metric, main.value, main.examples, main.scores, main.resampled, main.step, others,
        main.by_class, main.predicted, main.right,
    )  # fmt: skip


def _step(metric: Metric, answers: Answers) -> float:
    """Root mean square of what a changed answer to one example changes the metric by."""
    value = float(metric.compute(answers))
    places = np.random.default_rng(0).permutation(answers.examples)[:CHANGED]
    changes = [float(metric.compute(answers.changed(int(place)))) - value for place in places]
    return float(np.sqrt(np.mean(np.square(changes))))


def block_length(examples: int) -> int:
    """Examples in one block of a series: errors that far apart are taken for independent."""
    return max(1, math.isqrt(examples))


def draws(answers: Answers, length: int = 1, seed: int = 0) -> Iterator[np.ndarray]:
    """Places of resampled examples, the same for every path judged on as many.

    Blocks of neighbours where `length` is above 1, from a circle (Politis and Romano 1992). A draw
    without one of the classes is drawn anew while that may help.
    """
    count = answers.examples
    rng = np.random.default_rng([seed, count, length])
    labels = answers.targets if answers.targets.ndim == 1 and answers.kind != "regression" else None
    classes = 0 if labels is None else len(np.unique(labels))
    for _ in range(RESAMPLES):
        for _ in range(20):
            starts = rng.integers(0, count, -(-count // length))
            chosen = ((starts[:, None] + np.arange(length)) % count).ravel()[:count]
            if labels is None or len(np.unique(labels[chosen])) == classes:
                break
        yield chosen


def by_class(task: Task, answers: Answers) -> dict[str, float]:
    """Share of each class's examples (each tag's, each class's pixels) classified correctly."""
    names = task.class_names or tuple(str(i) for i in range(task.classes))
    right, predicted = answers.targets, answers.predicted
    if task.kind == "multilabel":
        return {
            names[i]: float(np.mean(predicted[right[:, i] == 1, i] == 1))
            for i in range(right.shape[1])
            if (right[:, i] == 1).any()
        }
    if answers.counts is not None:
        cells = answers.counts.sum(axis=0).reshape(task.classes, task.classes)
        return {
            names[i]: float(cells[i, i] / cells[i].sum())
            for i in range(task.classes)
            if cells[i].sum()
        }
    if task.kind not in ("classification", "binary"):
        return {}
    return {str(names[i]): float(np.mean(predicted[right == i] == i)) for i in np.unique(right)}


def guessing(task: Task, outputs: np.ndarray, targets: np.ndarray) -> str | None:
    """A sentence where answers are no better than the best constant one, else None.

    Classes: predicted and right ones must depend on one another (chi-squared test), whatever the
    share of the most frequent class. Real numbers and masks: errors smaller than those of the
    targets' mean or the most frequent class, by a paired t-test over examples.
    """
    from scipy import stats

    answers = task.answers(outputs, targets)
    right, predicted = answers.targets, answers.predicted
    if task.kind == "regression":
        own = np.square(predicted - right).reshape(len(right), -1).mean(axis=1)
        other = np.square(right - right.mean(axis=0)).reshape(len(right), -1).mean(axis=1)
        luck = _luck(other - own)
        return None if luck < GUESS_LEVEL else "no better than always answering the targets' mean"
    if task.kind == "segmentation":
        values, counts = np.unique(right, return_counts=True)
        flat = (len(right), -1)
        own = (predicted == right).reshape(flat).mean(axis=1)
        other = (right == values[np.argmax(counts)]).reshape(flat).mean(axis=1)
        luck = _luck(own - other)
        return None if luck < GUESS_LEVEL else "no better than always answering the background"
    columns = (
        [(right, predicted)] if right.ndim == 1 else list(zip(right.T, predicted.T, strict=True))
    )
    lucks = []
    for known, said in columns:
        table = stats.contingency.crosstab(known, said).count
        if min(table.shape) < 2 or np.mean(known == said) <= _by_chance(known, said):
            continue
        lucks.append(float(stats.chi2_contingency(table).pvalue))
    if lucks and min(lucks) * len(columns) < GUESS_LEVEL:
        return None
    most = max(np.mean(known == value) for known, _ in columns for value in np.unique(known))
    return f"no better than guessing: one answer alone is right {most:.0%} of the time"


def _by_chance(known: np.ndarray, said: np.ndarray) -> float:
    """Share that would be right if answers did not depend on the right ones."""
    return float(sum(np.mean(known == v) * np.mean(said == v) for v in np.unique(known)))


def _luck(gain: np.ndarray) -> float:
    """One-sided p of a mean gain above 0."""
    from scipy import stats

    if not np.isfinite(gain).all() or gain.std() == 0:
        return 0.0 if np.isfinite(gain).all() and gain.mean() > 0 else 1.0
    return float(stats.ttest_1samp(gain, 0, alternative="greater").pvalue)
