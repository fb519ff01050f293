"""Configurations that took turns with one another in one run, and models under load."""

from __future__ import annotations

from bench.results import statistics
from reports import figures
from reports.cells import Cell, Column, Row, Table, Tone, label
from reports.measured import Facts, told_apart
from reports.surroundings import fact_text
from reports.tables import latency_cell, speedup_cell, status_cell, throughput_cell

MOST_FACTS = 8


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
    """Models under load, with the figures that the load generator gave."""
    rows = []
    for m in facts.of("serve", configuration):
        if not m.ok:
            continue
        found = dict(m.probe.probes) if m.probe else {}
        for launch in m.timed[-1:]:
            found |= launch.probes
        said = [f"{k.replace('_', ' ')}: {fact_text(k, v)}" for k, v in found.items()]
        cells = (
            label(m.scenario),
            status_cell(m),
            latency_cell(m),
            throughput_cell(m),
            speedup_cell(m),
            Cell("; ".join(said[:MOST_FACTS])),
        )
        rows.append(Row(cells, m.scenario, m.configuration))
    return Table(
        f"serving-{configuration}",
        f"Under load, {configuration}",
        (
            Column("scenario"),
            Column("status"),
            Column("time an answer", True),
            Column("answers/s", True),
            Column("speed-up", True, "against its baseline, 95 % interval over launches"),
            Column("the load generator's figures"),
        ),
        tuple(rows),
    )
