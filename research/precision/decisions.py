"""From recorded launches to decisions by the guard's own rule."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.guard.rule.decide import ALPHA, LOOKS, Limit, sharp_enough, sign
from bench.guard.rule.evidence import Evidence
from bench.guard.rule.limits import Limits
from bench.results.as_json import from_json
from bench.results.effects import launch_effect
from bench.results.statistics import over_launches
from bench.results.values import Estimate, Launch

LEAST_BUDGET = 2 * LOOKS[0]
"""Launches of a stage that goes on."""


@dataclass(frozen=True)
class Pair:
    """Two members of a block, over its launches."""

    base: str
    candidate: str
    effect: float
    """Injected share; 0: an A/A pair."""
    values: tuple[float, ...]
    """One log ratio a launch."""
    orders: tuple[int, ...]

    @property
    def truth(self) -> float:
        """The injected log ratio."""
        return math.log1p(self.effect)

    @cached_property
    def estimate(self) -> Estimate:
        """Over the block's launches, with a 95 % interval."""
        return over_launches(self.values, self.orders)

    @property
    def error(self) -> float:
        """Estimate less truth."""
        return self.estimate.value - self.truth


@dataclass(frozen=True)
class Block:
    """One group, launched as often as a decision needs."""

    launches: tuple[Mapping[str, Launch], ...]
    """By launch, the members by side."""
    case: str
    kind: str
    configuration: str
    noise: str
    injection: str
    cpu: str
    """The machine."""

    @property
    def members(self) -> int:
        """Members of the group."""
        return len(self.launches[0])

    @property
    def candidate_s(self) -> float:
        """Machine time of one member in all launches."""
        return sum(next(iter(x.values())).wall_s for x in self.launches) / self.members

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every two members that do the same work, and each slowed one with each of those."""
        sides = list(self.launches[0])
        same = [s for s in sides if s.startswith("same-")]
        slowed = [s for s in sides if s not in same]
        wanted = [*itertools.combinations(same, 2), *itertools.product(same, slowed)]
        return [pair for sides_ in wanted if len((pair := self._pair(*sides_)).values) > 1]

    def _pair(self, base: str, candidate: str) -> Pair:
        effect = 0.0 if candidate.startswith("same-") else float(candidate)
        found = [
            (value, int(x[candidate].start_order < x[base].start_order))
            for x in self.launches
            if (value := launch_effect(x[base], x[candidate])) is not None
        ]
        values, orders = zip(*found, strict=True) if found else ((), ())
        return Pair(base, candidate, effect, values, orders)


def blocks(records: Iterable[Mapping[str, Any]]) -> list[Block]:
    """The whole blocks of the records of launches, in order."""
    found: dict[tuple[float, str, int], dict[int, dict[str, Launch]]] = {}
    about: dict[tuple[float, str, int], Mapping[str, Any]] = {}
    for record in records:
        key = record["session"], record["case"], record["block"]
        launch = from_json(Launch, record["launch"])
        found.setdefault(key, {}).setdefault(record["number"], {})[launch.side] = launch
        about[key] = record
    fields = "case", "kind", "configuration", "noise", "injection", "cpu"
    return [
        Block(tuple(launches[n] for n in sorted(launches)), **{f: about[key][f] for f in fields})
        for key, launches in found.items()
        if len(launches) == about[key]["launches"]
    ]


# --- the guard's rule -------------------------------------------------------------------------


def default_limit(configuration: str) -> Limit:
    """The guard's limit of latency when nothing is set."""
    limit = Limits().timed("latency", "", configuration)
    assert limit is not None
    return limit


def decisions(
    chain: Sequence[Block], effect: float, limit: Limit, go_on: bool
) -> list[tuple[str, int]]:
    """Of each pair of one effect: what both stages say (`slower`, `faster` or ""), and of how many
    launches.

    Args:
        chain: Blocks of one case and machine. Where the launches of its end do not suffice, the
            first ones follow.
        effect: The injected share.
        limit: The guard's.
        go_on: As the guard does, until the evidence is sharp enough or half of the launches are
            used up, which is the budget; decisions follow one another without sharing a launch.
            Otherwise a stage is one block, and the next block confirms.
    """
    total = sum(len(block.launches) for block in chain)
    found: list[tuple[str, int]] = []
    if total < 2 * (LEAST_BUDGET if go_on else LOOKS[0]):
        return []
    for pair in (p for p in regrouped(chain, total)[0].pairs if p.effect == effect):
        values, orders = pair.values * 2, pair.orders * 2
        place = 0
        while place < len(pair.values):
            signs, end = [], place
            for _ in ("screen", "confirm"):
                count = LOOKS[0]
                if go_on:
                    count = _sharp_after(values[end:], orders[end:], limit, len(pair.values) // 2)
                evidence = Evidence.of(values[end : end + count], orders[end : end + count])
                signs.append(sign(evidence, limit, ALPHA) if evidence else "")
                end += count
            found.append((signs[0] if signs[0] == signs[1] else "", end - place))
            place = end if go_on else place + LOOKS[0]
    return found


def _sharp_after(values: Sequence[float], orders: Sequence[int], limit: Limit, most: int) -> int:
    """Launches after which a stage ends."""
    for look in (look for look in LOOKS if look <= most):
        if sharp_enough(Evidence.of(values[:look], orders[:look]), limit, ALPHA):
            return look
    return max(2, min(most - most % 2, LOOKS[-1]))


def regrouped(chain: Sequence[Block], count: int) -> list[Block]:
    """The chain's launches in order, each `count` of them taken as one block."""
    launches = [(block, x) for block in chain for x in block.launches]
    return [
        dataclasses.replace(part[0][0], launches=tuple(x for _, x in part))
        for i in range(0, len(launches) - count + 1, count)
        if (part := launches[i : i + count])
    ]


def chains(all_blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks of each case, machine and set of members in order: one decision is of these alone."""
    found: dict[tuple[str, ...], list[Block]] = {}
    for block in all_blocks:
        found.setdefault((block.case, block.cpu, *block.launches[0]), []).append(block)
    return iter(found.values())
