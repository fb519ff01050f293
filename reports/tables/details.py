"""What a row opens to: its launches, turns, warm-up, proof, probes and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.results.values import Launch
from reports.facts import figures
from reports.facts.measured import Facts, Measured
from reports.facts.why import why
from reports.tables.cells import Cell, Column, Field, Row, Table, label, missing, table_of
from reports.tables.parts import number
from reports.tables.surroundings import facts_table

SPARK_WIDTH, SPARK_HEIGHT = 300.0, 40.0
MOST_OPERATIONS = 10


@dataclass(frozen=True)
class Spark:
    """The turns of one launch as a line, drawn to the scale of all launches."""

    title: str
    points: str
    """Coordinates of an SVG polyline."""


@dataclass(frozen=True)
class Detail:
    """The details of one scenario in one configuration."""

    anchor: str
    scenario: str
    configuration: str
    sentences: tuple[str, ...]
    output: str
    tables: tuple[Table, ...]
    sparks: tuple[Spark, ...]


def details(facts: Facts) -> list[Detail]:
    """Of every row of the run."""
    return [_detail(facts, m) for m in facts.all]


def _detail(facts: Facts, m: Measured) -> Detail:
    info, probe = m.info, m.probe
    said = [info.summary] if info else []
    if m.effect.reason:
        said.append(f"{m.effect.status}: {m.effect.reason}")
    if m.ok and m.effect.baseline and (reason := why(m)):
        said.append(reason)
    said += [f"Warning: {warning}" for warning in m.effect.warnings]
    if info:
        said.append(f"Source: {info.module}, line {info.line}")
    shown = probe or next(iter(m.launches), None)
    probes: dict[str, Any] = {}
    for launch in (*m.timed[-1:], *((probe,) if probe else ())):
        probes |= launch.probes
    operations = facts.run.operations(
        f"{m.scenario.replace('/', '-')}@{m.configuration}"  # the trace's folder
    )
    if isinstance(operations, str) and operations:
        said.append(f"Top operations are missing: {operations}")
    tables = [
        _launches(m),
        facts_table("proof", "Proof that it engaged", dict(shown.proof) if shown else {}),
        facts_table("quality", "Quality", _quality(shown)),
        facts_table("probes", "Probes", probes),
        _operations(operations),
        facts_table("settings", "Settings", _settings(m)),
    ]
    failed = next((x for x in m.launches if x.outcome != "ok" and x.output), None)
    return Detail(
        m.anchor,
        m.scenario,
        m.configuration,
        tuple(x for x in said if x),
        failed.output if failed else "",
        tuple(t for t in tables if t is not None and t.rows),
        _sparks(m.timed),
    )


def _quality(probe: Launch | None) -> dict[str, Any]:
    """What else was measured of its answers."""
    if probe is None:
        return {}
    return {
        "other metrics": dict(probe.other_qualities),
        "of each class": dict(probe.class_qualities),
        "agreement with the plain model": dict(probe.agreement),
    }


def _launches(m: Measured) -> Table:
    return table_of(
        "launches",
        "Launches",
        (
            Field("launch", lambda x: _count(x.index), True),
            Field("group", lambda x: label(x.group)),
            Field("outcome", _outcome),
            Field("started as", lambda x: _count(x.start_order), True,
                  "place in its group's start order"),
            Field("turns", lambda x: _count(len(x.turns)), True),
            Field("steps a turn", lambda x: _of_turns(x, "steps", lambda v: f"{v:,.0f}"), True),
            Field("median step", lambda x: _of_turns(x, "step_ns", _step), True),
            Field("build", lambda x: number(x.build_s, figures.seconds), True),
            Field("first step", lambda x: number(x.first_step_s, figures.seconds), True),
            Field("warm-up turns", lambda x: _count(len(x.warmup_turns)), True),
            Field("steady", lambda x: Cell("yes") if x.steady else Cell("no", tone="warn")),
        ),
        [x for x in m.launches if x.purpose == "timing"],
    )  # fmt: skip


def _count(value: int) -> Cell:
    return Cell(str(value), float(value))


def _outcome(x: Launch) -> Cell:
    reason = f": {x.reason}" if x.reason else ""
    return Cell(f"{x.outcome}{reason}", tone="" if x.outcome == "ok" else "bad")


def _of_turns(x: Launch, name: str, form: Callable[[float], str]) -> Cell:
    return number(median(getattr(t, name) for t in x.turns) if x.turns else None, form)


def _step(value: float) -> str:
    return figures.duration(value, value * 0.005)


def _operations(found: Any) -> Table | None:
    """Top operations by self time, as the run's trace held them: {operation, share, ...} each."""
    if not isinstance(found, (list, tuple)):
        return None
    rows = [x for x in found if isinstance(x, Mapping)][:MOST_OPERATIONS]
    if not rows:
        return None
    names = list(dict.fromkeys(key for row in rows for key in row))
    return Table(
        "operations",
        "Top operations",
        tuple(Column(n.replace("_", " ")) for n in names),
        tuple(Row(tuple(_fact(row, name) for name in names)) for row in rows),
    )


def _fact(row: Mapping[str, Any], name: str) -> Cell:
    return Cell(figures.fact(name, row[name])) if name in row else missing()


def _settings(m: Measured) -> dict[str, Any]:
    if m.info is None:
        return {}
    info = m.info
    return {
        "baseline": info.baseline,
        "arguments": dict(info.arguments),
        "needs": info.needs,
        "Keras": info.keras,
        "environment": dict(info.environment),
        "devices": info.devices,
        "unit": info.unit,
        "must follow the baseline within": info.follows,
        "deployment facts": info.deployment,
        "examples a step": m.timed[0].examples_per_step if m.timed else None,
        "updates a step": m.timed[0].updates_per_step if m.timed else None,
    }


def _sparks(timed: tuple[Launch, ...]) -> tuple[Spark, ...]:
    steps = [t.step_ns for x in timed for t in x.turns]
    if not steps:
        return ()
    low, high = min(steps), max(steps)
    span = (high - low) or 1.0
    sparks = []
    for x in timed:
        count = max(len(x.turns) - 1, 1)
        points = " ".join(
            f"{SPARK_WIDTH * k / count:.1f},"
            f"{2 + (SPARK_HEIGHT - 4) * (1 - (t.step_ns - low) / span):.1f}"
            for k, t in enumerate(x.turns)
        )
        middle = median(t.step_ns for t in x.turns)
        sparks.append(Spark(f"launch {x.index} ({x.group}): median {_step(middle)}", points))
    return tuple(sparks)
