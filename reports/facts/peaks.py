"""Which number type a path computes in, and how near it comes to the machine's peak of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.results.values import Launch

PRECISIONS = ("int8", "int16", "bfloat16", "float16", "float32")
CEILINGS = {
    "int8": "int8_op_per_s",
    "bfloat16": "bfloat16_flop_per_s",
    "float16": "float16_flop_per_s",
    "float32": "float32_flop_per_s",
}
"""Names of the peaks as `bench.launch.analysis.ceilings` measures them."""
PLAUSIBLE = 1.1


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
    probe: Launch | None, latency_ns: float | None, ceilings: Mapping[str, float]
) -> float | None:
    """Counted operations a second ÷ the peak of their number type.

    None where it is not known, or beyond what a ceiling's own noise explains: then the path is
    not bound by that ceiling, or does other work than was counted.
    """
    if probe is None or not latency_ns:
        return None
    peak = ceilings.get(CEILINGS.get(arithmetic_precision(probe.proof), ""))
    flops = probe.probes.get("flops_per_step")
    if not peak or not flops:
        return None
    share = float(flops) / probe.updates_per_step / (latency_ns * 1e-9) / peak
    return share if share <= PLAUSIBLE else None


def type_factor(precision: str, ceilings: Mapping[str, float]) -> float | None:
    """The peak of a number type ÷ that of float32, where it is another type."""
    plain, own = ceilings.get(CEILINGS["float32"]), ceilings.get(CEILINGS.get(precision, ""))
    return own / plain if plain and own and precision != "float32" else None
