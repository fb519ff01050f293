"""Sentences on rows: from proof, probes, counted work and ceilings, and nothing without them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.results.as_json import to_json
from bench.results.store import Run
from bench.results.values import Launch, Scenario, Turn
from reports.facts.derive import facts_of
from reports.facts.measured import Measured
from reports.facts.peaks import arithmetic_precision
from reports.facts.why import explain

CEILINGS = {"float32_flop_per_s": 100e9, "bfloat16_flop_per_s": 20e9, "int8_op_per_s": 500e9}


def scenario(id: str, baseline: str | None = None, devices: int = 1) -> Scenario:
    kind: Any = id.split("/")[0]
    return Scenario(id, kind, "", "m", "f", "p", 1, baseline=baseline, devices=devices)


def measured(
    own_ns: int = 100_000,
    base_ns: int = 200_000,
    devices: int = 1,
    ceilings: dict[str, float] = CEILINGS,
    **probe: Any,
) -> Measured:
    launches = []
    for id, role, ns in (("infer/a", "baseline", base_ns), ("infer/b", "candidate", own_ns)):
        for index in (1, 2):
            turns = tuple(Turn(r, 0, 1, ns) for r in range(4))
            launches.append(
                Launch(
                    id, "cpu-1", group="infer/a", role=role, index=index,  # type: ignore[arg-type]
                    turns=turns, examples_per_step=1, start_order=(index + (id == "infer/b")) % 2,
                )
            )  # fmt: skip
    launches += [
        Launch("infer/a", "cpu-1", purpose="probe", multiply_adds=1000),
        Launch("infer/b", "cpu-1", purpose="probe", **probe),
    ]
    known = [to_json(s) for s in (scenario("infer/a"), scenario("infer/b", "infer/a", devices))]
    facts = {"scenarios": known, "ceilings": {"cpu-1": ceilings}}
    found = facts_of(Run(Path("run"), facts, launches)).get("infer/b", "cpu-1")
    assert found is not None
    return found


def said(found: Measured) -> str:
    return explain(found)


def test_int8_kernels_and_their_ceiling() -> None:
    found = measured(
        proof={"int8_operations": 9, "arithmetic_operations": 9},
        probes={"flops_per_step": 20_000_000},
    )
    assert found.ceiling_share == pytest.approx(0.4)
    assert said(found) == (
        "int8 kernels: 9 of 9 arithmetic operations; runs at 40% of the int8 ceiling"
    )


def test_zeros_without_a_sparse_kernel() -> None:
    assert said(measured(proof={"sparsity": 0.83})) == "83% zeros, but no sparse kernel ran"
    dense = {"sparsity": 0.83, "read_sparse": 0, "made_dense_first": 4}
    assert "all 4 sparse kernels are made dense" in said(measured(proof=dense))


def test_replicas_without_hardware() -> None:
    assert "2 replicas share the same cores" in said(measured(devices=2))


def test_less_work_is_put_against_the_baseline() -> None:
    assert said(measured(multiply_adds=125)) == "0.12× the multiply-adds of infer/a"
    assert said(measured(multiply_adds=1010)) == ""


def test_a_slow_number_type_explains_only_a_slow_row() -> None:
    proof = {"bfloat16_products": 5, "products": 5}
    assert "bfloat16 products reach 0.2× its float32 ones" in said(
        measured(own_ns=400_000, proof=proof)
    )
    assert "0.2×" not in said(measured(own_ns=100_000, proof=proof))


def test_nothing_known_nothing_said() -> None:
    assert said(measured()) == ""
    assert said(measured(probes={"flops_per_step": 1000}, ceilings={})) == ""


def test_precision_is_that_of_most_products() -> None:
    assert arithmetic_precision({"int8_operations": 2, "arithmetic_operations": 9}) == "float32"
    assert arithmetic_precision({"float16_products": 9, "products": 9}) == "float16"
    assert arithmetic_precision({"int8_kernels": 4, "kernels": 5}) == "int8"
    assert arithmetic_precision({"float16_kernels": 5, "kernels": 5}) == "float32"


def test_a_share_beyond_the_ceiling_is_not_shown() -> None:
    found = measured(own_ns=1000, probes={"flops_per_step": 20_000_000})
    assert found.ceiling_share is None
    assert "ceiling" not in said(found)
