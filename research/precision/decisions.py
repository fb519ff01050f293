"""From recorded launches to decisions by the guard's own rule, and how often they were right."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bench.guard.rule.decide import ALPHA, LOOKS, Limit, sharp_enough, sign
from bench.guard.rule.evidence import Evidence
from bench.guard.rule.limits import ALLOWANCE, Limits
from bench.results.effects import launch_effect
from bench.results.levels import levels
from bench.results.statistics import over_launches
from bench.results.values import Estimate, Launch, Turn, from_json

PerLaunch = Callable[[Launch, Launch, int], float | None]
Levels = Callable[[Sequence[Sequence[Turn]]], list[float | None]]
"""Of the turns of each member, its ln(step time, ns)."""


LEAST_BUDGET = 2 * LOOKS[0]
"""Launches that a stage can have at least, for a decision that goes on."""


@dataclass(frozen=True)
class Pair:
    """Two members of a block, over its launches."""

    base: str
    candidate: str
    effect: float
    """Injected share; 0: an A/A pair."""
    truth: float
    """The injected log ratio."""
    values: tuple[float, ...]
    """One log ratio a launch."""
    orders: tuple[int, ...]

    @cached_property
    def estimate(self) -> Estimate:
        """Over the block's launches, with a 95 % interval."""
        return over_launches(self.values, self.orders)

    @cached_property
    def evidence(self) -> Evidence:
        """The same as the guard sees it."""
        found = Evidence.of(self.values, self.orders)
        assert found is not None
        return found

    @property
    def error(self) -> float:
        """Estimate less truth."""
        return self.estimate.value - self.truth


@dataclass
class Block:
    """One group, launched as often as a decision needs."""

    kind: str
    configuration: str
    noise: str
    injection: str
    number: int
    launches: list[dict[str, Launch]]
    """By launch, the members by side."""
    per_launch: PerLaunch | None = None
    session: float = 0.0
    """When the run that made it began, s since 1970."""
    cpu: str = ""
    pairs: list[Pair] = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = list(self._pairs(self.per_launch or chosen))

    @property
    def case(self) -> tuple[str, str, str, str]:
        """What it is a block of."""
        return self.kind, self.configuration, self.noise, self.injection

    @property
    def aa(self) -> list[Pair]:
        """Pairs of members that do the same work."""
        return [p for p in self.pairs if not p.effect]

    @property
    def wall_s(self) -> float:
        """Machine time of all its launches."""
        return sum(next(iter(members.values())).wall_s for members in self.launches)

    def within(self) -> list[float]:
        """Of each launch and A/A pair: the error that its turns leave, from their two halves.

        Half of the difference between the first and the second half of the turns has the variance
        of the mean of both; what the two sides of a launch differ in for good cancels in it.
        """
        found = []
        for members in self.launches:
            middle = max(t.round for launch in members.values() for t in launch.turns) // 2
            halves = []
            for late in (False, True):
                turns = [
                    [t for t in x.turns if (t.round > middle) == late] for x in members.values()
                ]
                halves.append(dict(zip(members, levels(turns), strict=True)))
            for pair in self.aa:
                sides = [(half[pair.base], half[pair.candidate]) for half in halves]
                first, second = (c - b for b, c in sides if b is not None and c is not None)
                found.append((first - second) / 2)
        return found

    @property
    def members(self) -> int:
        """Members of the group."""
        return len(self.launches[0])

    def _pairs(self, per_launch: PerLaunch) -> Iterator[Pair]:
        sides = list(self.launches[0])
        same = [s for s in sides if s.startswith("same-")]
        slowed = [s for s in sides if s not in same]
        wanted = [*itertools.combinations(same, 2), *itertools.product(same, slowed)]
        for base, candidate in wanted:
            effect = 0.0 if candidate in same else float(candidate)
            values, orders = [], []
            for members in self.launches:
                left, right = members[base], members[candidate]
                value = per_launch(left, right, self.members)
                if value is not None:
                    values.append(value)
                    orders.append(int(right.start_order < left.start_order))
            if len(values) > 1:
                truth = math.log1p(effect)
                yield Pair(base, candidate, effect, truth, tuple(values), tuple(orders))


def chosen(base: Launch, candidate: Launch, members: int) -> float | None:
    """What tfbench itself uses."""
    return launch_effect(base, candidate)


def with_levels(members: dict[str, Launch], way: Levels = levels) -> dict[str, Launch]:
    """The members of a launch with their levels, as tfbench takes them from the recorded turns."""
    found = way([launch.turns for launch in members.values()])
    return {
        side: dataclasses.replace(launch, level=level)
        for (side, launch), level in zip(members.items(), found, strict=True)
    }


def blocks(
    records: Iterable[dict[str, Any]],
    per_launch: PerLaunch | None = None,
    way: Levels = levels,
) -> list[Block]:
    """The whole blocks of the records, in order.

    Args:
        records: Of launches.
        per_launch: What estimates one launch's effect; None: as tfbench does, from levels.
        way: What takes the levels; tfbench's own unless others are compared with it.
    """
    found: dict[tuple[float, str, int], dict[int, dict[str, Launch]]] = {}
    about: dict[tuple[float, str, int], dict[str, Any]] = {}
    for record in records:
        key = record["session"], record["case"], record["block"]
        launch = from_json(Launch, record["launch"])
        found.setdefault(key, {}).setdefault(record["number"], {})[launch.side] = launch
        about[key] = record
    return [
        Block(
            about[key]["kind"], about[key]["configuration"], about[key]["noise"],
            about[key]["injection"], key[2],
            [with_levels(launches[n], way) for n in sorted(launches)], per_launch,
            about[key]["session"], about[key]["cpu"],
        )
        for key, launches in found.items()
        if len(launches) == about[key]["launches"]
    ]  # fmt: skip


