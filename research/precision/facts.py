"""What the page says, derived once from the records; docs/precision.json holds it for programs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import Any

from bench.guard.comparison.timing import timed
from bench.guard.rule.decide import alpha
from research.absolute import reached
from research.precision.cases import EFFECTS, PLACES
from research.precision.counts import called, coverage, grouped, launch_spread, rms, spread
from research.precision.decisions import Block, blocks

SUITE = 50
"""Scenarios of a suite, for the arithmetic of its false alarms."""
SHARED_WORK = "LiteRT int8@cpu-1/quiet/busy-waiting"
"""The case whose work other tools have too."""
SDS = (
    ("LiteRT int8", "cpu-1", 0.002, 6.0, "decision"),
    ("tf.function inference", "cpu-1", 0.0025, 10.0, "candidate"),
    ("tf.function training", "cpu-1", 0.0025, 10.0, "candidate"),
    ("tf.function inference", "cpu-all", 0.007, 15.0, "candidate"),
    ("tf.function training", "cpu-all", 0.007, 15.0, "candidate"),
)
"""Kind, configuration, largest sd of an effect, machine time in s and of what."""
POWERS = ((0.02, "cpu-1", 0.99), (0.01, "cpu-1", 0.95), (0.05, "cpu-all", 0.99))
"""Injected share, configuration, least share that is found."""

Record = Mapping[str, Any]
Facts = dict[str, Any]


def derive(recorded: Mapping[str, Sequence[Record]], notes: Sequence[str]) -> Facts:
    """All facts of the page.

    Args:
        recorded: `sessions`, `ours` (launches), `rivals` and `absolute` (beside loadgen).
        notes: Sentences that a reader must know beside the figures.
    """
    done = blocks(recorded["ours"])
    return {
        "schema": 1,
        "made": _made(recorded, done),
        "notes": list(notes),
        "required": list(_required(done, recorded)),
        "cases": [
            _case([b for b in done if b.case == case])
            for case in dict.fromkeys(b.case for b in done)
        ],
        "tools": [*_own(done), *_others(recorded["rivals"])],
    }


def _made(recorded: Mapping[str, Sequence[Record]], done: Sequence[Block]) -> Facts:
    """How the figures came about."""
    used = {
        record["session"] for name in ("ours", "rivals", "absolute") for record in recorded[name]
    }
    sessions = [s for s in recorded["sessions"] if s["session"] in used]
    machines = {s["cpu"]: s["environment"] for s in sessions}
    return {
        "first": _day(min(used)), "last": _day(max(used)), "sessions": len(used),
        "machines": len(machines),
        "processors": sorted({f"{m['cores']} cores of {m['cpu']}" for m in machines.values()}),
        "launches": sum(len(block.launches) for block in done),
        "decisions_of_other_tools": len(recorded["rivals"]),
    }  # fmt: skip


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


# --- each case --------------------------------------------------------------------------------


def _case(alike: Sequence[Block]) -> Facts:
    """How exact an effect is in one case; sds are shares."""
    first = alike[0]
    pairs = [p for b in alike for p in b.pairs]
    return {
        "case": first.case, "kind": first.kind, "configuration": first.configuration,
        "noise": first.noise, "injected_by": first.injection,
        "machines": len({b.cpu for b in alike}), "blocks": len(alike),
        "candidate_s": round(median(b.candidate_s for b in alike), 2),
        "sd_of_a_launch": round(launch_spread(pairs), 6),
        "sd_of_an_effect": round(spread(pairs), 6),
    }  # fmt: skip


# --- required and reached ---------------------------------------------------------------------


def _required(done: Sequence[Block], recorded: Mapping[str, Sequence[Record]]) -> Iterator[Facts]:
    quiet = {place: [b for b in done if (b.noise, b.configuration) == ("quiet", place)]
             for place in PLACES}  # fmt: skip
    for kind, place, limit, seconds, of in SDS:
        mine = [b for b in quiet[place] if b.kind == kind]
        sds = sorted(_sds(mine, seconds, 2 if of == "decision" else 1))
        yield _row(f"sd, {kind}, {place}, {seconds:g} s a {of}", f"≤ {percent(limit)}",
                   _range(sds), bool(sds) and sds[-1] <= limit)  # fmt: skip
    for go_on, how in ((False, "six launches a stage"), (True, "as many as it takes")):
        alarms = called(done, 0.0, go_on)
        text = f"{alarms.hits} of {alarms.of} (≤ {percent(alarms.interval()[1], 1)})"
        yield _row(f"false alarms, {how}", "0 of 500", text if alarms.of else "",
                   alarms.hits == 0 and alarms.of >= 500)  # fmt: skip
    count = SUITE * len(timed("infer"))
    rate = count * alpha(count) ** 2
    what = f"chance of a false alarm in a suite of {SUITE}, computed"
    yield _row(what, "≤ 1 %", percent(rate), rate <= 0.0101)
    for effect, place, least in POWERS:
        first, whole = (called(quiet[place], effect, go_on) for go_on in (False, True))
        launches = f"{whole.launches / max(whole.of, 1):.0f} launches each"
        text = (f"{whole.hits} of {whole.of} ({_range(whole.interval(), 0)}), {launches}; with six "
                f"launches a stage {percent(first.share, 0)}")  # fmt: skip
        yield _row(f"{percent(effect, 0)} found, {place}", f"≥ {percent(least, 0)}",
                   text if whole.of else "", whole.share >= least)  # fmt: skip
    held = coverage(done)
    yield _row("95 % intervals that hold the truth", "93–97 %",
               percent(held.share, 1) if held.of else "", 0.93 <= held.share <= 0.97)  # fmt: skip
    beside = list(reached(recorded["absolute"]).values())
    off, added = (sorted(x[side] for x in beside) for side in (0, 1))
    yield _row("median latency beside MLPerf loadgen's", "± 1 %",
               f"{_range(off)} (its binding adds {_range(added)})" if beside else "",
               all(abs(x) <= 0.01 for x in off))  # fmt: skip
    yield from _idle(recorded["ours"])


def _row(what: str, required: str, reached: str, met: bool) -> Facts:
    """One line of the table; nothing reached: not measured."""
    return {"what": what, "required": required, "reached": reached or "not measured",
            "met": met if reached else None}  # fmt: skip


def _sds(mine: Sequence[Block], seconds: float, sides: int) -> Iterator[float]:
    """Of each way to inject an effect: the sd of as many launches as fit the time."""
    for injection in {b.injection for b in mine}:
        alike = [b for b in mine if b.injection == injection]
        launch_s = median(b.candidate_s / len(b.launches) for b in alike) * sides
        taken = grouped(alike, max(2, int(seconds / launch_s)))
        if taken:
            yield spread(p for b in taken for p in b.pairs)


def _idle(records: Iterable[Record]) -> Iterator[Facts]:
    """CPU time ÷ wall time, in cores, of who waits while a member takes its turn."""
    launches = [record["launch"] for record in records]
    parent = [x.get("probes", {}).get("parent_cpu_share") for x in launches]
    waiting = [x.get("waiting_cpu_share") for x in launches]
    for who, values in (("the parent", parent), ("a waiting member", waiting)):
        known = [x for x in values if x is not None]
        middle = median(known) if known else math.nan
        text = f"{percent(middle)} (median)" if known else ""
        yield _row(f"CPU use of {who} during turns", "< 1 %", text, middle < 0.01)


# --- beside other tools -----------------------------------------------------------------------


def _own(done: Sequence[Block]) -> Iterator[Facts]:
    """The guard on the work that other tools have too, at a margin of the effect's size."""
    same = [b for b in done if b.case == SHARED_WORK]
    for go_on, rule in ((False, "six launches a stage"), (True, "as many as it takes")):
        found = {effect: called(same, effect, go_on) for effect in (0.0, *EFFECTS)}
        if found[0.02].of:
            launch_s = 2 * median(b.candidate_s / len(b.launches) for b in same)
            yield {
                "tool": "tfbench guard", "rule": rule, "machines": len({b.cpu for b in same}),
                "seconds": round(launch_s * found[0.02].launches / found[0.02].of, 1),
                "sd": round(spread(p for b in same for p in b.pairs), 5),
                "called": {f"{e:g}": [c.hits, c.of] for e, c in found.items()},
            }  # fmt: skip


