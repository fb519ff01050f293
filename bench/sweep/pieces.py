"""The pieces of work that a plan consists of; members are named, so that any executor does them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.results.values import Launch, Role

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Seat:
    """A member of a group, by name."""

    scenario: str
    configuration: str
    role: Role = "candidate"
    side: str = ""

    @property
    def key(self) -> Key:
        """What tells it from the group's other members."""
        return self.scenario, self.configuration, self.role, self.side


@dataclass(frozen=True)
class Probe:
    """A planned probe."""

    scenario: str
    configuration: str
    kind: str
    expected_s: float
    stage: int = 0


@dataclass(frozen=True)
class Group:
    """A planned group, which is launched several times."""

    name: str
    configuration: str
    """The baseline's."""
    kind: str
    seats: tuple[Seat, ...]
    """The baseline first."""
    looks: tuple[int, ...]
    """Launches after which it may end."""
    expected_s: float
    """Of one launch."""
    stage: int = 0

    @property
    def base(self) -> str:
        """Id of the baseline."""
        return self.seats[0].scenario


@dataclass(frozen=True)
class Turns:
    """One launch of a group: who takes part."""

    group: Group
    index: int
    seats: tuple[Seat, ...]

    @property
    def stage(self) -> int:
        """The group's."""
        return self.group.stage


Piece = Probe | Turns


@dataclass(frozen=True)
class Outline:
    """A plan's pieces as far as they are known: where a probe is missing, it will be good."""

    probes: tuple[Probe, ...]
    groups: tuple[Group, ...]


def key(launch: Launch) -> Key:
    """The seat that a launch took."""
    return launch.scenario, launch.configuration, launch.role, launch.side
