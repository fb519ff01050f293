"""The report's contents, put together once: every form shows these same values."""

from __future__ import annotations

from bench.results.store import Run
from reports.facts import figures
from reports.facts.advice import advice
from reports.facts.claims import headline
from reports.facts.measured import Facts
from reports.tables import surroundings
from reports.tables.cells import Cell, Contents, Field, Section, Table, filled, label
from reports.tables.controls import control_sentences, controls_table
from reports.tables.effects import effect_table, own_table
from reports.tables.inference import inference_table, latency_table
from reports.tables.live import across_table, serving_table
from reports.tables.parts import (
    baseline_cell,
    latency_cell,
    measured_table,
    metric,
    number,
    plain_cell,
    quality_cell,
    scenario_cell,
    speedup_cell,
    status_cell,
)
from reports.tables.training import input_table, training_table


def contents(facts: Facts) -> Contents:
    """What a run's report says."""
    run = facts.run
    where = facts.configurations
    sections = (
        Section(
            "effects",
            "The reference guide's effect table, measured",
            tables=tuple(effect_table(facts, c) for c in where if facts.of("infer", c)),
        ),
        Section(
            "claims",
            "Your claims, judged",
            tables=filled(own_table(facts, c) for c in where),
        ),
        Section(
            "training",
            "Training",
            tables=filled(training_table(facts, c) for c in where),
        ),
        Section("input", "Input", tables=filled(input_table(facts, c) for c in where)),
        Section(
            "inference",
            "Inference, compression and deployment",
            tables=filled(inference_table(facts, c) for c in where),
        ),
        Section(
            "serving",
            "Serving",
            tables=filled(serving_table(facts, c) for c in where),
        ),
        Section(
            "configurations",
            "Configurations compared live",
            tables=filled((across_table(facts),)),
        ),
        Section(
            "controls",
            "Controls and noise",
            control_sentences(facts),
            filled((controls_table(facts), *(latency_table(facts, c) for c in where))),
        ),
        Section(
            "not-run",
            "What did not run, and warnings",
            tables=filled((surroundings.not_run_table(facts), surroundings.warnings_table(facts))),
        ),
        Section(
            "environment",
            "Environment and settings",
            tables=filled((surroundings.environment_table(run), surroundings.settings_table(run))),
        ),
        Section("reproduce", "How to reproduce", code=surroundings.reproduce(run)),
    )
    return Contents(
        run.name,
        _subtitle(run),
        _banner(facts),
        tuple(said for c in where if (said := headline(facts, c))),
        tuple(a for c in where for a in advice(facts, c)),
        sections,
        opening=(*_workload(run), *control_sentences(facts)),
    )


def _subtitle(run: Run) -> str:
    workload = run.facts.get("workload") or {}
    environment = run.facts.get("environment") or {}
    settings = run.facts.get("settings") or {}
    parts = [
        " on ".join(str(workload[k]) for k in ("model", "data") if workload.get(k)),
        str(environment.get("cpu") or environment.get("cpu model") or ""),
        f"TensorFlow {version}" if (version := _tensorflow(environment)) else "",
        f"profile {settings['profile']}" if settings.get("profile") else "",
        surroundings.moment(run.facts.get("started")),
    ]
    return " · ".join(part for part in parts if part)


def _tensorflow(environment: dict[str, object]) -> str:
    packages = environment.get("packages")
    return str(packages.get("tensorflow") or "") if isinstance(packages, dict) else ""


def _workload(run: Run) -> tuple[str, ...]:
    """What the task was taken for, and what was done to the data."""
    workload = run.facts.get("workload") or {}
    said = [workload.get("line"), *(workload.get("notes") or ())]
    return tuple(str(text) for text in said if text)


def _banner(facts: Facts) -> tuple[str, ...]:
    said = [str(w) for w in facts.run.facts.get("warnings") or ()]
    bad = [c for c in facts.controls if not c.passed]
    if bad and not any("control" in w.lower() for w in said):
        said.append(
            f"{len(bad)} of the run's controls missed the truth: "
            "its figures are less sure than their intervals say."
        )
    return tuple(said)


def overview(facts: Facts) -> Table:
    """Every row of the run in a few columns, with the reason where there is no figure."""
    return measured_table(
        "overview",
        "All scenarios",
        (
            Field("scenario", scenario_cell),
            Field("configuration", lambda m: label(m.configuration)),
            Field("status", status_cell),
            Field("time a step", latency_cell, True),
            Field("against", baseline_cell),
            Field("speed-up", speedup_cell, True),
            Field("over the plain path", plain_cell, True),
            Field("file", lambda m: number(m.effect.size_bytes, figures.size), True),
            Field(metric(facts.all), lambda m: quality_cell(m, metric(facts.all)), True),
            Field("reason or warnings",
                  lambda m: Cell(m.effect.reason or "; ".join(m.effect.warnings))),
        ),
        facts.all,
    )  # fmt: skip
