"""Configurations that took turns with one another in one run, and models under load."""

from __future__ import annotations

from statistics import median

from bench.results import statistics
from reports.facts import figures
from reports.facts.measured import Facts, Measured, told_apart
from reports.tables.cells import Cell, Column, Row, Table, Tone, label
from reports.tables.inference import number, status_cell


def across_table(facts: Facts) -> Table:
    """Each scenario in one configuration against itself in another, launched together."""
    rows = []
    for (scenario, first, other), effect in facts.effects.across().items():
        item = statistics.as_speedup(effect)
        tone: Tone = ""
        if told_apart(item):
            tone = "good" if item.value > 1 else "bad"
        note = f"{item.launches} launches"
        cell = Cell(figures.factor(item), item.value, note, tone, sub=figures.interval(item))
        said = "yes" if told_apart(item) else "no"
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
            Column("told apart"),
        ),
        tuple(rows),
    )


def serving_table(facts: Facts, configuration: str) -> Table:
    """Models under load: medians over launches of what the load generator measured."""
    rows = [_serving_row(m) for m in facts.of("serve", configuration) if m.ok and load_figures(m)]
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


def load_figures(m: Measured) -> dict[str, list[float]]:
    """Each launch's values of what the load generator measured, by name."""
    found: dict[str, list[float]] = {}
    for launch in m.timed:
        for name, value in launch.probes.get("figures", {}).items():
            found.setdefault(name, []).append(float(value))
    return found


def _serving_row(m: Measured) -> Row:
    found = load_figures(m)
    middle = {name: median(values) for name, values in found.items()}

    def time_(name: str) -> Cell:
        return number(middle.get(name), lambda value: figures.duration(value, value * 0.05))

    def rate(name: str) -> Cell:
        return number(middle.get(name), lambda value: figures.significant(value, 3))

    valid = found.get("valid", [])
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
