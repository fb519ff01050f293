"""The report's tables: each function returns Markdown from recorded results."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from bench.guard.rule.decide import LOOKS
from bench.results.levels import levels
from research.precision.cases import EFFECTS
from research.precision.counts import alarm_counts, guarded_counts, power, proportion, rms, spread
from research.precision.decisions import (
    Block,
    PerLaunch,
    blocks,
    by_case,
    joined,
)
from research.precision.estimators import ESTIMATORS, LEVELS, Estimator, table

Row = Sequence[str]
CHOSEN = "levels of the whole group (chosen)"
MERGES = (1, 2, 4, 8)
TWICE = 2
"""Blocks of a stage that goes on after its first look."""


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(hits: int, trials: int, effective: float) -> str:
    """`3 of 40 (2 to 20 %; 24.0 effective)`."""
    if not trials:
        return "–"
    low, high = proportion(hits, trials, effective)
    count = f"{hits} of {trials}"
    return f"{count} ({100 * low:.1f} to {100 * high:.1f} %; {effective:.0f} effective)"


def percent(value: float) -> str:
    """A share in %, two digits after the point; a dash for one of nothing."""
    return "–" if math.isnan(value) else f"{100 * value:.2f} %"


def robust(values: Sequence[float]) -> float:
    """Standard deviation from the median of the absolute values: halves of few turns go astray."""
    return 1.4826 * float(np.median(np.abs(values))) if values else math.nan


def spread_table(all_blocks: Sequence[Block]) -> str:
    """How exact an effect is, by case."""
    rows = []
    for (kind, configuration, noise, injection), chain in by_case(all_blocks).items():
        pairs = [p for b in chain for p in b.pairs]
        launches = [v - p.truth for p in pairs for v in p.values]
        candidate_s = median(b.wall_s / b.members for b in chain)
        bias = [p.error for p in pairs if p.effect]
        hits = sum(p.estimate.low <= p.truth <= p.estimate.high for p in pairs)
        rows.append([
            kind, configuration, noise, injection, str(len(chain)), f"{candidate_s:.1f} s",
            percent(rms(launches)), percent(robust([x for b in chain for x in b.within()])),
            percent(spread(pairs)),
            f"{100 * float(np.mean(bias)):+.2f} %" if bias else "–",
            f"{100 * hits / len(pairs):.0f} %",
        ])  # fmt: skip
    head = ["scenario", "configuration", "load", "injected by", "blocks",
            "machine time a candidate", "sd of a launch", "of it by its turns", "sd of an effect",
            "bias of injected", "95 % intervals that hold the truth"]  # fmt: skip
    return markdown(head, rows)


def session_table(all_blocks: Sequence[Block]) -> str:
    """How exact an effect is by session, of cases of several; "" where there are none."""
    rows = []
    for (kind, configuration, noise, injection), chain in by_case(all_blocks).items():
        sessions = sorted({b.session for b in chain})
        for session in sessions if len(sessions) > 1 else ():
            part = [b for b in chain if b.session == session]
            sds = [percent(spread(p for b in joined(part, count) for p in b.pairs))
                   if len(part) >= count else "–" for count in (1, TWICE)]  # fmt: skip
            begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(session))
            cpu = part[0].cpu
            launches = [v - p.truth for b in part for p in b.pairs for v in p.values]
            rows.append([
                kind, configuration, noise, injection, begun, cpu, str(len(part)),
                f"{median(b.wall_s / b.members for b in part):.1f} s",
                percent(rms(launches)), *sds,
            ])  # fmt: skip
    head = ["scenario", "configuration", "load", "injected by", "session", "machine", "blocks",
            "machine time a candidate", "sd of a launch", f"sd of {LOOKS[0]} launches",
            f"of {TWICE * LOOKS[0]}"]  # fmt: skip
    return markdown(head, rows) if rows else ""


def alarm_table(all_blocks: Sequence[Block]) -> str:
    """False alarms by configuration and load, both signs, at the default and a sharp margin."""
    rows = []
    groups = sorted({(b.configuration, b.noise) for b in all_blocks})
    for configuration, noise in groups:
        part = [b for b in all_blocks if (b.configuration, b.noise) == (configuration, noise)]
        for label, sharp in (("default", None), ("1 %", 0.01)):
            flagged, confirmed, total, effective = alarm_counts(part, sharp)
            rows.append([configuration, noise, label, share(flagged, total, effective),
                         share(confirmed, total, effective)])  # fmt: skip
    flagged, confirmed, total, effective = alarm_counts(all_blocks)
    rows.append(["all", "all", "default", share(flagged, total, effective),
                 share(confirmed, total, effective)])  # fmt: skip
    return markdown(["configuration", "load", "margin", "flagged by the screen",
                     "confirmed: an alarm"], rows)  # fmt: skip


def power_table(all_blocks: Sequence[Block]) -> str:
    """How often an injected effect is called, by effect, configuration, load and injection."""
    rows = []
    groups = sorted({(b.configuration, b.noise, b.injection) for b in all_blocks})
    for effect in EFFECTS:
        for configuration, noise, injection in groups:
            group = configuration, noise, injection
            part = [b for b in all_blocks if b.case[1:] == group]
            counts = power(part, effect)
            if counts[1]:
                hits, trials, number, launches = guarded_counts(part, effect)
                rows.append([f"{effect:.0%}", configuration, noise, injection, share(*counts),
                             share(*power(part, effect, count=TWICE)),
                             share(hits, trials, number), f"{launches:.0f}" if trials else "–",
                             share(*power(part, effect, default=True, count=TWICE))])  # fmt: skip
    head = ["effect", "configuration", "load", "injected by",
            *(f"called at a margin of that size, {n * LOOKS[0]} launches a stage"
              for n in (1, TWICE)),
            "called at a margin of that size, going on as the guard does",
            "launches of such a decision",
            f"called at the default margin, {TWICE * LOOKS[0]} launches a stage"]  # fmt: skip
    return markdown(head, rows)


def matrix_table(all_blocks: Sequence[Block]) -> str:
    """What was decided on, by case: how often each injected effect is called, and A/A pairs are."""
    rows = []
    for case, chain in by_case(all_blocks).items():
        _, alarms, total, _ = alarm_counts(chain)
        counts = [(alarms, total), *(power(chain, effect)[:2] for effect in EFFECTS)]
        rows.append([*case, *(f"{hits} of {trials}" if trials else "–" for hits, trials in counts)])
    head = ["scenario", "configuration", "load", "injected by", "A/A: an alarm",
            *(f"{effect:.0%} called" for effect in EFFECTS)]  # fmt: skip
    return markdown(head, rows)


def estimator_spreads(
    records: Sequence[dict[str, Any]],
) -> dict[str, dict[tuple[str, str, str], float]]:
    """By estimator and (scenario, configuration, load): sd of one launch's effect, a share."""
    groups = {CHOSEN: levels, **LEVELS}
    found = {name: _launch_spreads(blocks(records, way=way)) for name, way in groups.items()}
    return found | {
        name: _launch_spreads(blocks(records, _per_launch(estimator)))
        for name, estimator in ESTIMATORS.items()
    }


