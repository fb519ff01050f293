"""Who takes part in a group, and what is known of each in one launch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from bench.results.values import Configuration, Launch, Role, Scenario, Turn
from bench.sweep.preloaded import Environment, LaunchFailed, RunningLaunch


@dataclass(frozen=True)
class Member:
    """One side of a comparison: a scenario, where it runs, and what it is there for."""

    scenario: Scenario
    configuration: Configuration
    environment: Environment
    role: Role = "candidate"
    slowdown: float = 0.0
    """Share by which each of its turns is made longer; an effect of known size."""
    side: str = ""
    more_work: float = 0.0
    """Share of further, uncounted steps in each of its turns; an effect of known size."""

    @property
    def held_up(self) -> float:
        """Of its slow-down, what it cannot make itself: an input pipeline's threads would go on."""
        return self.slowdown if self.scenario.kind == "input" else 0.0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the group's other members."""
        return self.scenario.id, self.configuration.name, self.role, self.side


@dataclass
class Place:
    """A member in one launch of its group: its process and what it reported so far."""

    member: Member
    launch: Launch
    process: RunningLaunch | None = None
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
