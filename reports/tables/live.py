"""Configurations that took turns with one another in one run, and models under load."""

from __future__ import annotations

from statistics import median

from reports.facts import figures
from reports.facts.estimates import distinguishable
from reports.facts.measured import Facts, Measured
from reports.tables.cells import Cell, Field, Table, Tone, label, table_of
from reports.tables.parts import factor_cell, measured_table, number, scenario_cell, status_cell


def across_table(facts: Facts) -> Table:
    """Each scenario in one configuration against itself in another, launched together."""
    return table_of(
        "across",
        "The same scenario in two configurations, taking turns",
        (
            Field("scenario", lambda x: label(x[0][0])),
            Field("in", lambda x: label(x[0][1])),
            Field("against it in", lambda x: label(x[0][2])),
            Field("speed-up", lambda x: factor_cell(x[1], f"{x[1].launches} launches"), True,
                  "time in the first ÷ time in the other"),
            Field("distinguishable", lambda x: Cell("yes" if distinguishable(x[1]) else "no")),
        ),
        facts.across.items(),
        opens=lambda x: (x[0][0], x[0][2]),
    )  # fmt: skip


def serving_table(facts: Facts, configuration: str) -> Table:
    """Models under load: medians over launches of what the load generator measured."""
    rows = [m for m in facts.of("serve", configuration) if m.ok and m.load]
    return measured_table(
        f"serving-{configuration}",
        f"Under load, {configuration}",
        (
            Field("scenario", scenario_cell),
            Field("status", status_cell),
            Field("what it does", lambda m: Cell(m.info.summary if m.info else "")),
            _load("answers/s", "answers_per_s"),
            _load("offered/s", "offered_per_s", "queries that arrive, at random times"),
            _load("p50", "p50_ns", "latency of a query, waiting included"),
            _load("p90", "p90_ns"),
            _load("p99", "p99_ns"),
            _load("p99 allowed", "bound_ns", "the bound that a valid run keeps"),
            Field("valid", _valid, False, "launches that the load generator accepts"),
        ),
        rows,
        ("By MLPerf's load generator; medians over launches.",) if rows else (),
    )


def _load(title: str, name: str, hint: str = "") -> Field[Measured]:
    def form(value: float) -> str:
        if name.endswith("_ns"):
            return figures.duration(value, value * 0.05)
        return figures.significant(value, 3)

    def cell(m: Measured) -> Cell:
        values = m.load.get(name)
        return number(median(values) if values else None, form)

    return Field(title, cell, True, hint)


def _valid(m: Measured) -> Cell:
    valid = m.load.get("valid", ())
    tone: Tone = "good" if all(valid) else "warn"
    return Cell(f"{sum(valid):.0f} of {len(valid)}", sum(valid), tone=tone)
