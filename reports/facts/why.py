"""Why a row is fast or slow, in a short sentence made of measured facts only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reports.facts import figures
from reports.facts.measured import Measured
from reports.facts.peaks import PRECISIONS

MOST_CLAUSES = 3
NOTABLE = 0.05
"""A change of the amount of work below 5 % is not worth words."""


def why(m: Measured) -> str:
    """One short sentence on a row from its proof, probes and the machine's ceilings.

    Returns:
        Up to three clauses joined by semicolons, else what its proof says; "" without facts.
    """
    return explain(m) or _from_proof(m)


def explain(m: Measured) -> str:
    """As `why`, without what the proof says by itself."""
    if m.probe is None:
        return ""
    proof = m.probe.proof
    clauses = [*_engaged(proof), *_sparse(proof), *_replicas(m), *_work(m), *_machine(m)]
    return "; ".join(clauses[:MOST_CLAUSES])


def _engaged(proof: Mapping[str, Any]) -> Iterator[str]:
    for name in PRECISIONS:
        own, total = proof.get(f"{name}_operations"), proof.get("arithmetic_operations")
        if own and total:
            yield f"{name} kernels: {own} of {total} arithmetic operations"
        own, total = proof.get(f"{name}_products"), proof.get("products")
        if own and total:
            yield f"{name} products: {own} of {total}"
        own, total = proof.get(f"{name}_kernels"), proof.get("kernels")
        if own and total:
            yield f"weights of {own} of {total} kernels stored as {name}"
    outside = proof.get("outside_xnnpack")
    if outside:
        names = ", ".join(f"{n} {name}" for name, n in outside.items())
        yield f"outside XNNPACK: {names}"
    if proof.get("xla_fusions"):
        calls = proof.get("xla_library_calls", 0)
        yield f"XLA: {proof['xla_fusions']} fusions and {calls} library calls"


def _sparse(proof: Mapping[str, Any]) -> Iterator[str]:
    zeros = proof.get("sparsity")
    if not isinstance(zeros, (int, float)):
        return
    sparse, dense = proof.get("read_sparse", 0), proof.get("made_dense_first", 0)
    share = f"{zeros:.0%} zeros"
    if sparse:
        yield f"{share}: {sparse} of {sparse + dense} sparse kernels are read sparse"
    elif dense:
        yield f"{share}, but all {dense} sparse kernels are made dense before they run"
    else:
        yield f"{share}, but no sparse kernel ran"


def _replicas(m: Measured) -> Iterator[str]:
    if m.info and m.info.devices > 1 and m.probe and m.probe.peak_device_memory_bytes is None:
        yield f"{m.info.devices} replicas share the same cores: no extra hardware"


def _work(m: Measured) -> Iterator[str]:
    if m.work_factor is not None and abs(m.work_factor - 1) > NOTABLE:
        yield f"{_short(m.work_factor)}× the multiply-adds of {m.effect.baseline}"
    if m.waiting_share is not None:
        yield f"a training step waits {m.waiting_share:.0%} of its time for this pipeline"


def _machine(m: Measured) -> Iterator[str]:
    """Against its ceiling; a type that the machine multiplies more slowly than float32."""
    if m.ceiling_share is not None:
        yield f"runs at {_percent(m.ceiling_share)} of the {m.precision} ceiling"
    slower = m.speedup is not None and m.speedup.value < 1
    if m.type_factor is not None and m.type_factor < 1 and slower:
        share = _short(m.type_factor)
        yield f"this machine's {m.precision} products reach {share}× its float32 ones"


def _from_proof(m: Measured) -> str:
    """What the run measured of the technique itself: work left, sparsity, CPU use."""
    said = []
    less = m.multiply_add_factor
    if less is not None:
        said.append(
            "as many multiply-adds as the plain model"
            if abs(less - 1) < 0.005
            else f"{figures.significant(less, 2)}× fewer multiply-adds than the plain model"
        )
    proof = dict(m.probe.proof) if m.probe else {}
    said += [
        f"{key.replace('_', ' ')} {figures.plain(value)}"
        for key, value in sorted(proof.items())
        if isinstance(value, (int, float, str)) and not isinstance(value, bool)
    ]
    return ", ".join(said[:4])


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 else f"{100 * share:.2g} %".replace(" %", "%")


def _short(value: float) -> str:
    return re.sub(r"\.0$", "", f"{value:.2g}" if value < 10 else f"{value:.0f}")
