"""Ways to make one launch's effect of its turns; compared offline on the same recorded turns."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from bench.results.levels import levels
from bench.results.values import Launch, Turn
from research.precision.decisions import Levels

Turns = np.ndarray
"""float64 [rounds, 4]: index in the launch's sequence, step time, its delay, position; ns."""
Estimator = Callable[[Turns, Turns], float]
DELAYED = 0.01
"""Share of a turn by which others may have held its threads up before it counts as disturbed."""


def table(base: Launch, candidate: Launch, members: int, merge: int = 1) -> tuple[Turns, Turns]:
    """The two members' turns of their common rounds, `merge` consecutive ones taken as one."""
    left, right = ({t.round: t for t in launch.turns} for launch in (base, candidate))
    rounds = sorted(left.keys() & right.keys())
    sides = []
    for turns in (left, right):
        rows = np.array(
            [
                (r * members + turns[r].position, turns[r].step_ns,
                 turns[r].delayed_ns / turns[r].steps, turns[r].position)
                for r in rounds
            ],
            dtype=float,
        )  # fmt: skip
        whole = len(rows) // merge * merge
        sides.append(rows[:whole].reshape(-1, merge, 4).mean(axis=1))
    return sides[0], sides[1]


def neighbours(base: Turns, candidate: Turns) -> float:
    """Median of the log ratios within rounds."""
    return float(np.median(np.log(candidate[:, 1] / base[:, 1])))


def trimmed(base: Turns, candidate: Turns) -> float:
    """Mean of the log ratios within rounds without the outer quarters."""
    return float(stats.trim_mean(np.log(candidate[:, 1] / base[:, 1]), 0.25))


def interpolated(base: Turns, candidate: Turns) -> float:
    """Median log ratio to the baseline interpolated between its turns before and after."""
    level = np.interp(candidate[:, 0], base[:, 0], np.log(base[:, 1]))
    return float(np.median(np.log(candidate[:, 1]) - level))


def undisturbed(base: Turns, candidate: Turns) -> float:
    """Median of the log ratios of rounds in which other programs held neither side up."""
    clean = (base[:, 2] < DELAYED * base[:, 1]) & (candidate[:, 2] < DELAYED * candidate[:, 1])
    if clean.sum() < max(4, len(base) / 4):
        clean[:] = True
    return neighbours(base[clean], candidate[clean])


def without_delay(base: Turns, candidate: Turns) -> float:
    """Median of the log ratios of turns less the time that other programs held them up."""
    own = np.maximum(candidate[:, 1] - candidate[:, 2], candidate[:, 1] * 0.1)
    other = np.maximum(base[:, 1] - base[:, 2], base[:, 1] * 0.1)
    return float(np.median(np.log(own / other)))


def ratio_of_medians(base: Turns, candidate: Turns) -> float:
    """Log ratio of the medians of all turns."""
    return float(np.log(np.median(candidate[:, 1]) / np.median(base[:, 1])))


def ratio_of_low_quantiles(base: Turns, candidate: Turns) -> float:
    """Log ratio of the 10 % quantiles."""
    low = [np.quantile(side[:, 1], 0.1) for side in (candidate, base)]
    return float(np.log(low[0] / low[1]))


def ratio_of_minima(base: Turns, candidate: Turns) -> float:
    """Log ratio of the fastest turns."""
    return float(np.log(candidate[:, 1].min() / base[:, 1].min()))


def ratio_of_means(base: Turns, candidate: Turns) -> float:
    """Log ratio of the means."""
    return float(np.log(candidate[:, 1].mean() / base[:, 1].mean()))


def levels_of_all_turns(members: Sequence[Sequence[Turn]]) -> list[float | None]:
    """Tfbench's levels with the turns that other programs held up."""
    return levels([[dataclasses.replace(t, delayed_ns=0) for t in turns] for turns in members])


def levels_by_part(members: Sequence[Sequence[Turn]]) -> list[float | None]:
    """The mean of levels of each part, between which a round number is left out; of all turns."""
    rounds = np.array(sorted({turn.round for turns in members for turn in turns}))
    starts = [rounds[0], *rounds[1:][np.diff(rounds) > 1], rounds[-1] + 1]
    found: list[list[float]] = [[] for _ in members]
    for start, end in itertools.pairwise(starts):
        part = [[t for t in turns if start <= t.round < end] for turns in members]
        base, *others = levels_of_all_turns(part)
        for values, value in zip(found, (base, *others), strict=True):
            if base is not None and value is not None:
                values.append(value - base)
    return [float(np.mean(values)) if values else None for values in found]


LEVELS: Mapping[str, Levels] = {
    "levels with the turns held up": levels_of_all_turns,
    "the same of each part, their mean": levels_by_part,
}
"""Other ways to take the levels of a whole group."""
ESTIMATORS: Mapping[str, Estimator] = {
    "median of log ratios within rounds": neighbours,
    "trimmed mean of them (25 % each side)": trimmed,
    "baseline interpolated in time": interpolated,
    "rounds not held up by other programs": undisturbed,
    "turns less the time held up": without_delay,
    "ratio of medians": ratio_of_medians,
    "ratio of 10 % quantiles": ratio_of_low_quantiles,
    "ratio of minima": ratio_of_minima,
    "ratio of means": ratio_of_means,
}
