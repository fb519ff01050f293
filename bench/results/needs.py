"""What a scenario may need, as its decorator says it: of the machine, and of the workload."""

from __future__ import annotations

import difflib

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

OF_WORKLOAD = {
    "model:keras": "Keras model",
    "model:graph": "model that TensorFlow can run",
    "model:litert": "LiteRT model",
    "model:onnx": "ONNX model",
    "model:copyable": "model whose layers can be copied",
    "model:trained": "trained model",
    "architecture:free": "architecture that may be replaced",
    "model:trainable": "model with weights that can be trained",
    "trainable": "model that can be trained on data with targets",
    "data:train": "training data",
    "data:real": "data of yours (--data)",
    "data:labels": "class numbers as targets",
    "data:images": "images",
    "data:table": "table",
    "data:text": "text",
    "data:series": "series",
    "inputs:one": "one input",
    "outputs:one": "one output",
    "batch:free": "batches of any size",
    "task:classification": "classification",
    "task:binary": "binary classification",
    "task:multilabel": "multi-label classification",
    "task:regression": "regression",
    "task:segmentation": "segmentation",
    "task:other": "outputs of any meaning",
    "keras:3": "Keras 3 model",
}
"""Needs that the describing launch's facts settle, each with what a workload lacks without it."""
OF_MACHINE = ("gpu", "tpu")


def alternatives(need: str) -> tuple[str, ...]:
    """`task:classification|binary` → what suffices; a kind that is not repeated is the first's."""
    first, *others = need.split("|")
    kind = first.partition(":")[0]
    return first, *(each if each in OF_WORKLOAD else f"{kind}:{each}" for each in others)


def wrong(need: str) -> str:
    """Why this is no need that could be met, "" where it is one."""
    for each in alternatives(need):
        kind, colon, name = each.partition(":")
        if each in OF_WORKLOAD or each in OF_MACHINE or (kind == "package" and name):
            continue
        if each.startswith("tensorflow") and not colon and _versions(each):
            continue
        known = (*OF_WORKLOAD, *OF_MACHINE, "package:NAME", "tensorflow<X")
        near = difflib.get_close_matches(each, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        return f"unknown need {each!r}: {hint}"
    return ""


def _versions(need: str) -> bool:
    try:
        return bool(str(SpecifierSet(need.removeprefix("tensorflow"))))
    except InvalidSpecifier:
        return False


def other_tensorflow(need: str, version: str) -> str:
    """One line that says which TensorFlow is needed and how to measure with it, "" if it is there.

    Args:
        need: Such as `tensorflow<2.18`.
        version: The installed one.
    """
    wanted = SpecifierSet(need.removeprefix("tensorflow"))
    if wanted.contains(Version(version), prereleases=True):
        return ""
    return (
        f"needs TensorFlow {wanted}, this is {version}: measure it with the Python of an "
        "environment that has it (--python PATH; docs/troubleshooting.md, Missing packages)"
    )
