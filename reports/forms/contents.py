"""The report's contents, put together once: every form shows these same values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.results.store import Run
from reports.facts.measured import Facts
from reports.tables import surroundings
from reports.tables.cells import Section, Table
from reports.tables.controls import control_sentences, controls, controls_table
from reports.tables.inference import effect_table, inference_table, latency_table
from reports.tables.live import across_table, serving_table
from reports.tables.training import input_table, training_table
from reports.tables.verdict import Advice, advice, headline


@dataclass(frozen=True)
class Contents:
    """Everything a report says, before it has a form."""

    name: str
    subtitle: str
    banner: tuple[str, ...]
    """What makes the whole run doubtful; shown on top."""
    headlines: tuple[str, ...]
    advice: tuple[Advice, ...]
    sections: tuple[Section, ...]
    heading: str = "What pays"
    opening: tuple[str, ...] = ()
    """How far its figures can be trusted: what the controls measured."""


def contents(facts: Facts) -> Contents:
    """What a run's report says."""
    run = facts.run
    where = facts.configurations
    sections = (
        Section(
            "effects",
            "The document's effect table, measured",
            tables=tuple(effect_table(facts, c) for c in where if facts.of("infer", c)),
        ),
        Section(
            "training",
            "Training",
            tables=_filled(training_table(facts, c) for c in where),
        ),
        Section("input", "Input", tables=_filled(input_table(facts, c) for c in where)),
        Section(
            "inference",
            "Inference, compression and deployment",
            tables=_filled(inference_table(facts, c) for c in where),
        ),
        Section(
            "serving",
            "Serving",
            tables=_filled(serving_table(facts, c) for c in where),
        ),
        Section(
            "configurations",
            "Configurations compared live",
            tables=_filled((across_table(facts),)),
        ),
        Section(
            "controls",
            "Controls and noise",
            control_sentences(run),
            _filled((controls_table(run), *(latency_table(facts, c) for c in where))),
        ),
        Section(
            "not-run",
            "What did not run, and warnings",
            tables=_filled((surroundings.not_run_table(facts), surroundings.warnings_table(facts))),
        ),
        Section(
            "environment",
            "Environment and settings",
            tables=_filled((surroundings.environment_table(run), surroundings.settings_table(run))),
        ),
        Section("reproduce", "How to reproduce", code=surroundings.reproduce(run)),
    )
    return Contents(
        run.name,
        _subtitle(run),
        _banner(run),
        tuple(headline(facts, c) for c in where if facts.of("infer", c)),
        tuple(a for c in where for a in advice(facts, c)),
        sections,
        opening=control_sentences(run),
    )


def _filled(tables: Iterable[Table | None]) -> tuple[Table, ...]:
    return tuple(t for t in tables if t is not None and t.rows)


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


def _banner(run: Run) -> tuple[str, ...]:
    said = [str(w) for w in run.facts.get("warnings") or ()]
    bad = [c for c in controls(run) if not c.passed]
    if bad and not any("control" in w.lower() for w in said):
        said.append(
            f"{len(bad)} of the run's controls missed the truth: "
            "its figures are less sure than their intervals say."
        )
    return tuple(said)
