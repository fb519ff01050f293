"""How far unchanged code's stage means scatter beyond what their launches explain.

Whatever all launches of a side share in one stage (memory layout, a preloaded process, what was
built just before) shifts the stage's mean as a whole, so that more launches do not average it away.
The guard's allowance is for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from scipy import stats

from bench.guard.comparison.timing import log_ratio
from bench.guard.loop import journal
from bench.guard.rule.decide import ALPHA
from bench.guard.rule.evidence import Evidence
from bench.results.store import read_run

Mean = tuple[float, float, int]
"""ln(head ÷ base) of latency in a screen, its standard error, and degrees of freedom."""


@dataclass(frozen=True)
class Spread:
    """Of stage means about zero, which unchanged code has."""

    count: int
    ratio: float
    """Mean square of the means ÷ that which launches explain; 1: nothing is shared."""
    p_value: float
    """Of a ratio as large where nothing is shared."""
    shared: float
    """Standard deviation of what all launches of a side share."""
    most: float
    """Its upper 95 % bound."""

    @property
    def allowance(self) -> float:
        """Share that what is shared exceeds as rarely as one stage may call a false alarm."""
        return math.expm1(float(stats.norm.isf(ALPHA)) * self.shared)


def screens(folder: Path) -> dict[str, Mean]:
    """The screens' means of latency, by subject, from the folder that a guard wrote."""
    return means(journal.read(read_run(folder)))


def means(answers: Iterable[journal.Answer]) -> dict[str, Mean]:
    """The screens' means of latency, by subject, from what a guard's launcher answered."""
    found: dict[str, list[tuple[float, int]]] = {}
    for answer in answers:
        stage, _, subject = answer.what.partition(" ")
        if stage == "screen":
            base, head = answer.launches
            good = base.outcome == head.outcome == "ok" and head.turns
            value = log_ratio("latency", base, head) if good else None
            if value is not None:
                order = int(head.start_order < base.start_order)
                found.setdefault(subject.rsplit("@", 1)[0], []).append((value, order))
    known = {}
    for id, launches in found.items():
        evidence = Evidence.of([value for value, _ in launches], [order for _, order in launches])
        if evidence is not None and evidence.freedom > 0:
            known[id] = (round(evidence.theta, 6), round(evidence.error, 6), evidence.freedom)
    return known


def spread(means: Sequence[Mean]) -> Spread | None:
    """Of at least two stage means of unchanged code, each of a suite of its own; else None.

    Errors are pooled: one mean's own is known from few launches, so that the square of mean ÷ error
    is no χ².
    """
    count = len(means)
    if count < 2:
        return None
    squares = count * fmean(mean**2 for mean, _, _ in means)
    explained = fmean(error**2 for _, error, _ in means)
    freedom = sum(each for _, _, each in means)
    ratio = squares / count / explained

    def beyond(square: float) -> float:
        return math.sqrt(max(0.0, square - explained))

    most = squares / float(stats.chi2.ppf(0.05, count))
    p_value = float(stats.f.sf(ratio, count, freedom))
    return Spread(count, ratio, p_value, beyond(squares / count), beyond(most))


def rows(kinds: Mapping[str, Iterable[Mean]]) -> list[str]:
    """A Markdown table, a row a kind of path."""
    lines = [
        "| kind | stage means | ratio | p | shared | at most | allowance |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind, means in kinds.items():
        found = spread(list(means))
        if found is not None:
            lines.append(
                f"| {kind} | {found.count} | {found.ratio:.2f} | {found.p_value:.3f} "
                f"| {found.shared:.2%} | {found.most:.2%} | {found.allowance:.2%} |"
            )
    return lines