def _others(records: Iterable[Record]) -> Iterator[Facts]:
    """Each tool's own rule; an estimate's error is its distance from the mean of its machine and
    effect, for what a slow-down does to the next answer is not held against it."""
    rows: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        for rule in record["flags"]:
            rows.setdefault((record["rival"], rule), []).append(record)
    for (tool, rule), own in rows.items():
        cells: dict[tuple[str, float], list[float]] = {}
        for r in own:
            cells.setdefault((r["cpu"], r["effect"]), []).append(r["ln"])
        flags = {e: [r["flags"][rule] for r in own if r["effect"] == e] for e in (0.0, *EFFECTS)}
        yield {
            "tool": tool, "rule": rule, "machines": len({r["cpu"] for r in own}),
            "seconds": round(median(r["wall_s"] for r in own), 1),
            "sd": round(rms([x - fmean(cell) for cell in cells.values() for x in cell]), 5),
            "called": {f"{e:g}": [sum(f), len(f)] for e, f in flags.items()},
        }  # fmt: skip


# --- words ------------------------------------------------------------------------------------


def percent(value: float, digits: int = 2) -> str:
    """A share in %."""
    return f"{100 * value:.{digits}f} %"


def _range(values: Sequence[float], digits: int = 2) -> str:
    """`0.18–0.26 %`, from the first to the last; "" of none."""
    ends = dict.fromkeys(f"{100 * x:.{digits}f}" for x in (*values[:1], *values[-1:]))
    return "–".join(ends).replace("–-", " to -") + " %" if ends else ""
