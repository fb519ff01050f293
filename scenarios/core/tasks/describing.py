"""What was inferred of a task, in one sentence, and what is odd about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scenarios.core.tasks import forms
from scenarios.core.tasks.metrics import Metric

if TYPE_CHECKING:
    from scenarios.core.tasks.values import Compiled

NAMES = {"probabilities": "probabilities", "sigmoid": "sigmoid units", "reals": "logits"}


def line(
    kind: str,
    form: str,
    outputs: np.ndarray,
    known: np.ndarray,
    classes: int,
    metrics: Sequence[Metric],
    positives: float | None,
) -> str:
    """Such as "binary classification: one sigmoid unit, threshold 0.5; F1 and accuracy; 4 % …"."""
    units = forms.units(outputs)
    if kind == "binary":
        unit = "sigmoid" if form == "sigmoid" else "linear"
        what = (
            f"binary classification: one {unit} unit, threshold {0.5 if unit == 'sigmoid' else 0}"
        )
    elif kind == "classification":
        name = "binary classification" if classes == 2 else "classification"
        what = f"{name}: {units} {NAMES[form]}" + (", one-hot labels" if known.ndim > 1 else "")
    elif kind == "multilabel":
        what = (
            f"multi-label classification: {units} tags, threshold {0 if form == 'reals' else 0.5}"
        )
    elif kind == "segmentation":
        size = "×".join(str(n) for n in known.shape[1:3])
        what = f"segmentation: {classes} classes, masks of {size}"
    else:
        count = int(np.prod(known.shape[1:])) or 1
        what = (
            f"regression: {'one real number' if count == 1 else f'{count} real numbers'} in "
            f"{_amount(np.min(known))} to {_amount(np.max(known))}"
        )
    first = [str(metric) for metric in metrics[:2]]
    said = f"{what}; {' and '.join(first)}"
    return said if positives is None else f"{said}; {100 * positives:.3g} % positives"


def _amount(value: float) -> str:
    """A number as people write it, four digits where it is small."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e12 else f"{value:.4g}"


def without_targets(kind: str, outputs: np.ndarray, form: str) -> str:
    """The sentence where there is nothing to judge by but the original's outputs."""
    units = forms.units(outputs)
    if kind == "classification":
        what = f"classification without labels: {units} {NAMES[form]}"
    else:
        size = "×".join(str(n) for n in outputs.shape[1:]) or "one"
        what = f"outputs of {size} without targets"
    return f"{what}; quality is agreement with the original's outputs"


def warnings(
    kind: str, form: str, outputs: np.ndarray, known: np.ndarray, compiled: Compiled
) -> Iterator[str]:
    """What a user would want to know before anything is measured."""
    loss, crosses = compiled.loss, "ross" in type(compiled.loss).__name__
    logits = getattr(loss, "from_logits", False)
    if crosses and logits and form != "reals":
        yield (
            "the loss expects logits, but the outputs are probabilities already, which slows "
            "training: use from_logits=False"
        )
    named = isinstance(loss, str) and "crossentropy" in loss
    if form == "reals" and (named or (crosses and not logits)):
        yield (
            "the loss expects probabilities, but the outputs are logits, which disturbs training: "
            "use from_logits=True, or end in softmax or sigmoid"
        )
    if kind == "multilabel" and form == "probabilities":
        yield "outputs sum to 1, but several tags can hold at once: end the model in sigmoid units"
    if kind == "regression" and outputs.size and float(np.ptp(outputs)) == 0:
        yield "the model answers the same number whatever its input: does it end in softmax?"
