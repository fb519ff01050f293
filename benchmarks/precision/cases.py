"""What is decided on: scenarios, configurations, noise, and the effects that are injected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bench.guard.decide import LOOKS
from bench.results.values import Scenario, WorkloadSpec
from bench.sweep.settings import Profile

EFFECTS = (0.01, 0.02, 0.05, 0.10)
"""Injected shares; 0 is an A/A decision."""
IDENTICAL = 4
"""Members of a group that do the same work: one baseline and three that should not differ."""
SMALL = "benchmarks/precision/small.py:small"
"""A model whose training step is short, so that a turn holds a hundred of them."""

Injection = Literal["turn spin", "work"]
"""A spin at the end of each turn; or more steps than are counted."""
Noise = Literal["quiet", "beside", "bursts"]
"""Alone; beside a program on another core that the session names; beside random bursts."""
AT_ONCE = 3
"""Blocks in a row whose next launch is built while one takes its turns, as the guard does."""


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
    """One slowed member each; few where a launch is slow to build."""
    model: str = "cnn"
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
        return WorkloadSpec(model=self.model, cache=cache)


def cases(scenarios: Mapping[str, Scenario], beside: bool = False) -> list[Case]:
    """All cases whose scenario exists, quiet ones first; none is quiet beside another program."""
    found = [case for case in _all(scenarios) if case.scenario in scenarios]
    if not beside:
        return found
    alone = [replace(c, noise="beside") if c.noise == "quiet" else c for c in found]
    return [replace(c, at_once=1) for c in alone]


def _all(scenarios: Mapping[str, Scenario]) -> Iterator[Case]:
    int8, float32 = "infer/litert-int8", "infer/litert-float32"
    function, train, pipeline = "infer/function", "train/function", input_scenario(scenarios)
    one, every = "cpu-1", "cpu-all"
    fine, coarse, large = EFFECTS[:2], EFFECTS[1:3], EFFECTS[2:]
    # By work, a turn is made of whole steps: 1 % needs 100 of them, 2 % needs 50, 5 % needs 20.
    # Spun effects are measured in turns as short as the guard's, of short steps in longer ones.
    for case in (
        Case("LiteRT int8", int8, one, "quiet", 0.25, 10, 12),
        Case("LiteRT int8", int8, one, "quiet", 0.3, 10, 6, "work"),
        Case("LiteRT float32", float32, one, "quiet", 0.3, 3, 6),
        Case("LiteRT float32", float32, one, "quiet", 0.3, 10, 6, "work"),
        Case("tf.function inference", function, one, "quiet", 0.4, 3, 12, effects=fine),
        Case("tf.function inference", function, one, "quiet", 0.35, 10, 6, "work", large),
        Case("tf.function training", train, one, "quiet", 0.32, 3, 12, effects=fine),
        Case("small training", train, one, "quiet", 0.35, 10, 3, "work", large, SMALL),
        # A spin of the consumer is time in which a pipeline's own threads go on: work, not spin.
        Case("input pipeline", pipeline, one, "quiet", 0.8, 20, 3, "work", large),
    ):
        yield replace(case, at_once=AT_ONCE)
    # Where all cores are used, none is left to build on.
    yield Case("LiteRT int8", int8, every, "quiet", 0.3, 10, 6, "work", EFFECTS[1:])
    yield Case("LiteRT float32", float32, every, "quiet", 0.3, 10, 6, "work", EFFECTS[1:])
    yield Case("tf.function inference", function, every, "quiet", 0.8, 3, 9, effects=coarse)
    yield Case("tf.function inference", function, every, "quiet", 0.8, 10, 4, "work", large)
    yield Case("tf.function training", train, every, "quiet", 0.95, 3, 6, effects=coarse)
    yield Case("input pipeline", pipeline, every, "quiet", 0.8, 20, 12, "work", large)
    yield Case("LiteRT int8", int8, one, "bursts", 0.3, 3, 4)
    yield Case("LiteRT float32", float32, one, "bursts", 0.3, 3, 2)
    yield Case("tf.function inference", function, one, "bursts", 0.35, 3, 3, effects=fine)
    yield Case("tf.function training", train, one, "bursts", 0.35, 3, 3, effects=fine)
    yield Case("input pipeline", pipeline, one, "bursts", 0.8, 20, 2, "work", large)
    yield Case("LiteRT int8", int8, every, "bursts", 0.3, 10, 2, "work", EFFECTS[1:])
    yield Case("LiteRT float32", float32, every, "bursts", 0.3, 10, 2, "work", EFFECTS[1:])
    yield Case("tf.function inference", function, every, "bursts", 0.8, 3, 2, effects=coarse)
    yield Case("tf.function training", train, every, "bursts", 0.8, 3, 2, effects=coarse)
    yield Case("input pipeline", pipeline, every, "bursts", 0.8, 20, 2, "work", large)


def input_scenario(scenarios: Mapping[str, Scenario]) -> str:
    """The input pipeline that most others are compared with, "" where there is none."""
    counts: dict[str, int] = {}
    for each in scenarios.values():
        if each.kind == "input" and each.unit == "step":
            counts[each.baseline or each.id] = counts.get(each.baseline or each.id, 0) + 1
    return max(counts, key=lambda id: counts[id]) if counts else ""
