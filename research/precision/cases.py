"""What is decided on: scenarios, configurations, noise, and the effects that are injected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bench.guard.rule.decide import LOOKS
from bench.results.values import Scenario, WorkloadSpec
from bench.sweep.settings import Profile

EFFECTS = (0.01, 0.02, 0.05, 0.10)
"""Injected shares; 0 is an A/A decision."""
IDENTICAL = 4
"""Members of a group that do the same work: one baseline and three that should not differ."""
SMALL_TRAINING = "tf.function training, batches of 2"
SMALL_PIPELINE = "input pipeline, batches of 8"
BATCHES = {SMALL_TRAINING: 2, SMALL_PIPELINE: 8}
"""Steps of which a turn can hold a hundred, so that 1 % of it can be made of work."""
AHEAD_UNTIL = 1795813800.0
"""Sessions that began before (s since 1970) timed pipelines that had worked ahead of turns."""
GIVEN_UP = "input pipeline, batches of 2"
"""A case that was tried, and left because its effects were not exact; shown apart."""
BESIDE_BURSTS = 2
"""Blocks of each case beside bursts."""

Injection = Literal["turn spin", "work"]
"""A spin at the end of each turn, in which an input pipeline's threads are held up too; or more
steps than are counted."""
Noise = Literal["quiet", "beside", "bursts"]
"""Alone; beside a program on another core that the session names; beside random bursts."""
AT_ONCE = 3
"""Blocks in a row whose next launch is built while one takes its turns, as the guard does."""

_Turns = tuple[float, float, int]


@dataclass(frozen=True)
class Case:
    """One kind of decision, made in many blocks; a block is one group launched `launches` times."""

    kind: str
    """What the scenario stands for; rows of the report."""
    scenario: str
    configuration: str
    noise: Noise
    member_s: float
    """Time of one member's turns in one launch, s."""
    turn_ms: float
    blocks: int
    """Blocks wanted in all."""
    injection: Injection = "turn spin"
    effects: tuple[float, ...] = EFFECTS
    """One slowed member each."""
    batch: int = 32
    launches: int = LOOKS[0]
    """Launches of a block, what a decision is made from: the guard's first look."""
    at_once: int = 1
    """Blocks that are made without a pause, so that each launch but the first is built ahead."""
    warmup_s: float = 0.15
    """Cap of the warm-up."""
    placements: int = 4
    """Parts of a launch, between which members get new physical pages."""

    @property
    def name(self) -> str:
        """Names it in the results."""
        return f"{self.kind}@{self.configuration}/{self.noise}/{self.injection}"

    def profile(self) -> Profile:
        """The measuring settings of its launches."""
        rounds = max(8, round(1000 * self.member_s / self.turn_ms))
        return Profile(
            "precision", (self.launches,), 0.0, self.turn_ms, rounds, self.member_s,
            warmup_s=self.warmup_s, epochs=1, timeout_s=300, trace=False, controls=False,
            placements=self.placements,
        )  # fmt: skip

    def workload(self, cache: str) -> WorkloadSpec:
        """The workload of its launches."""
        return WorkloadSpec(batch=self.batch, cache=cache)


def cases(scenarios: Mapping[str, Scenario], beside: bool = False) -> list[Case]:
    """All cases whose scenario exists, quiet ones first; none is quiet beside another program."""
    found = [case for case in _all(scenarios) if case.scenario in scenarios]
    if not beside:
        return found
    alone = [replace(c, noise="beside") if c.noise == "quiet" else c for c in found]
    return [replace(c, at_once=1) for c in alone]


def _all(scenarios: Mapping[str, Scenario]) -> Iterator[Case]:
    pipeline = input_scenario(scenarios)
    # By work, a turn is made of whole steps: 1 % needs 100 of them, however long it is meant to be.
    # Spun effects are measured in turns as short as the guard's, of short steps in longer ones.
    # Of each: seconds of turns in a launch, wanted turn in ms and blocks, in cpu-1 and in cpu-all.
    matrix: tuple[tuple[str, str, Injection, _Turns, _Turns], ...] = (
        ("LiteRT int8", "infer/litert-int8", "turn spin", (0.25, 10, 12), (0.3, 10, 4)),
        ("LiteRT int8", "infer/litert-int8", "work", (0.3, 10, 6), (0.3, 10, 6)),
        ("LiteRT float32", "infer/litert-float32", "turn spin", (0.3, 3, 6), (0.3, 3, 4)),
        ("LiteRT float32", "infer/litert-float32", "work", (0.3, 10, 6), (0.3, 10, 6)),
        ("tf.function inference", "infer/function", "turn spin", (0.4, 3, 12), (0.8, 3, 9)),
        ("tf.function inference", "infer/function", "work", (0.5, 10, 6), (0.8, 10, 4)),
        ("tf.function training", "train/function", "turn spin", (0.32, 3, 12), (0.95, 3, 6)),
        (SMALL_TRAINING, "train/function", "work", (0.8, 10, 3), (0.8, 10, 2)),
        ("input pipeline", pipeline, "turn spin", (0.6, 3, 9), (0.8, 3, 12)),
        (SMALL_PIPELINE, pipeline, "work", (1.6, 10, 3), (1.6, 10, 4)),
    )
    noises: tuple[Noise, ...] = "quiet", "bursts"
    places = "cpu-1", "cpu-all"
    for noise, place, row in itertools.product(noises, places, matrix):
        kind, scenario, injection, *turns = row
        member_s, turn_ms, blocks = turns[places.index(place)]
        yield Case(
            kind, scenario, place, noise, member_s, turn_ms,
            BESIDE_BURSTS if noise == "bursts" else blocks, injection,
            batch=BATCHES.get(kind, 32),
            # Where all cores are used, or a neighbour has one, none is left to build on.
            at_once=AT_ONCE if (noise, place) == ("quiet", "cpu-1") else 1,
        )  # fmt: skip


def apart(record: Mapping[str, Any]) -> bool:
    """Whether a launch's record is of a pipeline that is now measured otherwise: shown apart."""
    ahead = record["kind"] == "input pipeline" and record["session"] < AHEAD_UNTIL
    return bool(ahead or record["kind"] == GIVEN_UP)


def input_scenario(scenarios: Mapping[str, Scenario]) -> str:
    """The input pipeline that most others are compared with, "" where there is none."""
    counts: dict[str, int] = {}
    for each in scenarios.values():
        if each.kind == "input" and each.unit == "step":
            counts[each.baseline or each.id] = counts.get(each.baseline or each.id, 0) + 1
    return max(counts, key=lambda id: counts[id]) if counts else ""
