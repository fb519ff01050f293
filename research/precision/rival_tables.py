"""How other tools decided on the same work, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from research.precision.cases import EFFECTS, Noise
from research.precision.counts import alarm_counts, power, rms, spread
from research.precision.decisions import Block
from research.precision.rivals import noise_of
from research.precision.tables import Row, markdown, percent, robust, share

RIVALRY = "LiteRT int8", "cpu-1"
"""Kind and configuration of the work that rivals have."""


def decision_table(
    all_records: Sequence[Mapping[str, Any]], all_blocks: Sequence[Block], noise: Noise = "quiet"
) -> str:
    """How often each tool's rule calls each effect; 0 % is its rate of false alarms.

    Args:
        all_records: Rivals' decisions. An estimate's error is its distance from the mean of the
            tool's estimates of that effect: what a spin does to the next answer is not held
            against it.
        all_blocks: Those of the same work on the same machines stand first.
        noise: Of both, those made under this load.

    Returns:
        A Markdown table; "" where no rival decided under this load.
    """
    records = under(all_records, noise)
    if not records:
        return ""
    rows: dict[tuple[str, str, str], dict[float, list[bool]]] = {}
    seconds: dict[tuple[str, str], list[float]] = {}
    estimates: dict[tuple[str, str], dict[float, list[float]]] = {}
    for record in records:
        tool, effect = (record["rival"], record["cpu"]), record["effect"]
        seconds.setdefault(tool, []).append(record["wall_s"])
        estimates.setdefault(tool, {}).setdefault(effect, []).append(record["ln"])
        for rule, flag in record["flags"].items():
            rows.setdefault((*tool, rule), {}).setdefault(effect, []).append(flag)
    same = [b for b in all_blocks if (b.kind, b.configuration, b.noise) == (*RIVALRY, noise)]
    lines = [*_own_rows(same, sorted({record["cpu"] for record in records}))]
    for (name, cpu, rule), cells in rows.items():
        counts = [
            share(sum(flags), len(flags), len(flags)) if (flags := cells.get(e, [])) else "–"
            for e in (0.0, *EFFECTS)
        ]
        errors = [x - fmean(own) for own in estimates[name, cpu].values() for x in own]
        lines.append([name, cpu, rule, f"{median(seconds[name, cpu]):.1f} s", percent(rms(errors)),
                      percent(robust(errors)), *counts])  # fmt: skip
    head = ["tool", "machine", "rule", "machine time a decision", "sd of an effect", "robust sd",
            "A/A called slower", *(f"{e:.0%} called" for e in EFFECTS)]  # fmt: skip
    return markdown(head, lines)


def under(records: Sequence[Mapping[str, Any]], noise: Noise) -> list[Mapping[str, Any]]:
    """Rivals' decisions under a load."""
    return [r for r in records if noise_of(r) == noise]


def _own_rows(same: Sequence[Block], cpus: Sequence[str]) -> Iterator[Row]:
    """How the guard's rule decides on the work that rivals have, by machine."""
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
