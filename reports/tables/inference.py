"""Every inference path: latency, size, memory and quality; quantiles of single steps."""

from __future__ import annotations

from collections.abc import Sequence

from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.tables.cells import Cell, Column, Row, Table, label, missing
from reports.tables.parts import (
    MEMORY,
    batch_notes,
    number,
    path_cells,
    path_columns,
    quality_cells,
    quality_columns,
)


def inference_table(facts: Facts, configuration: str) -> Table:
    """Every inference path: latency, size, memory, quality."""
    rows = [m for m in facts.of("infer", configuration) if m.ok]
    return Table(
        f"inference-{configuration}",
        f"Inference, {configuration}",
        (
            *path_columns("infer", "time an answer", "median over launches of the median turn"),
            Column("file", True, "what would be shipped"),
            Column("gzip", True),
            MEMORY,
            Column("parameters", True),
            Column("multiply-adds", True, "of one example's forward pass"),
            *quality_columns(rows),
            Column("agrees", True, "share of predictions equal to the plain model's"),
            Column("first answer", True, "load, trace, compile and run"),
            Column("front", False, "no other path is faster, smaller and better"),
        ),
        tuple(_inference_row(facts, m, rows) for m in rows),
        notes=(
            "● marks the Pareto front over time, compressed size and quality. Changes of quality "
            "are paired on the same test examples (of accuracy: Tango's score interval).",
            *batch_notes(rows),
        ),
    )


def _inference_row(facts: Facts, m: Measured, rows: Sequence[Measured]) -> Row:
    probe = m.probe
    best = (m.scenario, m.configuration) in facts.pareto
    return Row(
        (
            *path_cells(m),
            number(m.effect.size_bytes, figures.size),
            number(m.gzip_bytes, figures.size),
            number(m.effect.peak_memory_bytes, figures.size),
            number(probe.parameters if probe else None, figures.count),
            number(probe.multiply_adds if probe else None, figures.count),
            *quality_cells(m, rows),
            number(m.effect.agreement, figures.percent),
            number(m.effect.first_step_s, figures.seconds),
            Cell("●", 1.0, "on the Pareto front") if best else Cell("", value=0.0),
        ),
        m.scenario,
        m.configuration,
    )


def latency_table(facts: Facts, configuration: str) -> Table:
    """Quantiles of single steps, with the number of samples behind them."""
    chosen = [m for m in facts.all if m.configuration == configuration and m.samples]
    return Table(
        f"latency-{configuration}",
        f"Latency of single steps, {configuration}",
        (
            Column("scenario"),
            Column("p50", True),
            Column("p90", True),
            Column("p95", True),
            Column("p99", True),
            Column("samples", True),
            Column("CPU use", True, "cores used while its turns ran"),
            Column("CPU use waiting", True, "cores used while others' turns ran"),
        ),
        tuple(_latency_row(m) for m in chosen),
        notes=(
            "A quantile is shown where the samples bound it with 95 % confidence: "
            "p90 from 29 samples, p95 from 59, p99 from 299.",
        ),
    )


def _latency_row(m: Measured) -> Row:
    quantiles = []
    for q in (0.5, 0.9, 0.95, 0.99):
        value = m.quantile_ns(q)
        # 0.2 % wide buckets hold three digits.
        text = figures.duration(value, value * 0.002) if value is not None else ""
        quantiles.append(Cell(text, value) if value is not None else missing("too few samples"))
    busy = [x.cpu_share for x in m.timed if x.cpu_share is not None]
    idle = [x.waiting_cpu_share for x in m.timed if x.waiting_cpu_share is not None]
    return Row(
        (
            label(m.scenario),
            *quantiles,
            Cell(f"{m.samples:,}", value=float(m.samples)),
            number(_mean(busy), lambda v: figures.rounded(v, 2)),
            number(_mean(idle), lambda v: figures.rounded(v, 3)),
        ),
        m.scenario,
        m.configuration,
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