# --- the guard's rule -------------------------------------------------------------------------


def default_limit(configuration: str) -> Limit:
    """The guard's limit of latency when nothing is set."""
    limit = Limits().timed("latency", "", configuration)
    assert limit is not None
    return limit


def sharp_limit(effect: float) -> Limit:
    """The guard's limit when told that a change of this size matters."""
    return Limit.of(effect, min(ALLOWANCE, effect / 4))


def decisions(chain: Sequence[Block], effect: float, limit: Limit) -> list[tuple[str, str]]:
    """(screen, confirmed) verdicts of each pair of one effect: `slower`, `faster` or "".

    The next block's launches confirm, those of the first block the last; a single block has none
    that could confirm it, and decides nothing.
    """
    found: list[tuple[str, str]] = []
    if len(chain) < 2:
        return found
    for i, block in enumerate(chain):
        fresh = {(p.base, p.candidate): p for p in chain[(i + 1) % len(chain)].pairs}
        for pair in (p for p in block.pairs if p.effect == effect):
            first = sign(pair.evidence, limit, ALPHA)
            other = fresh.get((pair.base, pair.candidate))
            again = sign(other.evidence, limit, ALPHA) if other else ""
            found.append((first, first if first == again else ""))
    return found


@dataclass(frozen=True)
class Guarded:
    """One decision made as the guard makes it: launches until the evidence is sharp enough."""

    called: str
    """What both stages say: `slower`, `faster` or ""."""
    launches: int
    """Of both stages."""


def guarded(chain: Sequence[Block], effect: float, limit: Limit) -> list[Guarded]:
    """Decisions on each pair of one effect, each stage going on as the guard's does.

    A stage ends at the guard's first look after which its evidence is sharp enough, or where half
    of the recorded launches are used up: that is its budget. Of a chain whose half is shorter than
    `LEAST_BUDGET` there are none. Decisions follow one another without sharing a launch, but for
    the last one, which goes on with the first launches again.
    """
    found: list[Guarded] = []
    if sum(len(block.launches) for block in chain) < 2 * LEAST_BUDGET:
        return found
    for pair in joined(chain, len(chain))[0].pairs:
        if pair.effect != effect:
            continue
        total, place = len(pair.values), 0
        values, orders = pair.values * 2, pair.orders * 2
        while place < total:
            signs, begun = [], place
            for _ in ("screen", "confirm"):
                count = _sharp_after(values[place:], orders[place:], limit, total // 2)
                evidence = Evidence.of(values[place : place + count], orders[place : place + count])
                signs.append(sign(evidence, limit, ALPHA) if evidence else "")
                place += count
            found.append(Guarded(signs[0] if signs[0] == signs[1] else "", place - begun))
    return found


def _sharp_after(values: Sequence[float], orders: Sequence[int], limit: Limit, most: int) -> int:
    """Launches after which a stage ends."""
    for look in LOOKS:
        if look > most:
            break
        if sharp_enough(Evidence.of(values[:look], orders[:look]), limit, ALPHA):
            return look
    return max(2, min(most - most % 2, LOOKS[-1]))


def joined(chain: Sequence[Block], count: int) -> list[Block]:
    """The chain with each `count` consecutive blocks taken as one of as many more launches."""
    return regrouped(chain, count * len(chain[0].launches)) if chain else []


def regrouped(chain: Sequence[Block], count: int) -> list[Block]:
    """The chain's launches in order, each `count` of them taken as one block."""
    all_launches = [(block, x) for block in chain for x in block.launches]
    return [
        dataclasses.replace(part[0][0], launches=[x for _, x in part])
        for i in range(0, len(all_launches) - count + 1, count)
        if (part := all_launches[i : i + count])
    ]


def by_case(all_blocks: Iterable[Block]) -> dict[tuple[str, str, str, str], list[Block]]:
    """Blocks of each case in order, of all machines; quiet cases first, like ones together."""
    cases: dict[tuple[str, str, str, str], list[Block]] = {}
    kinds: list[str] = []
    for block in all_blocks:
        cases.setdefault(block.case, []).append(block)
        kinds += [block.kind] if block.kind not in kinds else []

    def place(case: tuple[str, str, str, str]) -> tuple[bool, str, str, int, str]:
        kind, configuration, noise, injection = case
        return noise != "quiet", noise, configuration, kinds.index(kind), injection

    return {case: cases[case] for case in sorted(cases, key=place)}


def chains(all_blocks: Iterable[Block]) -> list[list[Block]]:
    """Blocks of each case, machine and set of members in order: one decision is of these alone."""
    found: dict[tuple[str, ...], list[Block]] = {}
    for block in all_blocks:
        found.setdefault((*block.case, block.cpu, *block.launches[0]), []).append(block)
    return list(found.values())
