"""Why a technique did not help, in a sentence made of measured facts."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, cast

from reports import figures
from reports.measured import Facts, Measured


def why(facts: Facts, m: Measured) -> str:
    """The explanation of a row from its probes, or what its proof says; empty without facts."""
    if (explain := _explain()) is not None:
        said = explain(facts.effects, m.scenario, m.configuration, facts.ceilings(m.configuration))
        if said:
            return said
    return from_proof(m)


def from_proof(m: Measured) -> str:
    """What the run measured of the technique itself: work left, sparsity, CPU use."""
    said = []
    if m.multiply_add_factor is not None:
        less = m.multiply_add_factor
        said.append(
            "as many multiply-adds as the plain model"
            if abs(less - 1) < 0.005
            else f"{figures.significant(less, 2)}× fewer multiply-adds than the plain model"
        )
    proof = dict(m.probe.proof) if m.probe else {}
    said += [
        f"{key.replace('_', ' ')} {proof_value(value)}"
        for key, value in sorted(proof.items())
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
    ]
    return ", ".join(said[:4])


def proof_value(value: Any) -> str:
    """A fact of a proof as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return figures.significant(value, 3)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {proof_value(v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(proof_value(v) for v in value)
    return str(value)


def _explain() -> Callable[..., str] | None:
    """`reports.why.explain`, where that module exists."""
    try:
        module = importlib.import_module("reports.why")
    except ModuleNotFoundError:
        return None
    return cast(Callable[..., str], module.explain)
