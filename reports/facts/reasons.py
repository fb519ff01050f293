"""Why a technique did not help, in a sentence made of measured facts."""

from __future__ import annotations

from typing import Any

from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.facts.why import explain


def why(facts: Facts, m: Measured) -> str:
    """The explanation of a row from its probes, else what its proof says; empty without facts."""
    ceilings = facts.ceilings(m.configuration)
    return explain(facts.effects, m.scenario, m.configuration, ceilings) or from_proof(m)


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
