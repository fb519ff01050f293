"""What is required of tfbench's precision, and what the recorded launches reach."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from bench.guard.comparison.timing import TIMED
from bench.guard.rule.decide import LOOKS, alpha
from research.precision import counts, tables
from research.precision.decisions import Block, chains, regrouped

HEAD = ("what", "required", "reached", "met")
SUITE = 50
"""Scenarios of a suite, for the arithmetic of its false alarms."""


def rows(
    done: Sequence[Block], ours: Sequence[dict[str, Any]], absolute: Sequence[dict[str, Any]]
) -> Iterator[list[str]]:
    """What, required, reached, whether it is met.

    Args:
        done: Whole blocks.
        ours: Records of launches, for what CPU time the waiting took.
        absolute: Records of alternations with loadgen.
    """
    quiet = [b for b in done if b.noise == "quiet"]
    one, every = ([b for b in quiet if b.configuration == c] for c in ("cpu-1", "cpu-all"))
    yield from _sds(one, "cpu-1", "LiteRT int8", 0.002, 6, "decision", sides=2)
    graph = ("tf.function inference", "tf.function training")
    for kind in graph:
        yield from _sds(one, "cpu-1", kind, 0.0025, 10, "candidate")
    for kind in graph:
        yield from _sds(every, "cpu-all", kind, 0.007, 15, "candidate")
    _, alarms, total, effective = counts.alarm_counts(done)
    enough = _met(alarms == 0 and total >= 500, total)
    yield [f"A/A false alarms at the guard's default rule, {LOOKS[0]} launches a stage",
           "0 of 500", tables.share(alarms, total, effective), enough]  # fmt: skip
    alarms, total, effective, _ = counts.guarded_counts(done, 0.0, default=True)
    enough = _met(alarms == 0 and total >= 500, total)
    yield ["A/A false alarms at the guard's default rule, going on as it does", "0 of 500",
           tables.share(alarms, total, effective), enough]  # fmt: skip
    count = SUITE * len(TIMED)
    rate = count * alpha(count) ** 2
    yield [f"false alarms of a suite of {SUITE}, by the rule's own arithmetic", "≤ 1 %",
           f"{rate:.1%}: {count} comparisons (latency and first step) × α², under any dependence",
           _met(rate <= 0.0101, 1)]  # fmt: skip
    for effect, part, label, least in (
        (0.02, one, "cpu-1", 0.99), (0.01, one, "cpu-1", 0.95), (0.05, every, "cpu-all", 0.99),
    ):  # fmt: skip
        for count in (1, tables.TWICE):
            hits, trials, number = counts.power(part, effect, count=count)
            reached = hits / trials if trials else 0.0
            what = f"power at {effect:.0%}, {label}, {count * LOOKS[0]} launches a stage"
            yield [what, f"≥ {least:.0%}", tables.share(hits, trials, number),
                   _met(reached >= least, trials)]  # fmt: skip
        hits, trials, number, launches = counts.guarded_counts(part, effect)
        spent = f", {launches:.0f} launches" if trials else ""
        yield [f"power at {effect:.0%}, {label}, going on as the guard does", f"≥ {least:.0%}",
               tables.share(hits, trials, number) + spent,
               _met(bool(trials) and hits >= least * trials, trials)]  # fmt: skip
    hits, trials, number = counts.coverage(done)
    covered = hits / trials if trials else 0.0
    yield ["coverage of the 95 % interval", "93 to 97 %",
           f"{covered:.1%}: {tables.share(hits, trials, number)}",
           _met(0.93 <= covered <= 0.97, trials)]  # fmt: skip
    for (name, cpu), (ratio, inside, added, pairs, _) in tables.absolute_rows(absolute).items():
        yield [f"median latency of {name} against loadgen's p50, {cpu}", "within 1 %",
               f"{100 * ratio:+.2f} % (loadgen adds {100 * added:.2f} % to a step; within its "
               f"queries {100 * inside:+.2f} %)",
               _met(abs(ratio) <= 0.01, pairs)]  # fmt: skip
    idle = tables.idle_shares(ours)
    for who, name in (("parent", "the parent's"), ("waiting", "a waiting member's")):
        values = sorted(idle[who])
        if values:
            high = values[math.ceil(0.95 * len(values)) - 1]
            yield [f"{name} CPU use while turns run", "< 1 % of a core",
                   f"median {median(values):.2%}, 95 % of launches below {high:.2%}",
                   _met(median(values) < 0.01, len(values))]  # fmt: skip


def _sds(
    part: Sequence[Block],
    where: str,
    kind: str,
    limit: float,
    seconds: float,
    of: str,
    sides: int = 1,
) -> Iterator[list[str]]:
    """A row for each way to inject: a decision has as many launches as fit the time."""
    mine = [b for b in part if b.kind == kind]
    what, least = f"{where}, {kind}, {seconds} s a {of}", f"≤ {100 * limit:.2f} %"
    if not mine:
        yield [f"sd of an effect, {what}", least, "not run", "–"]
    for injection in sorted({b.injection for b in mine}):
        alike = [b for b in mine if b.injection == injection]
        launch_s = median(b.wall_s / b.members / len(b.launches) for b in alike) * sides
        count = max(2, int(seconds / launch_s))
        taken = [b for chain in chains(alike) for b in regrouped(chain, count)]
        sd = counts.spread(p for b in taken for p in b.pairs) if taken else math.nan
        text = (
            f"{tables.percent(sd)} at {count * launch_s:.1f} s ({len(taken)} times "
            f"{count} launches{_apart(counts.session_spreads(alike, count))})"
        )
        in_time = round(count * launch_s, 1) <= seconds
        met = _met(sd <= limit and in_time, len(taken))
        yield [f"sd of an effect by {injection}, {what}", least, text, met]


def _apart(sds: Sequence[float]) -> str:
    """How far sessions lie apart, where there are several."""
    if len(sds) < 2:
        return ""
    return f"; by session {tables.percent(sds[0])} to {tables.percent(sds[-1])}"


def _met(good: bool, count: int) -> str:
    return "not run" if not count else "yes" if good else "**no**"
