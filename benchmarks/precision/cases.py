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

Injection = Literal["spin", "work"]
LONG_SPIN = "long spin"
"""Recorded before a spin repaid its own bookkeeping: by some 0.3 % of a step of 0.1 ms too long."""
Noise = Literal["quiet", "building", "placed", "beside", "bursts"]
"""Alone; alone, the next launch being built on another core meanwhile, as the guard does; alone, in
launches of several parts with new pages in between and the next one built meanwhile where a core is
left; beside a program on another core that the session names; beside random bursts."""
ALONE: tuple[Noise, ...] = ("quiet", "building", "placed")


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
    injection: Injection = "spin"
    effects: tuple[float, ...] = EFFECTS
    """One slowed member each; few where a launch is slow to build."""
    model: str = "cnn"
    launches: int = LOOKS[0]
    """Launches of a block, what a decision is made from: the guard's first look."""
    at_once: int = 1
    """Blocks that are made without a pause, so that each launch but the first is built ahead."""
    warmup_s: float = 0.5
    """Cap of the warm-up."""
    placements: int = 1
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
    """All cases whose scenario exists, quiet ones first; none is alone beside another program."""
    found = [case for case in _all(scenarios) if case.scenario in scenarios]
    if not beside:
        return found
    alone = [replace(c, noise="beside") if c.noise == "quiet" else c for c in found]
    return [c for c in alone if c.noise not in ALONE]


def _all(scenarios: Mapping[str, Scenario]) -> Iterator[Case]:
    int8, float32 = "infer/litert-int8", "infer/litert-float32"
    function, train, pipeline = "infer/function", "train/function", input_scenario(scenarios)
    one, every = "cpu-1", "cpu-all"
    fine, coarse, large = EFFECTS[:2], EFFECTS[1:3], EFFECTS[2:]
    yield Case("tf.function inference", function, one, "placed", 0.5, 3, 24, effects=fine,
               at_once=3, warmup_s=0.15, placements=5)  # fmt: skip
    yield Case("tf.function training", train, one, "placed", 0.8, 3, 24, effects=fine,
               at_once=3, warmup_s=0.15, placements=4)  # fmt: skip
    yield Case("tf.function inference", function, every, "placed", 0.8, 3, 12, effects=(),
               warmup_s=0.15, placements=5)  # fmt: skip
    yield Case("tf.function training", train, every, "placed", 0.8, 3, 12, effects=coarse,
               warmup_s=0.15, placements=4)  # fmt: skip
    yield Case("tf.function inference", function, one, "building", 0.3, 20, 24, effects=fine,
               at_once=3)  # fmt: skip
    yield Case("tf.function training", train, one, "building", 0.5, 20, 24, effects=fine,
               at_once=3)  # fmt: skip
    # By work, a turn is made of whole steps: 1 % needs 100 of them, 2 % needs 50, 5 % needs 20.
    yield Case("LiteRT int8", int8, one, "quiet", 0.25, 10, 9)
    yield Case("LiteRT int8", int8, one, "quiet", 0.25, 10, 8, "work")
    yield Case("LiteRT float32", float32, one, "quiet", 0.35, 10, 4)
    yield Case("LiteRT float32", float32, one, "quiet", 0.35, 20, 4, "work")
    yield Case("tf.function inference", function, one, "quiet", 0.7, 20, 6, effects=fine)
    yield Case("tf.function inference", function, one, "quiet", 0.7, 20, 4, "work", large)
    yield Case("tf.function training", train, one, "quiet", 0.8, 20, 6, effects=fine)
    yield Case("small training", train, one, "quiet", 0.7, 20, 3, "work", large, SMALL)
    # A spin of the consumer is time in which a pipeline's own threads go on: work, not spin.
    yield Case("input pipeline", pipeline, one, "quiet", 1.2, 60, 3, "work", large)
    # During a spin a runtime's own threads fall asleep, and waking them costs more than was spun.
    yield Case("LiteRT int8", int8, every, "quiet", 0.35, 10, 5, "work")
    yield Case("LiteRT float32", float32, every, "quiet", 0.4, 20, 3, "work")
    yield Case("tf.function inference", function, every, "quiet", 1.2, 20, 5, "work", coarse)
    yield Case("tf.function training", train, every, "quiet", 1.2, 20, 5, effects=coarse)
    yield Case("input pipeline", pipeline, every, "quiet", 1.2, 60, 2, "work", large)
    yield Case("LiteRT int8", int8, one, "bursts", 0.25, 10, 4)
    yield Case("LiteRT float32", float32, one, "bursts", 0.35, 10, 2)
    yield Case("tf.function inference", function, one, "bursts", 0.7, 20, 2, effects=fine)
    yield Case("tf.function training", train, one, "bursts", 0.8, 20, 2, effects=fine)
    yield Case("LiteRT int8", int8, every, "bursts", 0.35, 10, 3, "work")
    yield Case("tf.function inference", function, every, "bursts", 1.2, 20, 2, "work", coarse)
    yield Case("tf.function training", train, every, "bursts", 1.2, 20, 2, effects=coarse)


def input_scenario(scenarios: Mapping[str, Scenario]) -> str:
    """The input pipeline that most others are compared with, "" where there is none."""
    counts: dict[str, int] = {}
    for each in scenarios.values():
        if each.kind == "input" and each.unit == "step":
            counts[each.baseline or each.id] = counts.get(each.baseline or each.id, 0) + 1
    return max(counts, key=lambda id: counts[id]) if counts else ""
