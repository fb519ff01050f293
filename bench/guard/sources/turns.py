"""Launches of both sides that take turns, the next one built meanwhile; whatever is launched."""

from __future__ import annotations

import dataclasses
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from bench.guard.comparison.launcher import Pair, Stage, Subject, Upcoming
from bench.sweep.groups import end_launch
from bench.sweep.members import Member
from bench.sweep.progress import Reporter
from bench.sweep.settings import Profile
from bench.sweep.starting import Cores, Started, cores_apart, free_cores, start_launch

PROFILE = Profile(
    name="guard",
    looks=(6,),
    half_width=1.0,
    turn_ms=3,
    rounds=36,
    member_s=0.3,
    placements=4,
    warmup_s=0.15,
    epochs=1,
    timeout_s=300,
    trace=False,
    controls=False,
    members=2,
    within_error=0.004,
    build_apart=True,
)
"""Launches that take their turns in about the time in which the next one is built: launches differ
as a whole by as much as longer turns would average away. One epoch: the first losses show whether
training does the same work, and an eager epoch costs many launches."""
BESIDES_S = 1.0
"""What a launch takes beside its turns: warm-up, steps that are not timed, remapping memory."""
MOST_MEMBER_S = 1.5
"""Turns that a side takes at most in a launch, however long it was built."""


class TurnTaking(ABC):
    """Starts launches of both sides and lets them take turns.

    Args:
        reporter: Shows progress.
        profile: How long launches are.
        seed: Of orders and layouts.
    """

    def __init__(self, reporter: Reporter, profile: Profile = PROFILE, seed: int = 0) -> None:
        self._reporter, self._profile, self._seed = reporter, profile, seed
        self._begun = time.monotonic()
        self._builder = ThreadPoolExecutor(1)
        self._ahead: dict[tuple[str, Stage, int], Future[Started]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()
        self._builder.shutdown()

    def seconds(self) -> float:
        """Time since the guard began."""
        return time.monotonic() - self._begun

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """One launch of both sides taking turns; `then` is built meanwhile, on other cores.

        When the turns are over, what is still to be built is built on their core too.
        """
        ahead = self._ahead.pop((subject.key, stage, index), None)
        self._discard()
        started = ahead.result() if ahead else self._start(subject, stage, index)
        free = free_cores(sorted(all_cores() - set(subject.configuration.cpus)))
        if then is not None and not free.empty() and cores_apart(self._members(*then)):
            key = then[0].key, then[1], then[2]
            self._ahead[key] = self._builder.submit(self._start, *then, free)
        base, head = end_launch(started, self._patient(started) if ahead else self._profile)
        for core in subject.configuration.cpus:
            free.put(core)
        return base, head

    @abstractmethod
    def _members(self, subject: Subject, stage: Stage, index: int) -> Sequence[Member]:
        """Both sides of a launch, the base first."""

    def _start(
        self, subject: Subject, stage: Stage, index: int, cores: Cores | None = None
    ) -> Started:
        name, members = f"{stage}/{subject.key}", self._members(subject, stage, index)
        return start_launch(name, members, index, self._profile, self._seed, cores)

    def _patient(self, started: Started) -> Profile:
        """Turns may take as long as building did: the next launch takes as long to build."""
        spare_s = (started.seconds - BESIDES_S) / len(started.places)
        member_s = max(self._profile.member_s, min(spare_s, MOST_MEMBER_S))
        return dataclasses.replace(self._profile, member_s=member_s)

    def _discard(self) -> None:
        """End launches that were built ahead for nothing."""
        for ahead in self._ahead.values():
            ahead.result().close()
        self._ahead.clear()


def all_cores() -> set[int]:
    """The cores that this process may use."""
    return set(os.sched_getaffinity(0))
