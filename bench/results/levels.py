"""How fast each member of a launch was, from the turns of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.results.values import Turn

Floats = NDArray[np.float64]
REACH = 3
"""Turns apart at which two turns still count as neighbours."""
ITERATIONS = 25
FLOOR = 0.1
"""Residuals below this share of their median weigh alike, so that none takes all the weight."""


def levels(members: Sequence[Sequence[Turn]]) -> list[float | None]:
    """Each member's ln(step time, ns) in one launch of a group, freed from the machine's drift.

    Least absolute deviations of the log differences between turns of different members that are
    at most REACH turns apart, weighted by 1 / distance, with one slope for a drift common to all:
    neighbours in time share the machine's state, and every neighbour has its say, not only the
    baseline. Parts of the launch, between which a round number is left out, have levels of their
    own (new physical pages, `bench.launch.frames`), and count alike. Solved by iteratively
    reweighted least squares (Schlossmacher 1973, J. Am. Stat. Assoc. 68:857). On recorded turns its
    spread was 0.66 to 0.99 of that of the median ratio of the rounds that two members share in
    `cpu-1`, 0.80 to 1.12 in `cpu-all` (docs/precision-intel.md).

    Args:
        members: The turns of each; the first is the baseline, whose level is its median turn.

    Returns:
        One level a member, None for one without turns or that is nobody's neighbour.
    """
    if not members or not members[0]:
        return [None] * len(members)
    found: list[list[float]] = [[] for _ in members]
    for part in _parts(members):
        for member, value in _differences(part).items():
            found[member].append(value)
    first = float(np.median([math.log(turn.step_ns) for turn in members[0]]))
    return [first + float(np.mean(values)) if values else None for values in found]


def _parts(members: Sequence[Sequence[Turn]]) -> list[list[list[Turn]]]:
    """The members' turns in each part of the launch, which a left out round number separates."""
    rounds = np.array(sorted({turn.round for turns in members for turn in turns}))
    starts = [int(rounds[0]), *rounds[1:][np.diff(rounds) > 1].tolist(), int(rounds[-1]) + 1]
    return [
        [[turn for turn in turns if start <= turn.round < end] for turns in members]
        for start, end in pairwise(starts)
    ]


def _differences(members: Sequence[Sequence[Turn]]) -> dict[int, float]:
    """Each member's level less the first's within one part; without those it cannot tell of."""
    if not members[0]:
        return {}
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
    still[0, -1] = 1  # no drift, where a single round cannot tell it from a difference
    found = _least_absolute(
        np.concatenate([*designs, still])[:, 1:],
        np.concatenate([*differences, [0.0]]),
        np.concatenate([*weights, [1e-3]]),
    )
    linked = _linked(pairs, len(members))
    own = [0.0, *found[: len(members) - 1]]
    return {member: own[member] for member in linked}


def _least_absolute(design: Floats, values: Floats, weights: Floats) -> list[float]:
    """Coefficients that minimise the weighted sum of absolute residuals."""
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
