"""Launching scenarios on both sides: probes, groups of two, traces of both."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Pair, Side, Stage, Subject, Upcoming
from bench.guard.comparison.values import OperationChange
from bench.guard.sources import operations
from bench.results.errors import TfbenchError, UsageError
from bench.results.values import Configuration, Launch, Scenario, WorkloadSpec
from bench.sweep.groups import end_launch, run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.probing import probe
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
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
COLD_BUILD_S = 1.0
"""A build that took longer may have made its artifact, which leaves less memory to grow into."""
BESIDES_S = 1.0
"""What a launch takes beside its turns: warm-up, steps that are not timed, remapping memory."""
MOST_MEMBER_S = 1.5
"""Turns that a side takes at most in a launch, however long it was built."""


class LiveLauncher:
    """Both sides' preloaded processes and what is asked of them.

    Args:
        base: One version.
        head: The other.
        workload: Given to every launch.
        memory_bytes: Limit of one launch.
        reporter: Shows progress.
        profile: How long launches are.
        seed: Of orders and layouts.
    """

    def __init__(
        self,
        base: Checkout,
        head: Checkout,
        workload: WorkloadSpec,
        memory_bytes: int,
        reporter: Reporter,
        profile: Profile = PROFILE,
        seed: int = 0,
    ) -> None:
        self._sides: Mapping[Side, Checkout] = {"base": base, "head": head}
        self._workload, self._memory_bytes = workload, memory_bytes
        self._pool = Pool(workload, memory_bytes)
        self._reporter, self._profile, self._seed = reporter, profile, seed
        self._known: set[Environment] = set()
        self._begun = time.monotonic()
        self._builder = ThreadPoolExecutor(1)
        self._ahead: dict[tuple[str, Stage, int], Future[Started]] = {}

    def __enter__(self) -> LiveLauncher:
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()
        self._builder.shutdown()
        self._pool.close()

    def seconds(self) -> float:
        """Time since the guard began."""
        return time.monotonic() - self._begun

    def prepare(self, subjects: Sequence[Subject]) -> None:
        """Start both sides' processes together, and train each side's baseline where it is new.

        Raises:
            UsageError: A side does not start, or its baseline does not converge.
        """
        both = [s for s in subjects if s.base is not None and s.head is not None]
        for subject in both:
            for side in self._sides:
                self._environment(subject, side)
        for subject in both[:1]:
            for side in self._sides:
                self._reporter.begin(f"the shared baseline of {side}")
                launch = self._pool.launch(
                    self._environment(subject, side), _of(subject, side), _whole(subject)
                )
                try:
                    launch.call("prepare", 6 * self._profile.timeout_s)
                except LaunchFailed as error:
                    raise UsageError(f"{side}: {error.reason}") from None
                finally:
                    launch.close()

    def probe(self, wanted: Sequence[tuple[Subject, Side]]) -> list[Launch]:
        """Untimed probes, one on each core at a time."""
        if not wanted:
            return []
        cores = sorted({c for subject, _ in wanted for c in subject.configuration.cpus} | _all())
        single = all(len(s.configuration.cpus) == 1 for s, _ in wanted)
        device = any(s.configuration.device != "cpu" for s, _ in wanted)
        workers = min(len(cores), 4) if single and not device else 1
        places = cycle(cores)
        jobs = [
            (s, side, _on(s.configuration, next(places)) if workers > 1 else s.configuration)
            for s, side in wanted
        ]
        with ThreadPoolExecutor(workers) as executor:
            return list(executor.map(lambda job: self._probe(*job), jobs))

    def time(
        self, subject: Subject, stage: Stage, index: int, then: Upcoming | None = None
    ) -> Pair:
        """One launch of both sides taking turns; `then` is built meanwhile, on other cores.

        When the turns are over, what is still to be built is built on their core too.
        """
        ahead = self._ahead.pop((subject.key, stage, index), None)
        self._discard()
        started = ahead.result() if ahead else self._start(subject, stage, index)
        free = free_cores(sorted(_all() - set(subject.configuration.cpus)))
        if then is not None and not free.empty() and cores_apart(self._members(then[0])):
            key = then[0].key, then[1], then[2]
            self._ahead[key] = self._builder.submit(self._start, *then, free)
        base, head = end_launch(started, self._patient(started) if ahead else self._profile)
        for core in subject.configuration.cpus:
            free.put(core)
        return base, head

    def restart(self) -> None:
        """Start new processes for both sides."""
        self._reporter.begin("starting new processes to confirm")
        self._discard()
        self._pool.close()
        self._pool = Pool(self._workload, self._memory_bytes)
        for environment in self._known:
            self._pool.process(environment)

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Kinds of operations whose self time a step differs between traces of both sides."""
        short = dataclasses.replace(self._profile, rounds=1, warmup_s=0.1)
        with tempfile.TemporaryDirectory(prefix="tfbench-traces-") as folder:
            name, members = f"trace/{subject.key}", self._members(subject)
            pair = run_launch(name, members, 0, short, self._seed, Path(folder))
            files = [str(x.probes.get("trace", {}).get("file", "")) for x in pair]
            if not all(files):
                return ()
            try:
                return operations.changes(*map(Path, files))
            except TfbenchError as error:
                self._reporter.note(f"traces of {subject.key}: {error}")
                return ()

    # --- pieces -------------------------------------------------------------------------------

    def _environment(self, subject: Subject, side: Side) -> Environment:
        place = self._sides[side]
        found = Environment.of(_of(subject, side), subject.configuration, place.python, place.root)
        found = dataclasses.replace(found, folder=str(place.root))
        self._known.add(found)
        self._pool.process(found)
        return found

    def _members(self, subject: Subject) -> list[Member]:
        return [
            Member(
                _of(subject, side),
                subject.configuration,
                self._pool.starting(self._environment(subject, side)),
                "baseline" if side == "base" else "candidate",
                side=side,
            )
            for side in self._sides
        ]

    def _start(
        self, subject: Subject, stage: Stage, index: int, cores: Cores | None = None
    ) -> Started:
        name, members = f"{stage}/{subject.key}", self._members(subject)
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

    def _probe(self, subject: Subject, side: Side, configuration: Configuration) -> Launch:
        scenario = _of(subject, side)
        self._reporter.begin(f"{scenario.id}: proof, quality and size of {side}")
        record = Launch(
            scenario.id, subject.configuration.name, group=f"probe/{subject.key}", purpose="probe",
            side=side, started_s=round(time.time(), 3),
        )  # fmt: skip
        environment = self._environment(subject, side)
        start = partial(self._pool.launch, environment, scenario, configuration)
        record = probe(start, record, scenario, self._profile, COLD_BUILD_S)
        self._reporter.done()
        return record


def _of(subject: Subject, side: Side) -> Scenario:
    scenario = subject.base if side == "base" else subject.head
    assert isinstance(scenario, Scenario), "only scenarios that both sides have are launched"
    return scenario


def _whole(subject: Subject) -> Configuration:
    """The subject's configuration on all cores: nothing is timed while the baseline is trained."""
    configuration, cores = subject.configuration, sorted(_all())
    if configuration.device != "cpu":
        return configuration
    return dataclasses.replace(configuration, threads=len(cores), cpus=tuple(cores))


def _on(configuration: Configuration, core: int) -> Configuration:
    return dataclasses.replace(configuration, cpus=(core,))


def _all() -> set[int]:
    return set(os.sched_getaffinity(0))
