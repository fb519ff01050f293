"""The training and input sections: tables, and a line in words for each row."""

from __future__ import annotations

from reports.facts import figures
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import Facts, Measured, by_family
from reports.tables.cells import Cell, Field, Table, label, missing
from reports.tables.parts import (
    MEMORY,
    first_field,
    measured_table,
    number,
    path_fields,
    quality_fields,
)

NEGLIGIBLE_S = 0.05
"""Difference of first steps that is not worth a word: single events scatter by more."""


def training_table(facts: Facts, configuration: str) -> Table:
    """Every training path: speed, first step, break-even, memory, loss and quality."""
    rows = by_family(m for m in facts.of("train", configuration) if m.ok)
    pays = "updates until a longer first step is made up for"
    return measured_table(
        f"training-{configuration}",
        f"Training, {configuration}",
        (
            *path_fields("train", "time an update", "median over launches of the median turn"),
            Field("family", lambda m: Cell(m.family), False, "the module it comes from"),
            first_field("first step", "train"),
            Field("pays off after", break_even_cell, True, pays),
            MEMORY,
            Field("final loss", _loss_cell, True),
            *quality_fields(rows),
        ),
        rows,
        (_quality_note(facts),) if any(m.quality is not None for m in rows) else (),
        _words(facts, rows),
    )


def _loss_cell(m: Measured) -> Cell:
    loss = m.probe.final_loss if m.probe else None
    return number(loss, lambda v: figures.significant(v, 3))


def _quality_note(facts: Facts) -> str:
    """What a change of a training path's quality shows, and what it does not."""
    settings = facts.run.facts.get("settings") or {}
    epochs, trainings = settings.get("epochs"), settings.get("trainings") or 1
    when = f" after {epochs} epoch{'s' * (epochs > 1)}" if epochs else ""
    if trainings > 1:
        return (
            f"Accuracy is the mean of {trainings} trainings{when} (of fewer where the row warns), "
            "each from other initial weights and in another order of batches, the same for all "
            "paths; they need not have converged. The interval of its change is for how trainings "
            "differ and for the choice of test examples. That a path does the same work is checked "
            "on its first losses."
        )
    return (
        f"Accuracy is that of one training{when}, which need not have converged. The interval of "
        "its change (Tango's score interval) covers the choice of test examples alone: trainings "
        "that differ by no more than rounding can lie further apart than that. That a path does "
        "the same work is checked on its first losses."
    )


def input_table(facts: Facts, configuration: str) -> Table:
    """Every input pipeline: alone, and inside training."""
    rows = [m for m in facts.of("input", configuration) if m.ok]

    def waits(m: Measured) -> Cell:
        return number(m.waiting_share, lambda v: figures.percent(v, 0))

    return measured_table(
        f"input-{configuration}",
        f"Input pipelines, {configuration}",
        (
            *path_fields("input", "time a batch", "the pipeline alone"),
            Field(
                "waits in training", waits, True, "share of a training step that waits for input"
            ),
            MEMORY,
        ),
        rows,
        words=_words(facts, rows),
    )


def _words(facts: Facts, rows: list[Measured]) -> tuple[tuple[Cell, str], ...]:
    return tuple((label(m.scenario), in_words(facts, m)) for m in rows if m.effect.baseline)


def break_even_cell(m: Measured) -> Cell:
    """Steps until the longer first step is made up for."""
    steps = m.effect.break_even_steps
    if steps is not None and m.speedup is not None and distinguishable(m.speedup):
        return Cell(figures.whole(steps) if steps >= 1 else "at once", steps)
    if m.speedup is not None and m.effect.baseline:
        never = distinguishable(m.speedup) and m.speedup.value < 1
        return Cell("never" if never else figures.MISSING, None, tone="muted")
    return missing()


def in_words(facts: Facts, m: Measured) -> str:
    """What the row's numbers mean: what it costs, what it saves, when that pays off."""
    item, baseline = m.speedup, m.effect.baseline
    if not baseline:
        return "the plain form that others are compared with"
    if item is None:
        return f"not compared: no launch was shared with {baseline}"
    half = half_width(item)
    if half is None:
        return f"{figures.change(item)} than {baseline} in a single launch"
    if not distinguishable(item):
        reach = figures.percent(half / item.value)
        return f"is not distinguishable from {baseline} (within ±{reach})"
    said = [f"{figures.change(item)} than {baseline}"]
    base = facts.get(baseline, m.configuration)
    said.append(_pays_off(m, base))
    return "; ".join(x for x in said if x)


def _pays_off(m: Measured, base: Measured | None) -> str:
    """`first step takes 5.3 s longer, saves 2.0 ms an update: pays off after 2,600 updates`."""
    if base is None or base.effect.latency_ns is None or m.speedup is None or not base.ok:
        return ""
    unit = {"train": "update", "infer": "answer"}.get(m.kind, "batch")
    if m.examples_per_unit != base.examples_per_unit:
        return ""  # a saving per update of another size would not be one
    saving_ns = base.effect.latency_ns * (1 - 1 / m.speedup.value)
    half = half_width(m.speedup) or 0.0
    reach_ns = base.effect.latency_ns * half / m.speedup.value**2
    own, other = m.effect.first_step_s, base.effect.first_step_s
    extra_s = own - other if own is not None and other is not None else 0.0
    if saving_ns < 0:
        text = f"costs {figures.duration(-saving_ns, reach_ns)} more an {unit}"
        if extra_s > NEGLIGIBLE_S:
            text += f" and its first step takes {figures.seconds(extra_s)} longer"
        return _article(text) + ": never pays off here"
    saves = _article(f"saves {figures.duration(saving_ns, reach_ns)} an {unit}")
    steps = m.effect.break_even_steps
    if extra_s <= NEGLIGIBLE_S or steps is None:
        return f"{saves}, from the start"
    return (
        f"its first step takes {figures.seconds(extra_s)} longer, {saves}: "
        f"pays off after {figures.whole(steps)} {unit}s"
    ).replace("batchs", "batches")


def _article(text: str) -> str:
    return text.replace("an batch", "a batch")
