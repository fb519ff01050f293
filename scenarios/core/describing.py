"""What a workload provides, said before anything is measured: the facts that needs name."""

from __future__ import annotations

from typing import Any

from scenarios.core.data import nests
from scenarios.core.data.signature import said
from scenarios.core.workload import Workload

PLAIN = {"model:graph": "infer/function", "model:litert": "infer/litert-float32",
         "model:onnx": "infer/onnxruntime"}  # fmt: skip
"""What a form is run by when no technique is applied to it; the first that it provides."""
NEEDS_TASKS = ("classification", "binary", "multilabel", "regression", "segmentation", "other")


def describe(workload: Workload) -> dict[str, Any]:
    """The workload's facts as plain values.

    Returns:
        `provides` (needs that are met), `lacks` (need → the fact that is missing, and the way out),
        `line` (the task in one sentence), `task`, `notes`, `warnings`, `plain` (the scenario that
        others are compared with), `trained` (whether the model came so), `learns` (whether the
        baseline will be trained), `keras` (2 where only tf_keras can hold it), `signature` and
        `outputs` in words.
    """
    facts, data, task = workload.facts, workload.data, workload.task
    provides, lacks = set(facts.provides), dict(facts.lacks)
    _met(provides, lacks, "trainable", workload.trainable)
    _met(
        provides,
        lacks,
        "data:train",
        "" if data.train is not None else f"{data.name} has no training part: give one by --data",
    )
    _met(
        provides,
        lacks,
        "data:labels",
        "" if data.classes else "targets are no class numbers, which this technique works with",
    )
    images = data.kind in ("images", "samples") and _is_image(data.test.inputs)
    _met(
        provides,
        lacks,
        "data:images",
        "" if images else f"works with images of one size; {data.name} holds others",
    )
    _met(
        provides,
        lacks,
        "data:real",
        "" if data.kind != "samples" else "needs data of yours (--data): inputs were only drawn",
    )
    one = isinstance(data.test.inputs, dict) is False
    _met(
        provides,
        lacks,
        "inputs:one",
        "" if one else f"takes one input, the model has {len(data.test.inputs)}",
    )
    for kind in NEEDS_TASKS:
        _met(provides, lacks, f"task:{kind}",
             "" if task.kind == kind else f"is for {kind}, this is {task.kind}")  # fmt: skip
    return {
        "provides": sorted(provides),
        "lacks": lacks,
        "line": task.line,
        "task": task.kind,
        "notes": [*facts.notes, *data.notes],
        "warnings": list(task.warnings),
        "plain": next(plain for need, plain in PLAIN.items() if need in provides),
        "trained": facts.trained,
        "learns": workload.learns,
        "keras": facts.keras_version,
        "signature": {name: str(spec) for name, spec in facts.signature.items()},
        "outputs": {name: said(spec.shape) for name, spec in facts.outputs.items()},
    }


def _met(provides: set[str], lacks: dict[str, str], need: str, missing: str) -> None:
    if missing:
        lacks.setdefault(need, missing)
    else:
        provides.add(need)


def _is_image(inputs: Any) -> bool:
    return all(array.ndim == 4 and array.shape[-1] in (1, 3, 4) for array in nests.arrays(inputs))
