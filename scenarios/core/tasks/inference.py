"""Finding out what a model is for: from its outputs, the targets, and how it was compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bench.results import metric_names
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core.data import nests, targets
from scenarios.core.data.nests import Nest
from scenarios.core.data.values import Data
from scenarios.core.tasks import describing, forms, losses, matching, metrics
from scenarios.core.tasks.values import Compiled, Kind, Task

RARE = 0.2
"""Share of the rarer of two classes below which accuracy hides what happens to it."""
KINDS = ("classification", "binary", "multilabel", "regression", "segmentation", "other")


def infer(spec: WorkloadSpec, data: Data, outputs: Nest, compiled: Compiled | None = None) -> Task:
    """The task of a model whose outputs on `forms.probing(data)` are given.

    Args:
        spec: Its `task` and `metric` win over what would be inferred.
        data: Fitted to the model's inputs.
        outputs: One array [n, ...], or a dict of them by name.
        compiled: The loss and metrics that the model was compiled with, where it was.

    Raises:
        UsageError: Targets and outputs do not fit together, or the metric is for another task.
    """
    compiled = compiled or Compiled()
    if spec.task not in ("auto", *KINDS):
        raise UsageError(f"unknown task {spec.task!r}: use auto or one of {', '.join(KINDS)}")
    if not isinstance(outputs, Mapping) or len(outputs) == 1:
        (only,) = nests.named(outputs).values()
        known = data.test.targets
        if isinstance(known, Mapping) and len(known) > 1:
            raise UsageError(
                f"{data.name} has the targets {', '.join(known)}, but the model has one output"
            )
        return _of_one(spec, data, np.asarray(only), _only(known), compiled)
    named = _targets_by_output(data, outputs)
    parts = {}
    for name, array in outputs.items():
        own = compiled.loss.get(name) if isinstance(compiled.loss, Mapping) else compiled.loss
        each = Compiled(own, compiled.metrics, None)
        single = named.get(name)
        parts[name] = _of_one(spec, data, np.asarray(array), single, each)
    line = "; ".join(f"{name}: {part.line}" for name, part in parts.items())
    warnings = tuple(w for part in parts.values() for w in part.warnings)
    kinds = {part.kind for part in parts.values()}
    kind: Kind = kinds.pop() if len(kinds) == 1 else "other"
    return Task(kind, line, compiled=compiled, parts=parts, warnings=warnings)


def _of_one(
    spec: WorkloadSpec,
    data: Data,
    outputs: np.ndarray,
    known: np.ndarray | None,
    compiled: Compiled,
) -> Task:
    form = forms.form_of(outputs)
    kind: Any = spec.task if spec.task != "auto" else _kind(data, outputs, form, known, compiled)
    if known is None or kind == "other":
        return Task(kind, describing.without_targets(kind, outputs, form), form,
                    classes=forms.units(outputs), compiled=compiled,
                    threshold=_threshold(form))  # fmt: skip
    _check(kind, data, outputs, known)
    classes = _classes(kind, data, outputs)
    found = _metrics(spec, kind, data, known, compiled)
    positives = _share_of_positives(kind, known, classes)
    return Task(
        kind,
        describing.line(kind, form, outputs, known, classes, found, positives),
        form,
        tuple(found),
        classes,
        _names(kind, data, classes),
        _threshold(form),
        one_hot=kind == "classification" and known.ndim > 1 and compiled.loss is not None,
        series=data.kind == "series" and kind == "regression",
        compiled=compiled,
        warnings=(
            *describing.warnings(kind, form, outputs, known, compiled),
            *_unknown_order(kind, data, classes),
        ),
    )


def _kind(
    data: Data, outputs: np.ndarray, form: str, known: np.ndarray | None, compiled: Compiled
) -> Kind:
    units, name = forms.units(outputs), losses.name_of(compiled.loss)
    if known is None:
        if form == "probabilities" and outputs.ndim == 2:
            return "classification"
        return "other"
    if _repeats_input(data, known):
        return "regression"
    said = targets.form(known, data.classes if isinstance(data.test.targets, np.ndarray) else 0)
    if said == "mask" and outputs.ndim >= 3:
        return "segmentation"
    if any(word in name for word in ("squared", "absolute", "huber", "cosh", "poisson")):
        return "regression"
    if known.ndim == outputs.ndim == 4 and form == "sigmoid" and np.isin(known, (0, 1)).all():
        return "segmentation"
    if said == "numbers":
        two = np.isin(known, (0, 1)).all()
        if units == 1 and form == "reals" and _are_amounts(data.class_names):
            return "regression"
        if units == 1:
            return "binary" if two and (form == "sigmoid" or "cross" in name or known.dtype.kind
                                        in "iub") else "regression"  # fmt: skip
        return "classification"
    if said == "one-hot":
        return "multilabel" if form == "sigmoid" and "binary" in name else "classification"
    if said == "tags":
        return "multilabel"
    return "regression"


def _repeats_input(data: Data, known: np.ndarray) -> bool:
    """Whether an input is its own target, as an autoencoder's: black and white is no mask there."""
    return known.ndim > 1 and any(
        np.shape(each) == known.shape and np.array_equal(each, known)
        for each in nests.named(data.test.inputs).values()
    )


def _are_amounts(names: tuple[Any, ...]) -> bool:
    """Whether labels that were numbered are numbers themselves, other than two signs."""
    return bool(names) and not isinstance(names[0], str) and set(names) != {-1, 1}


