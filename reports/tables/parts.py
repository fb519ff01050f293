"""Columns and cells that several tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bench.results.values import Estimate
from reports.facts import figures
from reports.facts.estimates import distinguishable, half_width
from reports.facts.measured import PLAIN, Measured
from reports.tables.cells import Cell, Field, Table, Tone, label, missing, table_of

PLAIN_WORD = {"train": "loop", "input": "pipeline"}


def measured_table(
    name: str,
    title: str,
    fields: Sequence[Field[Measured]],
    rows: Iterable[Measured],
    notes: Sequence[str] = (),
    words: Sequence[tuple[Cell, str]] = (),
) -> Table:
    """A table whose rows open to the details of their scenario and configuration."""
    return table_of(name, title, fields, rows, notes, words, opens)


def opens(m: Measured) -> tuple[str, str, str]:
    """What the details of a row are found by."""
    return m.scenario, m.configuration, m.effect.status


def scenario_cell(m: Measured) -> Cell:
    """Its id."""
    return label(m.scenario)


def path_fields(kind: str, time: str, hint: str) -> tuple[Field[Measured], ...]:
    """Of every path: what and how fast, with its own effect and its speed over the plain path."""
    plain = f"over the plain {PLAIN_WORD.get(kind, 'model')}"
    return (
        Field("scenario", scenario_cell),
        Field("status", status_cell),
        Field(time, latency_cell, True, hint),
        Field("examples/s", throughput_cell, True),
        Field("against", baseline_cell, False, "its baseline"),
        Field(
            "speed-up", speedup_cell, True, "its own effect: against its baseline, 95 % interval"
        ),
        Field(plain, plain_cell, True, "through the chain of baselines, 95 % interval"),
    )


MEMORY = Field[Measured](
    "peak memory",
    lambda m: number(m.effect.peak_memory_bytes, figures.size),
    True,
    "of the process, in a pass of its own",
)
FIRST_HINTS = {"train": "trace, compile and run", "infer": "load, trace, compile and run"}


def first_field(name: str, kind: str) -> Field[Measured]:
    """The first step or answer."""
    return Field(
        name,
        lambda m: number(m.effect.first_step_s, figures.seconds),
        True,
        FIRST_HINTS[kind],
    )


def quality_fields(rows: Sequence[Measured]) -> tuple[Field[Measured], ...]:
    """Of the paths' quality: its change from the plain path's, and from the baseline's too where
    some row's baseline is another path."""
    name = metric(rows)
    interval = "paired on the same test examples, 95 % interval"
    fields = (
        Field[Measured](name, lambda m: quality_cell(m, name), True),
        Field[Measured](
            f"{name} against the plain model",
            lambda m: change_cell(m, m.quality_change),
            True,
            interval,
        ),
        Field[Measured](
            f"{name} against its baseline", lambda m: change_cell(m, m.step_change), True, interval
        ),
    )
    chained = any(m.effect.baseline not in ("", m.root) for m in rows)
    shown = fields if chained else fields[:2]
    if not any(m.worst_class for m in rows):
        return shown
    hint = "of its own test examples, against the plain model"
    return (*shown, Field("class that loses most", worst_class_cell, True, hint))


def worst_class_cell(m: Measured) -> Cell:
    """The class that loses most: a mean hides it."""
    if m.worst_class is None:
        return missing()
    name, change = m.worst_class
    return Cell(f"{name}: {figures.signed(100 * change, 1)} pp", change)


def agreement_cell(m: Measured) -> Cell:
    """How far its answers are the plain model's: share of equal classes, else signal to noise."""
    if m.effect.agreement is not None:
        return Cell(figures.percent(m.effect.agreement), m.effect.agreement)
    found = m.probe.agreement if m.probe else {}
    noise = [value for name, value in found.items() if name.rpartition("/")[2] == "snr_db"]
    return number(min(noise, default=None), lambda v: f"{figures.significant(v, 2)} dB")


def quality_cell(m: Measured, name: str = "") -> Cell:
    """Its quality, with the metric's name where that is not the column's."""
    if m.quality is None:
        return missing()
    text = figures.quality(m.quality)
    text = text if not name or m.quality.metric == name else f"{m.quality.metric} {text}"
    return Cell(text, m.quality.value)


def metric(rows: Sequence[Measured]) -> str:
    """What the rows' quality is measured by; `quality` where that differs."""
    names = {m.quality.metric for m in rows if m.quality}
    return names.pop() if len(names) == 1 else "quality" if names else "accuracy"


def batch_notes(rows: Sequence[Measured]) -> tuple[str, ...]:
    """What the plain path is where it is not the usual one."""
    others = [m for m in rows if m.kind in PLAIN and m.root != PLAIN[m.kind] and m.effect.baseline]
    if not others:
        return ()
    pairs = dict.fromkeys((m.scenario, m.root) for m in others)
    named = ", ".join(f"{scenario} with {root}" for scenario, root in pairs)
    return (f"Compared with a plain path of their own, at the same batch: {named}.",)


def change_cell(m: Measured, change: Estimate | None) -> Cell:
    """A change of quality, paired, with its interval."""
    if m.quality is None or change is None:
        return missing("no quality to compare")
    note, between = f"{change.launches} test examples", figures.changed_between(m.quality, change)
    return Cell(figures.changed_by(m.quality, change), change.value, note, sub=between)


def status_cell(m: Measured) -> Cell:
    """ok, or what went wrong; with its warnings counted."""
    if not m.ok:
        return Cell(m.effect.status, tone="bad", note=m.effect.reason)
    own = m.effect.warnings
    if own:
        return Cell("ok, see warnings", tone="warn", note="; ".join(own))
    return Cell("ok", tone="good")


def baseline_cell(m: Measured) -> Cell:
    """What it is compared with."""
    return label(m.effect.baseline) if m.effect.baseline else missing("it is a baseline")


def latency_cell(m: Measured) -> Cell:
    """Time of one update or answer."""
    value = m.effect.latency_ns
    text = figures.duration(value, half_width(m.latency))
    return Cell(text, value) if value is not None else missing()


def throughput_cell(m: Measured) -> Cell:
    """Examples a second, with the digits that the latency has."""
    value = m.effect.throughput_per_s
    if value is None or m.latency is None:
        return missing()
    half = half_width(m.latency)
    if half is None:
        return Cell(figures.significant(value, 2), value)
    decimals = figures.decimals_for(value * half / m.latency.value)
    digits = min(decimals, 2 - len(str(int(value))) + 1)
    return Cell(figures.rounded(value, digits), value)


def speedup_cell(m: Measured) -> Cell:
    """What the technique itself does: against its baseline."""
    item = m.speedup
    if item is None:
        return missing("no launch shared with its baseline" if m.effect.baseline else "")
    return factor_cell(item, f"{item.launches} launches")


def plain_cell(m: Measured) -> Cell:
    """Against the plain path at the end of its chain of baselines."""
    item = m.against_root
    return missing() if item is None else factor_cell(item, f"over {m.root}")


def factor_cell(item: Estimate, note: str) -> Cell:
    """A speed-up with its interval, green or red where it is distinguishable from 1."""
    tone: Tone = ""
    if distinguishable(item):
        tone = "good" if item.value > 1 else "bad"
    return Cell(figures.factor(item), item.value, note, tone, sub=figures.interval(item))


def number(value: float | None, form: Callable[[float], str]) -> Cell:
    """A cell that sorts by the value, missing where there is none."""
    return missing() if value is None else Cell(form(value), float(value))
