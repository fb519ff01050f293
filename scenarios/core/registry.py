"""The decorator that makes a function a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def scenario(
    *,
    baseline: str | None = None,
    needs: Sequence[str] = (),
    keras: Literal[2, 3] = 3,
    environment: Mapping[str, str] | None = None,
    devices: int = 1,
    unit: Literal["step", "job"] = "step",
    follows: Literal["float32", "float16", "bfloat16", "int8"] | None = None,
    inputs_in: Literal["int8"] | None = None,
    deployment: Sequence[str] = (),
    variants: Mapping[str, Mapping[str, Any]] | None = None,
    suite: Literal["quick", "full"] = "quick",
    first: bool = False,
) -> Callable[[Function], Function]:
    """Mark a function as a scenario.

    The id is the family's folder and the function's name (`scenarios/infer/litert.py`,
    `def litert_int8` → `infer/litert-int8`); the docstring's first line is its summary. All
    arguments must be literals: the sweep reads them from the source without importing it.

    Args:
        baseline: Id of the scenario it is compared with. A variant is compared with the
            baseline's variant of the same name where there is one.
        needs: What must be there. Of the machine: `gpu`, `tpu`, `package:NAME`,
            `tensorflow<2.18`. Of the workload: `model:keras`, `model:graph`, `model:litert`,
            `model:onnx`, `model:copyable`, `model:trained`, `trainable`, `architecture:free`,
            `data:images`, `data:labels`, `data:train`, `task:classification|binary`, `keras:3`
            (`bench/results/needs.py` says what each means).
        keras: Keras version of the launch (2: `tf_keras`, which tfmot needs).
        environment: Variables set before TensorFlow is imported.
        devices: Devices wanted; logical CPU devices stand in for GPUs that are not there.
        unit: `job` where one step is a whole job (a search, the time to an accuracy).
        follows: Precision within which its losses or outputs must equal the baseline's;
            None where the technique computes another function.
        inputs_in: Precision that it rounds the inputs to, each on one scale for all of its
            columns, found by calibration; None where they stay as they are, or finer.
        deployment: Facts that make deployment harder: `retraining`, `calibration data`,
            `other runtime`, `special hardware`, `partial converter`.
        variants: Suffix of the id → keyword arguments; the suffix "" is the plain id.
        suite: The smallest profile that runs it unasked.
        first: A row of the reference guide's effect table, measured before the others.
    """

    def mark(function: Function) -> Function:
        return function

    return mark
