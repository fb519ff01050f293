"""Configurations that took turns with one another in one run, and models under load."""

from __future__ import annotations

from statistics import median

from reports.facts import figures
from reports.facts.estimates import distinguishable
from reports.facts.measured import Facts, Measured
from reports.tables.cells import Cell, Column, Row, Table, label
from reports.tables.parts import factor_cell, number, status_cell


def across_table(facts: Facts) -> Table:
    """Each scenario in one configuration against itself in another, launched together."""
    rows = []
    for (scenario, first, other), item in facts.across.items():
        cell = factor_cell(item, f"{item.launches} launches")
        said = "yes" if distinguishable(item) else "no"
        rows.append(
            Row((label(scenario), label(first), label(other), cell, Cell(said)), scenario, other)
        )
    return Table(
        "across",
        "The same scenario in two configurations, taking turns",
        (
            Column("scenario"),
            Column("in"),
            Column("against it in"),
            Column("speed-up", True, "time in the first ÷ time in the other"),
            Column("distinguishable"),
        ),
        tuple(rows),
    )


def serving_table(facts: Facts, configuration: str) -> Table:
    """Models under load: medians over launches of what the load generator measured."""
    rows = [_serving_row(m) for m in facts.of("serve", configuration) if m.ok and m.load]
    return Table(
        f"serving-{configuration}",
        f"Under load, {configuration}",
        (
            Column("scenario"),
            Column("status"),
            Column("what it does"),
            Column("answers/s", True),
            Column("offered/s", True, "queries that arrive, at random times"),
            Column("p50", True, "latency of a query, waiting included"),
            Column("p90", True),
            Column("p99", True),
            Column("p99 allowed", True, "the bound that a valid run keeps"),
            Column("valid", False, "launches that the load generator accepts"),
        ),
        tuple(rows),
        notes=("By MLPerf's load generator; medians over launches.",) if rows else (),
    )


def _serving_row(m: Measured) -> Row:
    middle = {name: median(values) for name, values in m.load.items()}

    def time_(name: str) -> Cell:
        return number(middle.get(name), lambda value: figures.duration(value, value * 0.05))

    def rate(name: str) -> Cell:
        return number(middle.get(name), lambda value: figures.significant(value, 3))

    valid = m.load.get("valid", ())
    kept = Cell(
        f"{sum(valid):.0f} of {len(valid)}",
        sum(valid),
        tone="good" if all(valid) else "warn",
    )
    cells = (
        label(m.scenario),
        status_cell(m),
        Cell(m.info.summary if m.info else ""),
        rate("answers_per_s"),
        rate("offered_per_s"),
        *(time_(name) for name in ("p50_ns", "p90_ns", "p99_ns", "bound_ns")),
        kept,
    )
    return Row(cells, m.scenario, m.configuration)
