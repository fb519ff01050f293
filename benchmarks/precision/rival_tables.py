"""How other tools decided on the same work, as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.precision.cases import EFFECTS
from benchmarks.precision.counts import alarm_counts, power, rms, spread
from benchmarks.precision.decisions import Block
from benchmarks.precision.tables import Row, markdown, percent, robust, share

RIVALRY = "LiteRT int8", "cpu-1", "quiet"
"""Kind, configuration and load of the work that rivals have."""


def decision_table(records: Sequence[Mapping[str, Any]], all_blocks: Sequence[Block]) -> str:
    """How often each tool's rule calls each effect; 0 % is its rate of false alarms.

    Args:
        records: Rivals' decisions. An estimate's error is its distance from what the spins really
            made on that machine.
        all_blocks: Those of the same work on the same machines stand first.
    """
    truths = injected(records)
    rows: dict[tuple[str, str, str], dict[float, list[bool]]] = {}
    seconds: dict[tuple[str, str], list[float]] = {}
    errors: dict[tuple[str, str], list[float]] = {}
    for record in records:
        tool, effect = (record["rival"], record["cpu"]), record["effect"]
        seconds.setdefault(tool, []).append(record["wall_s"])
        errors.setdefault(tool, []).append(record["ln"] - truths[tool[1], effect])
        for rule, flag in record["flags"].items():
            rows.setdefault((*tool, rule), {}).setdefault(effect, []).append(flag)
    lines = [*_own_rows(all_blocks, sorted({record["cpu"] for record in records}))]
    for (name, cpu, rule), cells in rows.items():
        counts = [
            share(sum(flags), len(flags), len(flags)) if (flags := cells.get(e, [])) else "–"
            for e in (0.0, *EFFECTS)
        ]
        found = errors[name, cpu]
        lines.append([name, cpu, rule, f"{median(seconds[name, cpu]):.1f} s", percent(rms(found)),
                      percent(robust(found)), *counts])  # fmt: skip
    head = ["tool", "machine", "rule", "machine time a decision", "sd of an effect", "robust sd",
            "A/A called slower", *(f"{e:.0%} called" for e in EFFECTS)]  # fmt: skip
    return markdown(head, lines)


def _own_rows(all_blocks: Sequence[Block], cpus: Sequence[str]) -> Iterator[Row]:
    """How the guard's rule decides on the work that rivals have, by machine."""
    same = [b for b in all_blocks if (b.kind, b.configuration, b.noise) == RIVALRY]
    for cpu in cpus:
        part = [b for b in same if b.cpu == cpu and b.injection != "work"]
        if not part:
            continue
        pairs = [p for b in part for p in b.pairs]
        decision_s = 2 * 2 * median(b.wall_s / b.members for b in part)
        _, alarms, total, effective = alarm_counts(part)
        called = [share(*power(part, effect, default=True)) for effect in EFFECTS]
        yield ["tfbench", cpu, "guard, default margin", f"{decision_s:.1f} s",
               percent(spread(pairs)), percent(robust([p.error for p in pairs])),
               share(alarms, total, effective), *called]  # fmt: skip


def injected(records: Iterable[Mapping[str, Any]]) -> dict[tuple[str, float], float]:
    """By machine and effect: the log ratio that rivals' spins really made.

    It is the median of all rounds' measurements; what was meant where none was made.
    """
    measured: dict[tuple[str, float], list[float]] = {}
    for record in records:
        meant = math.log1p(record["effect"])
        key = record["cpu"], record["effect"]
        measured.setdefault(key, []).append(record.get("injected", meant))
    return {key: median(values) for key, values in measured.items()}


def injected_table(records: Sequence[Mapping[str, Any]]) -> str:
    """What rivals' spins really made, "" where it was not measured."""
    found = injected([r for r in records if "injected" in r])
    cpus = dict.fromkeys(cpu for cpu, _ in found)
    rows = [
        [cpu, *(percent(math.expm1(found[cpu, e])) if (cpu, e) in found else "–" for e in EFFECTS)]
        for cpu in cpus
    ]
    return markdown(["machine", *(f"{e:.0%}" for e in EFFECTS)], rows) if rows else ""