def _check(kind: Kind, data: Data, outputs: np.ndarray, known: np.ndarray) -> None:
    """Raise UsageError where targets cannot be what the outputs tell."""
    units = forms.units(outputs)
    if kind == "classification":
        if known.ndim > 1 and known.shape[-1] != units:
            raise UsageError(
                f"targets have {known.shape[-1]} columns, but the model has {units} outputs"
            )
        highest = int(np.max(known)) if known.ndim == 1 else 0
        if known.ndim == 1 and known.dtype.kind == "f":
            raise UsageError(
                f"targets are real numbers ({known.min():g} to {known.max():g}), but the model has "
                f"{units} outputs that choose a class: give class numbers, or a model with one "
                "linear unit"
            )
        if highest >= units and not matching.counted_from_1(data, units):
            raise UsageError(
                f"labels go up to {highest}, but the model has {units} outputs: give it "
                f"{highest + 1} units, or labels below {units}"
            )
    if kind == "binary" and (units != 1 or not np.isin(known, (0, 1)).all()):
        raise UsageError(
            f"a binary task needs one output and targets of 0 and 1; the model has {units} "
            f"outputs, targets go from {known.min():g} to {known.max():g}"
        )
    if kind in ("regression", "multilabel"):
        wanted = outputs.shape[1:] if outputs.shape[1:] != (1,) else ()
        if known.shape[1:] not in (wanted, outputs.shape[1:], (*wanted, 1)):
            raise UsageError(
                f"targets have shape [N, {', '.join(map(str, known.shape[1:]))}], but the model's "
                f"outputs are [N, {', '.join(map(str, outputs.shape[1:]))}]: they must be alike "
                f"for {kind}"
            )


def _unknown_order(kind: Kind, data: Data, classes: int) -> Iterator[str]:
    """A warning where nothing tells which output is for which label."""
    labels = data.class_names
    if kind != "classification" or not labels or len(labels) == classes:
        return
    if isinstance(labels[0], str) or not 0 <= min(labels) <= max(labels) < classes:
        yield (
            f"{targets.numbering(labels)}, but the model has {classes} outputs, and which of them "
            "are meant is not known: give the numbers of its outputs as labels"
        )


def _classes(kind: Kind, data: Data, outputs: np.ndarray) -> int:
    units = forms.units(outputs)
    if kind == "binary" or (kind == "segmentation" and units == 1):
        return 2
    return units if kind in ("classification", "multilabel", "segmentation") else 0


def _metrics(
    spec: WorkloadSpec, kind: Kind, data: Data, known: np.ndarray, compiled: Compiled
) -> list[metrics.Metric]:
    """The asked one first, then compiled ones that tell more than accuracy, then the usual ones."""
    usual = {
        "classification": ["accuracy", "balanced_accuracy"],
        "multilabel": ["f1", "accuracy"],
        "regression": ["mae", "rmse", "r2"],
        "segmentation": ["iou", "accuracy"],
    }.get(kind, ["accuracy", "f1", "recall", "precision"])
    if kind in ("classification", "binary"):
        usual = _of_classes(data, known)
    names = [name for name in (spec.metric,) if name]
    for name in compiled.metrics:
        plain = metric_names.plain(name)
        known_one = metrics.METRICS.get(plain)
        if known_one is not None and kind in known_one.kinds and plain != "accuracy":
            names.append(plain)
    found = [metrics.find(name, kind) for name in dict.fromkeys([*names, *usual])]
    return list({metric.name: metric for metric in reversed(found)}.values())[::-1]


def _of_classes(data: Data, known: np.ndarray) -> list[str]:
    numbers = known if known.ndim == 1 else np.argmax(known, axis=-1)
    shares = np.unique(numbers, return_counts=True)[1] / len(numbers)
    if len(shares) <= 2:
        positives = float(np.mean(numbers == 1))
        others = ["recall", "precision", "balanced_accuracy"]
        if positives < RARE:
            return ["f1", "accuracy", *others]
        if positives > 1 - RARE:
            return ["balanced_accuracy", "accuracy", "f1", *others[:2]]
        return ["accuracy", "f1", *others]
    if shares.min() < RARE / len(shares):
        return ["balanced_accuracy", "accuracy"]
    return ["accuracy", "balanced_accuracy"]


def _share_of_positives(kind: Kind, known: np.ndarray, classes: int) -> float | None:
    if kind == "binary" or (kind == "classification" and classes == 2):
        numbers = known if known.ndim == 1 else np.argmax(known, axis=-1)
        return float(np.mean(numbers == 1))
    return None


def _names(kind: Kind, data: Data, classes: int) -> tuple[str, ...]:
    if kind in ("classification", "binary") and len(data.class_names) == classes:
        return tuple(str(name) for name in data.class_names)
    return ()


def _threshold(form: str) -> float:
    return 0.0 if form == "reals" else 0.5


def _targets_by_output(data: Data, outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Each output's targets, where it has some."""
    known = data.test.targets
    if known is None:
        return {}
    if not isinstance(known, Mapping):
        return {_output_for(known, outputs): known}
    if set(known) <= set(outputs):
        return dict(known)
    if all(str(name).isdigit() for name in known) and len(known) == len(outputs):
        return dict(zip(outputs, known.values(), strict=True))  # a list, in Keras's order
    raise UsageError(
        f"{data.name} has targets for {', '.join(known)}, the model's outputs are "
        f"{', '.join(outputs)}: name the targets as the outputs"
    )


def _output_for(known: np.ndarray, outputs: Mapping[str, Any]) -> str:
    """The output that a single array of targets is for: the first of its shape, else the first."""
    for name, array in outputs.items():
        shape = np.shape(array)[1:]
        if known.shape[1:] == shape or (known.ndim == 1 and len(shape) == 1):
            return name
    return next(iter(outputs))


def _only(known: Nest | None) -> np.ndarray | None:
    return None if known is None else next(iter(nests.named(known).values()))
