"""A launcher that invents launches: known effects, known noise, no waiting."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.guard.comparison.launcher import Side, Stage, Subject, Upcoming
from bench.guard.comparison.values import OperationChange
from bench.guard.loop.budget import Guard
from bench.guard.rule.limits import Limits
from bench.results.values import Configuration, Launch, Scenario, Turn
from bench.sweep.progress import Silent

CPU_1 = Configuration("cpu-1", 1, (0,))
CONVOLUTION = OperationChange("Conv2D", 1000.0, 1400.0, 3, 3)


def scenario(id: str) -> Scenario:
    kind, _, name = id.partition("/")
    return Scenario(id, kind, "A scenario.", f"scenarios.{kind}.x", name, "x.py", 1)  # type: ignore[arg-type]


def subject(id: str = "infer/one", base: bool = True, head: bool = True) -> Subject:
    info = scenario(id)
    return Subject(id, CPU_1, info if base else None, info if head else None)


@dataclass
class Effect:
    """What is true of one subject."""

    change: float = 0.0
    """Head is slower by this share."""
    noise: float = 0.005
    """Standard deviation of a launch's log ratio."""
    order: float = 0.0
    """Log bias of being started second."""
    process: float = 0.0
    """Standard deviation of the bias that all forks of one process share."""
    outlier: float = 0.0
    """Share of launches that are off by 20 %, to either side."""
    first_step: float = 0.0
    step_s: float = 0.002
    launch_s: float | None = None
    """Seconds of one launch of both sides; None: as long as everybody's."""
    base: Mapping[str, object] = field(default_factory=dict)
    """Fields of base's probe."""
    head: Mapping[str, object] = field(default_factory=dict)
    fails: Callable[[Side, int], str] = lambda side, number: ""
    """Reason why the n-th probe of a side fails, "" where it does not."""


class FakeLauncher:
    """Keeps its own time: a launch takes `launch_s`, a probe `probe_s`."""

    def __init__(self, effects: Mapping[str, Effect], seed: int = 0, launch_s: float = 1.0) -> None:
        self.effects, self.launch_s = effects, launch_s
        self.rng = random.Random(seed)
        self.clock = 0.0
        self.restarts = 0
        self.timed: list[tuple[str, str, int]] = []
        self.announced: list[tuple[str, str, int] | None] = []
        """With each of them, the launch that is to follow."""
        self.spent: list[float] = []
        """With each call for probes, the time that was spent on them before."""
        self.probed: dict[tuple[str, Side], int] = {}
        self.bias: dict[str, float] = {}
        self._draw_processes()

    def _draw_processes(self) -> None:
        for id, effect in self.effects.items():
            self.bias[id] = self.rng.gauss(0, effect.process) if effect.process else 0.0

    def seconds(self) -> float:
        return self.clock

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        self.spent.append(spent_s)
        for each, side in wanted:
            yield self._probe(each, side)

    def _probe(self, subject: Subject, side: Side) -> Launch:
        self.clock += 0.1
        effect = self.effects[subject.id]
        number = self.probed[subject.id, side] = self.probed.get((subject.id, side), 0) + 1
        reason = effect.fails(side, number)
        record = Launch(subject.id, "cpu-1", purpose="probe", side=side)
        if reason:
            return dataclasses.replace(record, outcome="failed", reason=reason)
        fields = {
            "peak_memory_bytes": 20_000_000 + self.rng.randrange(100_000),
            "artifact_bytes": 100_000,
            "parameters": 1000,
            "multiply_adds": 50_000,
            "accuracy": 0.9,
            "correct": (1,) * 900 + (0,) * 100,
            "probes": {"traces": 1},
        }
        own = effect.base if side == "base" else effect.head
        return dataclasses.replace(record, **{**fields, **own})

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> tuple[Launch, Launch]:
        effect = self.effects[subject.id]
        self.clock += self.launch_s if effect.launch_s is None else effect.launch_s
        self.timed.append((subject.id, stage, index))
        self.announced.append((then[0].id, then[1], then[2]) if then else None)
        head_first = index % 2
        log = math.log1p(effect.change) + self.rng.gauss(0, effect.noise) + self.bias[subject.id]
        log += effect.order if head_first else -effect.order
        if self.rng.random() < effect.outlier:
            log += self.rng.choice((-0.2, 0.2))
        slow = 1e9 * effect.step_s * math.exp(self.rng.gauss(0, 0.3))  # the machine's own drift
        first = 0.1 * math.exp(self.rng.gauss(0, 0.01))
        return (
            _timed(subject, "base", slow, first, head_first),
            _timed(
                subject, "head", slow * math.exp(log), first * (1 + effect.first_step),
                1 - head_first,
            ),
        )  # fmt: skip

    def restart(self) -> None:
        self.clock += 10
        self.restarts += 1
        self._draw_processes()

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        self.clock += 4
        return (CONVOLUTION,)


def _timed(subject: Subject, side: Side, step_ns: float, first: float, order: int) -> Launch:
    turns = tuple(Turn(i, 0, 10, round(10 * step_ns)) for i in range(2))
    return Launch(
        subject.id, "cpu-1", side=side, turns=turns, start_order=order, first_step_s=first,
        examples_per_step=1,
    )  # fmt: skip


def pair(log: float, order: int = 0) -> tuple[Launch, Launch]:
    """One launch of both sides whose log ratio is known."""
    base = _timed(subject(), "base", 2e6, 0.1, order)
    return base, _timed(subject(), "head", 2e6 * math.exp(log), 0.1, 1 - order)


def compare(
    effects: Mapping[str, Effect],
    seed: int = 0,
    budget_s: float = 600.0,
    limits: Limits | None = None,
    subjects: Sequence[Subject] | None = None,
    launch_s: float = 1.0,
) -> tuple[Guard, FakeLauncher]:
    """Run the guard on invented launches."""
    launcher = FakeLauncher(effects, seed, launch_s)
    chosen = subjects or [subject(id) for id in effects]
    guard = Guard(launcher, chosen, limits or Limits(), budget_s, Silent())
    guard.run()
    return guard, launcher


def verdicts(guard: Guard, metric: str = "latency") -> dict[str, str]:
    return {j.scenario: j.verdict for j in guard.judgements if j.metric == metric}
