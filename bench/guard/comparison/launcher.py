"""The seam between the comparison and the sources of benchmarks: subjects, and their launcher."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bench.guard.comparison.values import OperationChange
from bench.results.values import Configuration, Launch

Side = Literal["base", "head"]


class Benchmark(Protocol):
    """What the comparison needs to know of a benchmark on one side; a `Scenario` is one."""

    @property
    def kind(self) -> str:
        """Kind of path (`infer`, `train`, ...): training's accuracy has a limit of its own."""

    @property
    def path_kind(self) -> str:
        """Kind of path with an allowance of its own (`bench.guard.rule.limits.ALLOWANCES`)."""

    @property
    def unit(self) -> Literal["step", "job"]:
        """`job`: one step is the whole benchmark, so a launch times it once."""


@dataclass(frozen=True)
class Subject:
    """One benchmark in one configuration, as each side describes it."""

    id: str
    configuration: Configuration
    base: Benchmark | None
    """None: this side does not have it."""
    head: Benchmark | None

    @property
    def key(self) -> str:
        """`id@configuration`."""
        return f"{self.id}@{self.configuration.name}"

    @property
    def either(self) -> Benchmark:
        """The head's description, the base's where it vanished."""
        found = self.head or self.base
        assert found is not None, "a subject exists on one side at least"
        return found


Pair = tuple[Launch, Launch]
"""One launch of both sides: (base, head)."""
Stage = Literal["screen", "confirm"]
Upcoming = tuple[Subject, Stage, int]
"""A launch to come: subject, stage and index."""


class Launcher(Protocol):
    """Launches both sides of a subject."""

    def seconds(self) -> float:
        """Time since the guard began."""

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        """One untimed probe each, in this order; several at once where cores allow it.

        Args:
            wanted: What to probe.
            spent_s: Time that was spent on others of them, before an interruption.
        """

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """One launch of both sides taking turns: (base, head); `then` may be built meanwhile."""

    def restart(self) -> None:
        """Let later launches come from newly started processes; forks inherit their layout."""

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Which operations' times differ between traces of both sides, largest difference first."""
