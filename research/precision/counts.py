"""How often decisions were right, and how far estimates were off: what the tables tell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import stats

from research.precision.decisions import (
    Block,
    Pair,
    chains,
    decisions,
    default_limit,
    guarded,
    joined,
    regrouped,
    sharp_limit,
)


def spread(pairs: Iterable[Pair]) -> float:
    """Standard deviation of estimates about what was injected: bias counts as error."""
    return rms([p.error for p in pairs])


def session_spreads(alike: Sequence[Block], count: int) -> list[float]:
    """Of one case: the spread of each session's decisions of `count` launches, the least first."""
    sessions: dict[float, list[Block]] = {}
    for block in alike:
        sessions.setdefault(block.session, []).append(block)
    taken = ([b for c in chains(own) for b in regrouped(c, count)] for own in sessions.values())
    return sorted(spread(p for b in blocks_ for p in b.pairs) for blocks_ in taken if blocks_)


def rms(values: Sequence[float]) -> float:
    """Root of the mean square; NaN of none."""
    return math.sqrt(float(np.mean(np.square(values)))) if values else math.nan


def alarm_counts(
    all_blocks: Sequence[Block], sharp: float | None = None
) -> tuple[int, int, int, float]:
    """(flagged by the screen, confirmed, decisions, effective number) of A/A pairs.

    Args:
        all_blocks: Of any cases.
        sharp: Margin of the guard; None: its default.
    """
    flagged = confirmed = total = 0
    effective = 0.0
    for chain in chains(all_blocks):
        limit = sharp_limit(sharp) if sharp else default_limit(chain[0].configuration)
        found = decisions(chain, 0.0, limit)
        flagged += sum(bool(first) for first, _ in found)
        confirmed += sum(bool(both) for _, both in found)
        total += len(found)
        effective += effective_aa(chain) if found else 0.0
    return flagged, confirmed, total, effective


def power(
    all_blocks: Sequence[Block], effect: float, default: bool = False, count: int = 1
) -> tuple[int, int, float]:
    """(called slower by both stages, decisions, effective number) of one injected effect.

    Args:
        all_blocks: Of any cases.
        effect: The injected share.
        default: Judge at the guard's default margin, not at one of the effect's size.
        count: Blocks of launches that a stage has.
    """
    hits = total = 0
    effective = 0.0
    for blocks_ in chains(all_blocks):
        chain = joined(blocks_, count)
        limit = default_limit(blocks_[0].configuration) if default else sharp_limit(effect)
        found = decisions(chain, effect, limit)
        hits += sum(both == "slower" for _, both in found)
        total += len(found)
        effective += effective_injected(chain, effect) if found else 0.0
    return hits, total, effective


def guarded_counts(
    all_blocks: Sequence[Block], effect: float, default: bool = False
) -> tuple[int, int, float, float]:
    """(called twice, decisions, effective number, launches of one), going on as the guard does.

    Args:
        all_blocks: Of any cases.
        effect: The injected share; of 0 each call, slower or faster, is a false alarm.
        default: Judge at the guard's default margin, not at one of the effect's size.
    """
    hits = total = launches = 0
    effective = 0.0
    for chain in chains(all_blocks):
        limit = default_limit(chain[0].configuration) if default else sharp_limit(effect)
        found = guarded(chain, effect, limit)
        if not found:
            continue
        hits += sum(x.called == "slower" if effect else bool(x.called) for x in found)
        total += len(found)
        launches += sum(x.launches for x in found)
        pairs = sum(p.effect == effect for b in chain for p in b.pairs)
        alone = effective_injected(chain, effect) if effect else effective_aa(chain)
        effective += len(found) * alone / pairs
    return hits, total, effective, launches / total if total else math.nan


def coverage(all_blocks: Sequence[Block]) -> tuple[int, int, float]:
    """(95 % intervals that hold the truth, intervals, effective number)."""
    hits = total = 0
    effective = 0.0
    for chain in chains(all_blocks):
        pairs = [p for b in chain for p in b.pairs]
        hits += sum(p.estimate.low <= p.truth <= p.estimate.high for p in pairs)
        total += len(pairs)
        effective += sum(b.members - 1 for b in chain)
    return hits, total, effective


def effective_aa(chain: Sequence[Block]) -> float:
    """Independent contrasts behind the A/A pairs: m members that are alike have m - 1."""
    return sum(len({s for p in b.aa for s in (p.base, p.candidate)}) - 1 for b in chain)


def effective_injected(chain: Sequence[Block], effect: float) -> float:
    """N ÷ (1 + (m-1)·ρ): the m pairs of one slowed member share its noise (Kish's design effect).

    ρ is the intraclass correlation of their errors, by one-way analysis of variance.
    """
    groups = [[p.error for p in b.pairs if p.effect == effect] for b in chain]
    groups = [g for g in groups if len(g) > 1]
    if not groups:
        return 0.0
    size = len(groups[0])
    total = sum(map(len, groups))
    if len(groups) < 3:
        rho = 0.5  # two independent, equal noises, one of them shared
    else:
        between = size * float(np.var([np.mean(g) for g in groups], ddof=1))
        within = float(np.mean([np.var(g, ddof=1) for g in groups]))
        rho = max(0.0, (between - within) / (between + (size - 1) * within))
    return total / (1 + (size - 1) * rho)


def proportion(hits: int, trials: int, effective: float) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of hits ÷ trials at the effective number of trials."""
    if not trials:
        return 0.0, 1.0
    scale = min(1.0, effective / trials)
    k, n = hits * scale, trials * scale
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k > 0 else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return low, high
