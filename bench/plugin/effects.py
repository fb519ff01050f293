"""Measuring one effect for a test: launches until its interval is narrow enough."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.results.effects import log_ratio
from bench.results.errors import UsageError
from bench.results.statistics import as_speedup
from bench.results.values import Launch, Role, WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import (
    PROFILES,
    Profile,
    find_configuration,
    read_table,
    scenario_folders,
)

LOOKS = (4, 6, 8, 12, 16, 24)
Launchers = Callable[[int], tuple[Launch, Launch]]


@dataclasses.dataclass(frozen=True)
class MeasuredEffect:
    """A speed-up of one thing over another, with its 95 % interval over launches."""

    new: str
    over: str
    speedup: float
    """Above 1: `new` is faster."""
    speedup_low: float
    speedup_high: float
    launches: int
    latency_ns: float
    """Median time of a step of `new`, for orientation; never compare two of these."""
    over_latency_ns: float
    precise: bool
    """Whether the interval became as narrow as was asked."""

    def __str__(self) -> str:
        """For pytest's failure messages and reports."""
        return (
            f"{self.new} is {self.speedup:.3f}× as fast as {self.over} "
            f"[{self.speedup_low:.3f}, {self.speedup_high:.3f}], {self.launches} launches"
        )


def until_precise(new: str, over: str, launch: Launchers, half_width: float) -> MeasuredEffect:
    """Launch until the interval's half-width suffices or the last look is reached.

    Args:
        new: Name of the candidate.
        over: Name of the baseline.
        launch: Makes the n-th launch: (baseline, candidate).
        half_width: Relative; 0.02 is ±2 %.
    """
    pairs: list[tuple[Launch, Launch]] = []
    for look in LOOKS:
        while len(pairs) < look:
            pairs.append(launch(len(pairs)))
        effect = log_ratio((b for b, _ in pairs), (n for _, n in pairs))
        if effect is None:
            raise UsageError(f"{new} and {over} took no turns together")
        precise = (effect.high - effect.low) / 2 <= half_width
        if precise:
            break
    assert effect is not None, "there is at least one look"
    speed = as_speedup(effect)
    base_ns, own_ns = (
        median(turn.step_ns for pair in pairs for turn in pair[side].turns) for side in (0, 1)
    )
    return MeasuredEffect(
        new,
        over,
        speed.value,
        speed.low,
        speed.high,
        speed.launches,
        latency_ns=own_ns,
        over_latency_ns=base_ns,
        precise=precise,
    )


def launcher(members: Sequence[Member], profile: Profile) -> Launchers:
    """Launches of a group of two.

    They raise LaunchFailed where one of both fails, and Unsupported where none can be made.
    """

    def launch(index: int) -> tuple[Launch, Launch]:
        name = f"test/{members[1].scenario.id}"
        base, own = run_launch(name, members, index, profile, 0)
        for each in (base, own):
            if each.outcome != "ok":
                print(each.output, file=sys.stderr)
                raise LaunchFailed(each.outcome, f"{each.scenario}: {each.reason}")
        return base, own

    return launch


class Scenarios:
    """Launches of scenarios for tests; the preloaded processes live as long as the session."""

    def __init__(self, workload: WorkloadSpec, configuration: str = "cpu-1") -> None:
        self._known = discover(folders=scenario_folders(read_table(None)))
        self._configuration = find_configuration(configuration, {})
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
        self._pool = Pool(workload, memory)
        self._prepared = False

    def launcher(self, new: str, over: str) -> Launchers:
        """Launches of a group of two.

        Raises:
            UsageError: An id is unknown, or the shared baseline cannot be trained.
        """
        for id in (new, over):
            if id not in self._known:
                raise UsageError(f"no scenario {id!r}: `tfbench list` shows them")
        members = [self._member(over, "baseline"), self._member(new, "candidate")]
        self._prepare(members[0])
        return launcher(members, PROFILES["quick"])

    def _member(self, id: str, role: Role) -> Member:
        scenario = self._known[id]
        environment = Environment.of(scenario, self._configuration, "", ROOT)
        return Member(scenario, self._configuration, self._pool.starting(environment), role)

    def _prepare(self, member: Member) -> None:
        """Train the shared baseline once a session, unless the cache holds it."""
        if self._prepared:
            return
        launch = member.launch(member.configuration, padding=0)
        try:
            launch.call("prepare", 1800.0)
        except LaunchFailed as error:
            raise UsageError(error.reason) from None
        finally:
            launch.close()
        self._prepared = True

    def close(self) -> None:
        """End the preloaded processes."""
        self._pool.close()


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine's lock for measuring: never two at once, whichever worker asks."""
    path = Path(tempfile.gettempdir()) / f"tfbench-measuring-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
