"""Looking into Keras's own training loop."""

from __future__ import annotations

import inspect
import math
import time
from typing import Any

from bench.results.errors import NotEngaged
from bench.results.tolerance import FIRST_LOSSES
from scenarios.core import Workload

WHOLE = 100
"""Updates up to which a call makes a whole epoch, however long they take."""
CALL_S = 4.0
"""What a call takes otherwise, so that what `fit` does around its updates is a small part of it."""


def updates_of_a_call(workload: Workload, model: Any, together: int = 1) -> int:
    """Updates that a timed call of `fit` makes: an epoch, or of a long one what takes some seconds.

    How long an update takes is measured; model and optimizer are then as they were before. Where
    only losses are compared, as many as are compared.

    Args:
        workload: Its `remarks` get that an epoch is cut, for the row.
        model: Compiled, its optimizer's variables made.
        together: Updates in one call of its graph (`steps_per_execution`).
    """
    whole = math.ceil(len(workload.epoch()) / together) * together
    if workload.comparable:
        return min(whole, math.ceil(FIRST_LOSSES / together) * together)
    if whole <= WHOLE:
        return whole
    variables = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    model.fit(workload.dataset(), steps_per_epoch=together, verbose=0)  # makes the graph
    begun_s = time.perf_counter()
    model.fit(workload.dataset(), steps_per_epoch=2 * together, verbose=0)
    pair_s = time.perf_counter() - begun_s
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    updates = min(whole, 2 * together * math.ceil(CALL_S / pair_s))
    if updates < whole:
        said = f"a timed call of `fit` makes {updates:,} of an epoch's {whole:,} updates"
        workload.remarks.append(said)
    return updates


def fit_function(model: Any) -> Any:
    """The tf.function that Keras 3's `fit` made of a compiled model's step.

    Raises:
        NotEngaged: `fit` runs eagerly.
    """
    inner = inspect.getclosurevars(model.train_function).nonlocals.get("multi_step_on_iterator")
    if not hasattr(inner, "experimental_get_tracing_count"):
        raise NotEngaged("fit runs its step eagerly")
    return inner
