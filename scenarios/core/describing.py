"""What a workload provides, said before anything is measured: the facts that needs name."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios.core.data import Data, nests
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
    for need, missing in _missing(workload).items():
        if missing:
            lacks.setdefault(need, missing)
        else:
            provides.add(need)
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


def _missing(workload: Workload) -> dict[str, str]:
    """Need of data or task → what is missing for it, and the way out; "" where it is met."""
    data, kind = workload.data, workload.task.kind
    several = len(data.test.inputs) if isinstance(data.test.inputs, dict) else 1
    outputs, fixed = len(workload.output_names), workload.facts.fixed_batch
    no_train = "needs training examples: give them by --data"
    no_labels = (
        "needs class numbers as targets: give labelled data by --data"
        if data.test.targets is None
        else f"needs class numbers as targets, which {data.name} does not have"
    )
    return {
        "trainable": workload.trainable,
        "data:train": "" if data.train is not None else no_train,
        "data:labels": "" if data.classes else no_labels,
        "data:images": _no_images(data),
        "data:real": "needs data of yours: give them by --data" if data.kind == "samples" else "",
        "inputs:one": f"takes one input, and the model has {several}" if several > 1 else "",
        "outputs:one": f"is for one output, and the model has {outputs}" if outputs > 1 else "",
        "batch:free": "" if fixed is None else f"takes batches of any size, the model of {fixed}",
        **{
            f"task:{each}": "" if kind == each else f"is for {each}, and this is {kind}"
            for each in NEEDS_TASKS
        },
    }


def _no_images(data: Data) -> str:
    """Why the inputs are not images alone; "" where they are."""
    images = [name for name, array in nests.named(data.test.inputs).items() if _is_image(array)]
    others = [repr(name) for name in nests.named(data.test.inputs) if name not in images]
    if images and others:
        return f"is about images alone, and the model takes {', '.join(others)} too"
    if images and data.kind in ("images", "samples"):
        return ""
    inputs = "model's inputs" if data.kind == "samples" else f"inputs of {data.name}"
    return f"is about images, and the {inputs} are none"


def _is_image(array: np.ndarray) -> bool:
    return array.ndim == 4 and array.shape[-1] in (1, 3, 4)