def _launch_spreads(found: Iterable[Block]) -> dict[tuple[str, str, str], float]:
    errors: dict[tuple[str, str, str], list[float]] = {}
    for block in found:
        place = errors.setdefault((block.kind, block.configuration, block.noise), [])
        place += [v - p.truth for p in block.pairs for v in p.values]
    return {key: rms(values) for key, values in errors.items()}


def estimator_table(spreads: Mapping[str, Mapping[tuple[str, str, str], float]]) -> str:
    """Sd of one launch's effect by estimator; the best of each row is bold."""
    names = list(spreads)
    rows = []
    for key in spreads[names[0]] if names else []:
        values = [spreads[name][key] for name in names]
        cells = [percent(v) if v > min(values) else f"**{percent(v)}**" for v in values]
        rows.append([*key, *cells])
    return markdown(["scenario", "configuration", "load", *names], rows)


def turn_length_table(records: Sequence[dict[str, Any]]) -> str:
    """Sd of one launch's effect when each turn is as recorded, or several are taken as one."""
    estimator = next(iter(ESTIMATORS.values()))
    columns = [_launch_spreads(blocks(records, _per_launch(estimator, merge))) for merge in MERGES]
    rows = [[*key, *(percent(c[key]) for c in columns)] for key in columns[0]]
    return markdown(["scenario", "configuration", "load", "turns as recorded",
                     *(f"{m} taken as one" for m in MERGES[1:])], rows)  # fmt: skip


def _per_launch(estimator: Estimator, merge: int = 1) -> PerLaunch:
    def value(base: Any, candidate: Any, members: int) -> float | None:
        sides = table(base, candidate, members, merge)
        return estimator(*sides) if len(sides[0]) else None

    return value


def absolute_rows(
    records: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], tuple[float, float, float, int, int]]:
    """By scenario and machine: median of tfbench's ÷ loadgen's p50 - 1, and ÷ the same clock within
    loadgen's queries - 1; what loadgen adds to these, a share; pairs; processes."""
    pairs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        pairs.setdefault((record["scenario"], record["cpu"]), []).append(record)
    return {
        place: (
            median(r["median_ns"] / r["loadgen_ns"] for r in found) - 1,
            median(r["median_ns"] / r["inside_ns"] for r in found) - 1,
            median(r["loadgen_ns"] / r["inside_ns"] for r in found) - 1,
            len(found),
            len({(r["session"], r["round"]) for r in found}),
        )
        for place, found in pairs.items()
    }


def absolute_table(records: Iterable[Mapping[str, Any]]) -> str:
    """Tfbench's median against loadgen's p50."""
    rows = [
        [
            *place,
            f"{100 * ratio:+.2f} %",
            percent(added),
            f"{100 * inside:+.2f} %",
            str(pairs),
            str(processes),
        ]
        for place, (ratio, inside, added, pairs, processes) in absolute_rows(records).items()
    ]
    head = ["scenario", "machine", "tfbench's median ÷ loadgen's p50 - 1",
            "loadgen adds to a step", "÷ the same clock within loadgen's queries - 1",
            "alternations", "processes"]  # fmt: skip
    return markdown(head, rows)


def idle_shares(records: Iterable[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Of launches: the parent's and the waiting members' CPU time ÷ wall time, in cores."""
    found: dict[str, list[float]] = {"parent": [], "waiting": []}
    for record in records:
        launch = record["launch"]
        parent = launch.get("probes", {}).get("parent_cpu_share")
        if parent is not None:
            found["parent"].append(parent)
        if launch.get("waiting_cpu_share") is not None:
            found["waiting"].append(launch["waiting_cpu_share"])
    return found
