"""What the comparison asks of whoever launches: probes, timed pairs, new processes, traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from bench.guard.values import OperationChange, Side, Subject
from bench.results.values import Launch

Pair = tuple[Launch, Launch]
"""One launch of both sides: (base, head)."""
Stage = Literal["screen", "confirm"]
Upcoming = tuple[Subject, Stage, int]
"""A launch to come: subject, stage and index."""


class Launcher(Protocol):
    """Launches both sides of a subject."""

    def seconds(self) -> float:
        """Time since the guard began."""

    def probe(self, wanted: Sequence[tuple[Subject, Side]]) -> list[Launch]:
        """One untimed probe each, several at once where cores allow it."""

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """One launch of both sides taking turns: (base, head); `then` may be built meanwhile."""

    def restart(self) -> None:
        """Let later launches come from newly started processes; forks inherit their layout."""

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Which operations' times differ between traces of both sides, largest difference first."""
