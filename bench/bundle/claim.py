"""What a bundle claims: `claim.json` as values. What is read is checked, for others wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.results.as_json import from_json, to_json
from bench.results.checked import check
from bench.results.errors import UsageError
from bench.results.files import replace_text
from bench.results.values import Configuration

SCHEMA = 1
NAME = "claim.json"
RUNTIMES = ("litert", "tensorflow", "onnxruntime", "openvino")


@dataclass(frozen=True)
class Port:
    """One input or output of a file."""

    name: str
    shape: tuple[int | None, ...]
    """With the axis of examples first; None: any."""
    dtype: str
    """Of the values that `infer.py` takes and gives, a NumPy name."""
    index: int = 0
    """Of the tensor in a LiteRT file."""
    scale: float = 0.0
    """Of a tensor of integers that stand for real values; 0: the values are what they are."""
    zero: int = 0
    stored: str = ""
    """Type of those integers."""


@dataclass(frozen=True)
class Form:
    """A model as it is shipped."""

    runtime: str
    place: str
    """Of its file or folder in the bundle."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    batch: int = 1
    """Examples in one call."""
    size_bytes: int = 0
    xla: bool = False
    """TensorFlow compiles it by XLA when it is loaded."""


@dataclass(frozen=True)
class Speed:
    """How much faster the form is than its baseline, taking turns with it."""

    value: float
    low: float | None
    """Of the 95 % interval; None: a single launch."""
    high: float | None
    launches: int
    how: str
    """Measured again on fresh launches, or the run's own."""

    @property
    def promised(self) -> float:
        """What `verify` holds it to: at least the interval's lower end, less a tenth."""
        return SHARE_PROMISED * (self.value if self.low is None else self.low)


SHARE_PROMISED = 0.9
"""Of the interval's lower end: another machine of the same kind is not the same machine."""


@dataclass(frozen=True)
class Quality:
    """Quality on the test examples, and its change from the baseline's."""

    metric: str
    value: float
    baseline: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    larger_is_better: bool = True


@dataclass(frozen=True)
class Claim:
    """All that a bundle says of itself."""

    scenario: str
    kind: str = "infer"
    summary: str = ""
    baseline: str = ""
    model: Form | None = None
    """None: a training path, which is a script."""
    baseline_model: Form | None = None
    configuration: Configuration | None = None
    speedup: Speed | None = None
    quality: Quality | None = None
    agreement: Mapping[str, float] = field(default_factory=dict)
    """With the plain model's outputs."""
    precision: str = "float32"
    """Within which the same file's outputs are to be repeated on another machine."""
    proof: Mapping[str, Any] = field(default_factory=dict)
    """Facts that show that the technique took effect."""
    workload: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of every other file, by its place."""
    notes: tuple[str, ...] = ()


def write(folder: Path, claim: Claim) -> None:
    """Write a bundle's claim."""
    text = json.dumps({"schema": SCHEMA, **to_json(claim)}, indent=1, ensure_ascii=False)
    replace_text(folder / NAME, text + "\n")


def read(folder: Path) -> Claim:
    """A bundle's claim, its types checked.

    Raises:
        UsageError: There is none, or it is of another form or of a newer schema.
    """
    place = folder / NAME
    if not place.is_file():
        raise UsageError(f"{folder} is no bundle: it holds no {NAME}; `tfbench export` writes one")
    try:
        table = json.loads(place.read_text(encoding="utf-8"))
        if not isinstance(table, dict) or not isinstance(table.pop("schema", None), int):
            raise ValueError("it has no schema")
        claim = from_json(Claim, table)
        check(Claim, claim, "claim", finite=True)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{place} cannot be read: {error}") from None
    if json.loads(place.read_text(encoding="utf-8"))["schema"] > SCHEMA:
        raise UsageError(f"{place} was written by a newer tfbench: update this one")
    for form in (claim.model, claim.baseline_model):
        if form is not None and (form.runtime not in RUNTIMES or form.batch < 1):
            raise UsageError(f"{place}: unknown runtime {form.runtime!r}: use a newer tfbench")
    return claim
