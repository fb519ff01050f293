"""How fast each member of a launch was, from the turns of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.results.values import Turn

Floats = NDArray[np.float64]
REACH = 3
"""Turns apart at which two turns still count as neighbours."""
ITERATIONS = 25
FLOOR = 0.5
"""Residuals below this share of their median weigh alike: they are averaged as means are."""
DELAYED = 0.01
"""Share of a turn by which other programs may have held its threads up; longer, it is left out."""
LEAST = 4
"""Turns that must be left of each member, and a quarter of them; otherwise none is left out."""


def levels(members: Sequence[Sequence[Turn]]) -> list[float | None]:
    """Each member's ln(step time, ns) in one launch of a group, freed from the machine's drift.

    Least absolute deviations of the log differences between turns of different members that are
    at most REACH turns apart, weighted by 1 / distance, with one slope for a drift common to all:
    neighbours in time share the machine's state, and every neighbour has its say, not only the
    baseline. Turns on either side of a left out round number (between which members got new
    physical pages, `bench.launch.timing.frames`) are no neighbours, but all have their say in the
    same levels: a level of each segment, and their mean, spread more. Solved by
    iteratively reweighted least squares (Schlossmacher 1973, J. Am. Stat. Assoc. 68:857).

    Args:
        members: The turns of each; the first is the baseline, whose level is its median turn.

    Returns:
        One level a member, None for one without turns or that is nobody's neighbour.
    """
    if not members or not members[0]:
        return [None] * len(members)
    first = float(np.median([math.log(turn.step_ns) for turn in members[0]]))
    found = _differences(_undisturbed(members))
    return [first + found[n] if n in found else None for n in range(len(members))]


def _undisturbed(members: Sequence[Sequence[Turn]]) -> Sequence[Sequence[Turn]]:
    """Without the turns that other programs held up, where enough are left of every member."""
    kept = [[t for t in turns if t.delayed_ns < DELAYED * t.elapsed_ns] for turns in members]
    pairs = zip(kept, members, strict=True)
    return kept if all(len(k) >= max(LEAST, len(all_) / 4) for k, all_ in pairs) else members


def _differences(members: Sequence[Sequence[Turn]]) -> dict[int, float]:
    """Each member's level less the first's; without those that nothing connects with it."""
    sequence = sorted(
        (turn.round, turn.position, member, math.log(turn.step_ns))
        for member, turns in enumerate(members)
        for turn in turns
    )
    rounds, _, who, logs = (np.array(column) for column in zip(*sequence, strict=True))
    designs, differences, weights = [], [], []
    pairs: set[tuple[int, int]] = set()
    for distance in range(1, REACH + 1):
        near = (who[distance:] != who[:-distance]) & (rounds[distance:] - rounds[:-distance] <= 1)
        later, earlier = np.nonzero(near)[0] + distance, np.nonzero(near)[0]
        rows = np.zeros((len(later), len(members) + 1))
        rows[np.arange(len(later)), who[later]] += 1
        rows[np.arange(len(later)), who[earlier]] -= 1
        rows[:, -1] = distance
        designs.append(rows)
        pairs |= set(zip(who[earlier].tolist(), who[later].tolist(), strict=True))
        differences.append(logs[later] - logs[earlier])
        weights.append(np.full(len(later), 1 / distance))
    still = np.zeros((1, len(members) + 1))
    still[0, -1] = 1  # no drift, where a single round cannot distinguish it from a difference
    found = _least_absolute(
        np.concatenate([*designs, still])[:, 1:],
        np.concatenate([*differences, [0.0]]),
        np.concatenate([*weights, [1e-3]]),
    )
    linked = _linked(pairs, len(members))
    own = [0.0, *found[: len(members) - 1]]
    return {member: own[member] for member in linked}


def _least_absolute(design: Floats, values: Floats, weights: Floats) -> list[float]:
    """Coefficients that minimise the weighted sum of absolute residuals, of small ones squared."""
    found: Floats = np.zeros(design.shape[1])
    scale = weights
    for _ in range(ITERATIONS):
        weighted = design * scale[:, None]
        solved = np.linalg.lstsq(design.T @ weighted, weighted.T @ values, rcond=1e-12)[0]
        found = np.asarray(solved, dtype=float)
        residuals = np.abs(values - design @ found)
        least = max(FLOOR * float(np.median(residuals)) if len(residuals) else 0.0, 1e-9)
        scale = weights / np.maximum(residuals, least)
    return [float(x) for x in found]


def _linked(pairs: Iterable[tuple[int, int]], count: int) -> set[int]:
    """The members that differences connect with the first."""
    linked = {0}
    for _ in range(count):
        linked |= {i for pair in pairs if linked & set(pair) for i in pair}
    return linked
