"""Who takes part in a group, and what is known of each in one launch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.results.values import Configuration, Launch, Role, Scenario, Turn
from bench.sweep.running import LaunchFailed


class Process(Protocol):
    """A launch that answers messages (`bench.launch.timing.launch` says which)."""

    @property
    def waited_s(self) -> float:
        """Wall time spent in waiting for its answers."""

    @property
    def waited_cpu_s(self) -> float:
        """CPU time of it."""

    @property
    def stood_still_s(self) -> float:
        """Wall time in which it stood still, and this process with it."""

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send one message and wait for its answer; raises LaunchFailed where none comes."""

    def pause(self) -> None:
        """Stop it until the next call: none of its threads may run in another's turn."""

    def output(self) -> str:
        """The end of what it printed."""

    def close(self) -> None:
        """End it and free what it held here."""


@dataclass(frozen=True)
class Member:
    """One side of a comparison: what is timed, where, how it is started, what it is there for."""

    scenario: Scenario
    configuration: Configuration
    start: Start
    role: Role = "candidate"
    slowdown: float = 0.0
    """Share by which each of its turns is made longer; an effect of known size."""
    side: str = ""
    more_work: float = 0.0
    """Share of further, uncounted steps in each of its turns; an effect of known size."""

    def launch(self, configuration: Configuration, padding: int) -> Process:
        """A new launch of it; raises LaunchFailed.

        Args:
            configuration: Its own, or the same on the core where it is built.
            padding: Bytes that shift the launch's memory layout.
        """
        return self.start(self, configuration, padding)

    @property
    def held_up(self) -> float:
        """Of its slow-down, what it cannot make itself: an input pipeline's threads would go on."""
        return self.slowdown if self.scenario.kind == "input" else 0.0

    @property
    def shown(self) -> bool:
        """Whether a row shows what is found of it, as none does of a control."""
        return self.role in ("baseline", "candidate")

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the group's other members."""
        return self.scenario.id, self.configuration.name, self.role, self.side


Start = Callable[[Member, Configuration, int], Process]
"""Starts a launch of a member: forked from a preloaded process, from the tests' own, ..."""


@dataclass
class Place:
    """A member in one launch of its group: its process and what it reported so far."""

    member: Member
    launch: Launch
    process: Process | None = None
    steps: int = 1
    """In each of its turns."""
    step_ns: float = 0.0
    stride: int = 1
    """It takes part in every stride-th round."""
    turns: list[Turn] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether it can still take turns."""
        return self.process is not None and self.launch.outcome == "ok"

    def fail(self, error: LaunchFailed) -> None:
        """Note why it ended, with what it printed last, and free its process."""
        self.launch = dataclasses.replace(
            self.launch,
            outcome=error.outcome,  # type: ignore[arg-type]
            reason=error.reason,
            output=self.process.output() if self.process else "",
        )
        self.close()

    def close(self) -> None:
        """End its process."""
        if self.process is not None:
            self.process.close()
            self.process = None
