"""How often decisions were right, and how far estimates were off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.guard.rule.decide import Limit
from bench.guard.rule.limits import ALLOWANCE
from bench.results.statistics import clopper_pearson
from research.precision.decisions import Block, Pair, chains, decisions, default_limit, regrouped


@dataclass(frozen=True)
class Count:
    """How many decisions said something."""

    hits: int = 0
    of: int = 0
    independent: float = 0.0
    """Decisions that share no noise: m alike members have m - 1, a slowed one counts once."""
    launches: int = 0
    """Launches of all decisions."""

    @property
    def share(self) -> float:
        """Hits ÷ decisions; NaN of none."""
        return self.hits / self.of if self.of else math.nan

    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's 95 % interval of the share, at the independent decisions."""
        trials = min(self.independent, self.of)
        return clopper_pearson(self.share * trials, trials)


def called(all_blocks: Iterable[Block], effect: float, go_on: bool = False) -> Count:
    """How often the guard's rule calls pairs of one effect.

    Args:
        all_blocks: Of any cases.
        effect: The injected share, which must be called slower at a margin of its size; of 0,
            judged at the guard's default margin, each call is a false alarm.
        go_on: Stages go on until their evidence is sharp enough, instead of having six launches.
    """
    hits = total = launches = 0
    independent = 0.0
    for chain in chains(all_blocks):
        limit = Limit.of(effect, min(ALLOWANCE, effect / 4))
        limit = limit if effect else default_limit(chain[0].configuration)
        found = decisions(chain, effect, limit, go_on)
        hits += sum(said == "slower" if effect else bool(said) for said, _ in found)
        total += len(found)
        launches += sum(taken for _, taken in found)
        pairs = [p for p in chain[0].pairs if p.effect == effect]
        sides = len({s for p in pairs for s in (p.base, p.candidate)})
        independent += len(found) * (1 if effect else sides - 1) / max(len(pairs), 1)
    return Count(hits, total, independent, launches)


def coverage(all_blocks: Iterable[Block]) -> Count:
    """95 % intervals that hold the truth."""
    hits = total = independent = 0
    for block in all_blocks:
        estimates = [(p.estimate, p.truth) for p in block.pairs]
        hits += sum(e.low <= truth <= e.high for e, truth in estimates)
        total += len(estimates)
        independent += block.members - 1
    return Count(hits, total, independent)


def spread(pairs: Iterable[Pair]) -> float:
    """Standard deviation of estimates about what was injected: bias counts as error."""
    return rms([p.error for p in pairs])


def launch_spread(pairs: Iterable[Pair]) -> float:
    """The same of single launches."""
    return rms([v - p.truth for p in pairs for v in p.values])


def grouped(alike: Iterable[Block], count: int) -> list[Block]:
    """Each `count` launches of a case and machine as one block."""
    return [block for chain in chains(alike) for block in regrouped(chain, count)]


def rms(values: Sequence[float]) -> float:
    """Root of the mean square; NaN of none."""
    return math.sqrt(float(np.mean(np.square(values)))) if values else math.nan
