"""Every inference path: latency, size, memory and quality; quantiles of single steps."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from bench.results.values import Launch
from reports.facts import figures
from reports.facts.cost import per_million
from reports.facts.measured import Facts, Measured
from reports.tables.cells import Cell, Field, Table, missing
from reports.tables.parts import (
    MEMORY,
    agreement_cell,
    batch_notes,
    first_field,
    measured_table,
    number,
    path_fields,
    quality_fields,
    scenario_cell,
)

QUANTILES = (0.5, 0.9, 0.95, 0.99)


def inference_table(facts: Facts, configuration: str) -> Table:
    """Every inference path: latency, size, memory, quality."""
    rows = [m for m in facts.of("infer", configuration) if m.ok]

    def probed(name: str) -> Callable[[Measured], Cell]:
        return lambda m: number(getattr(m.probe, name, None), figures.count)

    def front(m: Measured) -> Cell:
        best = (m.scenario, m.configuration) in facts.pareto
        return Cell("●", 1.0, "on the Pareto front") if best else Cell("", value=0.0)

    agreement = (
        "share of predictions equal to the plain model's, else signal to noise of its outputs"
    )
    return measured_table(
        f"inference-{configuration}",
        f"Inference, {configuration}",
        (
            *path_fields("infer", "time an answer", "median over launches of the median turn"),
            Field("file", lambda m: number(m.effect.size_bytes, figures.size), True, "shipped"),
            Field("gzip", lambda m: number(m.gzip_bytes, figures.size), True),
            MEMORY,
            Field("parameters", probed("parameters"), True),
            Field("multiply-adds", probed("multiply_adds"), True, "of one example's forward pass"),
            *quality_fields(rows),
            Field("agrees", agreement_cell, True, agreement),
            first_field("first answer", "infer"),
            *cost_fields(facts),
            Field("front", front, False, "no other path is faster, smaller and better"),
        ),
        rows,
        (
            "● marks the Pareto front over time, compressed size and quality. Changes of quality "
            "are paired on the same test examples (of accuracy: Tango's score interval).",
            *batch_notes(rows),
        ),
    )


def cost_fields(facts: Facts) -> tuple[Field[Measured], ...]:
    """Money for a million answers, where the price of the machine's hour is given."""
    price = facts.run.facts.get("price_per_hour")
    if price is None:
        return ()

    def cost(m: Measured) -> Cell:
        return number(per_million(price, m), lambda value: figures.significant(value, 2))

    return (Field("cost per million", cost, True, f"at {price:g} for an hour of this machine"),)


def latency_table(facts: Facts, configuration: str) -> Table:
    """Quantiles of single steps, with the number of samples behind them."""
    return measured_table(
        f"latency-{configuration}",
        f"Latency of single steps, {configuration}",
        (
            Field("scenario", scenario_cell),
            *(Field(f"p{100 * q:.0f}", _quantile(q), True) for q in QUANTILES),
            Field("samples", lambda m: Cell(f"{m.samples:,}", float(m.samples)), True),
            Field("CPU use", _busy(lambda x: x.cpu_share, 2), True,
                  "cores used while its turns ran"),
            Field("CPU use waiting", _busy(lambda x: x.waiting_cpu_share, 3), True,
                  "cores used while others' turns ran"),
        ),
        [m for m in facts.all if m.configuration == configuration and m.samples],
        (
            "A quantile is shown where the samples bound it with 95 % confidence: "
            "p90 from 29 samples, p95 from 59, p99 from 299.",
        ),
    )  # fmt: skip


def _quantile(quantile: float) -> Callable[[Measured], Cell]:
    def cell(m: Measured) -> Cell:
        value = m.quantile_ns(quantile)
        if value is None:
            return missing("too few samples")
        # 0.2 % wide buckets hold three digits.
        return Cell(figures.duration(value, value * 0.002), value)

    return cell


def _busy(share: Callable[[Launch], float | None], digits: int) -> Callable[[Measured], Cell]:
    def cell(m: Measured) -> Cell:
        known = [x for launch in m.timed if (x := share(launch)) is not None]
        return number(fmean(known) if known else None, lambda v: figures.rounded(v, digits))

    return cell
