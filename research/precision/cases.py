"""What is decided on: scenarios, configurations, noise, and the effects that are injected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.guard.rule.decide import LOOKS
from bench.results.values import Scenario, WorkloadSpec
from bench.sweep.settings import Profile

EFFECTS = (0.01, 0.02, 0.05, 0.10)
"""Injected shares; 0 is an A/A decision."""
IDENTICAL = 4
"""Members of a group that do the same work: one baseline and three that should not differ."""
BESIDE_BURSTS = 2
"""Blocks of each case beside bursts."""
AT_ONCE = 3
"""Blocks in a row whose next launch is built while one takes its turns, as the guard does."""

Injection = Literal["busy-waiting", "extra steps"]
"""At the end of each turn; or steps that are not counted."""
Noise = Literal["quiet", "bursts"]
"""Nothing else is meant to run; or a program that loads one core in random bursts."""

_Turns = tuple[float, float, int]
"""Seconds of turns in a launch, wanted turn in ms, blocks."""
# Extra steps: a turn is made of whole steps, so 1 % needs 100 of them, of a step that is short.
# Busy-waiting: turns as short as the guard's.
_MATRIX: tuple[tuple[str, str, int, Injection, _Turns, _Turns], ...] = (
    ("LiteRT int8", "infer/litert-int8", 32, "busy-waiting", (0.25, 10, 12), (0.3, 10, 4)),
    ("LiteRT int8", "infer/litert-int8", 32, "extra steps", (0.3, 10, 6), (0.3, 10, 6)),
    ("LiteRT float32", "infer/litert-float32", 32, "busy-waiting", (0.3, 3, 6), (0.3, 3, 4)),
    ("LiteRT float32", "infer/litert-float32", 32, "extra steps", (0.3, 10, 6), (0.3, 10, 6)),
    ("tf.function inference", "infer/function", 32, "busy-waiting", (0.4, 3, 12), (0.8, 3, 9)),
    ("tf.function inference", "infer/function", 32, "extra steps", (0.5, 10, 6), (0.8, 10, 4)),
    ("tf.function training", "train/function", 32, "busy-waiting", (0.32, 3, 12), (0.95, 3, 6)),
    (
        "tf.function training, batches of 2", "train/function", 2, "extra steps",
        (0.8, 10, 3), (0.8, 10, 2),
    ),
    ("input pipeline", "input/files", 32, "busy-waiting", (0.6, 3, 9), (0.8, 3, 12)),
    ("input pipeline, batches of 8", "input/files", 8, "extra steps", (1.6, 10, 3), (1.6, 10, 4)),
)  # fmt: skip
"""Kind, scenario, batch, injection, turns in `cpu-1`, turns in `cpu-all`."""
PLACES = "cpu-1", "cpu-all"


@dataclass(frozen=True)
class Case:
    """One kind of decision, made in many blocks; a block is one group launched `launches` times."""

    kind: str
    """What the scenario stands for; rows of the page."""
    scenario: str
    configuration: str
    noise: Noise
    member_s: float
    """Time of one member's turns in one launch, s."""
    turn_ms: float
    blocks: int
    """Blocks wanted in all."""
    injection: Injection = "busy-waiting"
    effects: tuple[float, ...] = EFFECTS
    """One slowed member each."""
    batch: int = 32
    launches: int = LOOKS[0]
    """Launches of a block, what a decision is made from: the guard's first look."""
    at_once: int = 1
    """Blocks made without a pause, so that each launch but the first is built ahead."""

    @property
    def name(self) -> str:
        """Names it in the results."""
        return f"{self.kind}@{self.configuration}/{self.noise}/{self.injection}"

    def profile(self) -> Profile:
        """The measuring settings of its launches."""
        rounds = max(8, round(1000 * self.member_s / self.turn_ms))
        return Profile(
            "precision", (self.launches,), 0.0, self.turn_ms, rounds, self.member_s,
            warmup_s=0.15, epochs=1, timeout_s=300, trace=False, controls=False, placements=4,
        )  # fmt: skip

    def workload(self, cache: str) -> WorkloadSpec:
        """The workload of its launches."""
        return WorkloadSpec(batch=self.batch, cache=cache)


def cases(scenarios: Mapping[str, Scenario]) -> Iterator[Case]:
    """All cases whose scenario exists, quiet ones first."""
    noises: tuple[Noise, ...] = "quiet", "bursts"
    for noise, place, row in itertools.product(noises, PLACES, _MATRIX):
        kind, scenario, batch, injection, *turns = row
        member_s, turn_ms, blocks = turns[PLACES.index(place)]
        if scenario in scenarios:
            yield Case(
                kind, scenario, place, noise, member_s, turn_ms,
                BESIDE_BURSTS if noise == "bursts" else blocks, injection, batch=batch,
                # Where all cores are used, or a neighbour has one, none is left to build on.
                at_once=AT_ONCE if (noise, place) == ("quiet", "cpu-1") else 1,
            )  # fmt: skip
