"""A path's step as it is and with one part taken away or doubled, as calls that can be timed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bench.launch.analysis import replay, subject
from bench.launch.devices import finish
from bench.results.errors import one_line
from bench.results.values import Scenario

ONE_CORE = "one core"
Call = Callable[[], Any]


def of(
    whole: Any, scenario: Scenario, rebuild: Callable[[], Any]
) -> tuple[dict[str, Call], dict[str, Any], dict[str, str]]:
    """The step as it is and with parts taken away, what is known of its graph, and what is missing.

    `full`: draw and step. `cached`: the step on one batch again and again. `pipeline`: draw alone.
    `half`: the step on half a batch. `one core`: the cached step with all threads on one core.
    `graph`: the step as one tf.function. `products`: its matrix products alone. `twice`: the step
    as one tf.function that does each product twice. `silent`: its replicas do not communicate.

    Returns:
        (calls by variant, facts, the reason by variant that cannot be had).
    """
    batch = whole.draw()
    facts: dict[str, Any] = {"examples": whole.examples}
    missing: dict[str, str] = {}
    variants: dict[str, Call] = {
        "full": whole.advance,
        "cached": lambda: whole.step(*batch),
        "pipeline": lambda: (whole.draw(), None)[1],  # a batch is made, but not read back
    }
    half = subject.first_half(batch)
    if half is not None:
        _add(variants, missing, "half", lambda: lambda: whole.step(*half))
    if len(os.sched_getaffinity(0)) > 1:
        variants[ONE_CORE] = lambda: whole.step(*batch)
    function = whole.step
    if not hasattr(function, "get_concrete_function"):
        function = tf.function(whole.step, autograph=False)
        _add(variants, missing, "graph", lambda: lambda: function(*batch))
    facts |= _graph_facts(function, batch, variants, missing)
    if scenario.devices > 1:
        with subject.without_communication():
            silent = subject.split(rebuild())
            _add(variants, missing, "silent", lambda: lambda: silent.step(*batch))
    return variants, facts, missing


def _graph_facts(
    function: Any, batch: Any, variants: dict[str, Call], missing: dict[str, str]
) -> dict[str, Any]:
    """What the step's graph holds; adds `products` and `twice` where the products can be had."""
    try:
        concrete = function.get_concrete_function(*batch)
        products = replay.of(concrete.graph)
    except Exception as error:  # a step that cannot be traced has no graph to look into
        missing["products"] = one_line(error)
        return {"not_counted": missing["products"]}
    _add(variants, missing, "products", lambda: products.call)
    _add(variants, missing, "twice", lambda: replay.doubled(concrete, batch))
    return {
        "products": products.operations,
        "flops": products.flops,
        "other_bytes": products.other_bytes,
    }


def _add(
    variants: dict[str, Call], missing: dict[str, str], name: str, make: Callable[[], Call | None]
) -> None:
    """Add what `make` returns if it runs, or why it does not."""
    try:
        call = make()
        if call is None:
            return
        finish(call())
        finish(call())
    except Exception as error:
        missing[name] = one_line(error)
        return
    variants[name] = call
