"""Looking into Keras's own training loop."""

from __future__ import annotations

import inspect
from typing import Any

from bench.results.errors import NotEngaged


def fit_function(model: Any) -> Any:
    """The tf.function that Keras 3's `fit` made of a compiled model's step.

    Raises:
        NotEngaged: `fit` runs eagerly.
    """
    inner = inspect.getclosurevars(model.train_function).nonlocals.get("multi_step_on_iterator")
    if not hasattr(inner, "experimental_get_tracing_count"):
        raise NotEngaged("fit runs its step eagerly")
    return inner
