"""Why a row is fast or slow, in a short sentence made of measured facts only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.results.effects import Effects
from bench.results.values import Launch, Scenario

PRECISIONS = ("int8", "int16", "bfloat16", "float16", "float32")
CEILINGS = {
    "int8": "int8_op_per_s",
    "bfloat16": "bfloat16_flop_per_s",
    "float16": "float16_flop_per_s",
    "float32": "float32_flop_per_s",
}
MOST_CLAUSES = 3
PLAUSIBLE = 1.1
NOTABLE = 0.05
"""A change of the amount of work below 5 % is not worth words."""


def explain(
    effects: Effects, scenario: str, configuration: str, ceilings: Mapping[str, float]
) -> str:
    """One short sentence on a row from its proof, probes and the machine's ceilings.

    Args:
        effects: The run's effects.
        scenario: Its id.
        configuration: Where it ran.
        ceilings: The configuration's peaks as `bench.launch.analysis.ceilings.measure` names them.

    Returns:
        Up to three clauses joined by semicolons; "" where nothing is known.
    """
    probe = effects.probe(scenario, configuration)
    if probe is None:
        return ""
    info = effects.scenarios.get(scenario)
    proof = probe.proof
    precision = arithmetic_precision(proof)
    clauses = [
        *_engaged(proof),
        *_sparse(proof),
        *_replicas(info, probe),
        *_work(effects, info, probe, configuration),
        *_waiting(effects, scenario, configuration),
        *_against_ceiling(effects, scenario, configuration, precision, ceilings),
        *_slow_type(effects, scenario, configuration, precision, ceilings),
    ]
    return "; ".join(clauses[:MOST_CLAUSES])


def arithmetic_precision(proof: Mapping[str, Any]) -> str:
    """The number type of most of a path's products, as its proof counted them.

    Kernels stored as int8 under float activations are int8 products too: LiteRT quantizes the
    activations while it runs. Those stored as float16 are widened first.
    """
    stored = proof.get("int8_kernels") or 0
    if stored and stored > (proof.get("kernels") or 0) / 2:
        return "int8"
    for name in PRECISIONS:
        own = proof.get(f"{name}_operations") or proof.get(f"{name}_products") or 0
        total = proof.get("arithmetic_operations") or proof.get("products") or 0
        if total and own > total / 2:
            return name
        if name in (proof.get("compute"), proof.get("compute_dtype")):
            return name
    return "float32"


def ceiling_share(
    effects: Effects, scenario: str, configuration: str, ceilings: Mapping[str, float]
) -> float | None:
    """Counted operations a second ÷ the peak of their number type.

    None where it is not known, or beyond what a ceiling's own noise explains: then the path is
    not bound by that ceiling, or does other work than was counted.
    """
    probe = effects.probe(scenario, configuration)
    latency = effects.latency_ns(scenario, configuration)
    if probe is None or not latency:
        return None
    peak = ceilings.get(CEILINGS.get(arithmetic_precision(probe.proof), ""))
    flops = probe.probes.get("flops_per_step")
    if not peak or not flops:
        return None
    share = float(flops) / probe.updates_per_step / (latency * 1e-9) / peak
    return share if share <= PLAUSIBLE else None


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


def _replicas(info: Scenario | None, probe: Launch) -> Iterator[str]:
    if info is not None and info.devices > 1 and probe.peak_device_memory_bytes is None:
        yield f"{info.devices} replicas share the same cores: no extra hardware"


def _work(
    effects: Effects, info: Scenario | None, probe: Launch, configuration: str
) -> Iterator[str]:
    base = effects.probe(info.baseline, configuration) if info and info.baseline else None
    if base is None or not base.multiply_adds or not probe.multiply_adds:
        return
    factor = probe.multiply_adds / base.multiply_adds
    if abs(factor - 1) > NOTABLE:
        yield f"{_short(factor)}× the multiply-adds of {base.scenario}"


def _waiting(effects: Effects, scenario: str, configuration: str) -> Iterator[str]:
    for launch in effects.timed(scenario, configuration):
        share = launch.probes.get("input_wait_share")
        if share is not None:
            yield f"a training step waits {share:.0%} of its time for this pipeline"
            return


def _against_ceiling(
    effects: Effects,
    scenario: str,
    configuration: str,
    precision: str,
    ceilings: Mapping[str, float],
) -> Iterator[str]:
    share = ceiling_share(effects, scenario, configuration, ceilings)
    if share is not None:
        yield f"runs at {_percent(share)} of the {precision} ceiling"


def _slow_type(
    effects: Effects,
    scenario: str,
    configuration: str,
    precision: str,
    ceilings: Mapping[str, float],
) -> Iterator[str]:
    """Where the machine multiplies a short type more slowly than float32, that is why."""
    row = effects.row(scenario, configuration)
    plain, own = ceilings.get(CEILINGS["float32"]), ceilings.get(CEILINGS.get(precision, ""))
    if not plain or not own or row is None or precision == "float32":
        return
    if own < plain and row.speedup is not None and row.speedup < 1:
        yield f"this machine's {precision} products reach {_short(own / plain)}× its float32 ones"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.095 else f"{100 * share:.2g} %".replace(" %", "%")


def _short(value: float) -> str:
    return re.sub(r"\.0$", "", f"{value:.2g}" if value < 10 else f"{value:.0f}")
