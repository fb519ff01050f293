"""Launching scenarios on both sides: probes, groups of two, traces of both."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Side, Stage, Subject
from bench.guard.comparison.values import OperationChange
from bench.guard.sources import operations
from bench.guard.sources.turns import PROFILE, TurnTaking, all_cores
from bench.results.errors import TfbenchError, UsageError
from bench.results.values import Configuration, Launch, Scenario, WorkloadSpec
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.probing import probe
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile


class LiveLauncher(TurnTaking):
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
        super().__init__(reporter, profile, seed)
        self._pool = Pool(workload, memory_bytes)
        self._known: set[Environment] = set()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._pool.close()

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

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        """Untimed probes, one on each core at a time."""
        if not wanted:
            return
        named = {c for subject, _ in wanted for c in subject.configuration.cpus}
        cores = sorted(named | all_cores())
        single = all(len(s.configuration.cpus) == 1 for s, _ in wanted)
        device = any(s.configuration.device != "cpu" for s, _ in wanted)
        workers = min(len(cores), 4) if single and not device else 1
        places = cycle(cores)
        jobs = [
            (s, side, _on(s.configuration, next(places)) if workers > 1 else s.configuration)
            for s, side in wanted
        ]
        with ThreadPoolExecutor(workers) as executor:
            yield from executor.map(lambda job: self._probe(*job), jobs)

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

    def _members(self, subject: Subject, stage: Stage = "screen", index: int = 0) -> list[Member]:
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

    def _probe(self, subject: Subject, side: Side, configuration: Configuration) -> Launch:
        scenario = _of(subject, side)
        self._reporter.begin(f"{scenario.id}: proof, quality and size of {side}")
        record = Launch(
            scenario.id, subject.configuration.name, group=f"probe/{subject.key}", purpose="probe",
            side=side, started_s=round(time.time(), 3),
        )  # fmt: skip
        environment = self._environment(subject, side)
        start = partial(self._pool.launch, environment, scenario, configuration)
        record = probe(start, record, scenario, self._profile)
        self._reporter.done()
        return record


def _of(subject: Subject, side: Side) -> Scenario:
    scenario = subject.base if side == "base" else subject.head
    assert isinstance(scenario, Scenario), "only scenarios that both sides have are launched"
    return scenario


def _whole(subject: Subject) -> Configuration:
    """The subject's configuration on all cores: nothing is timed while the baseline is trained."""
    configuration, cores = subject.configuration, sorted(all_cores())
    if configuration.device != "cpu":
        return configuration
    return dataclasses.replace(configuration, threads=len(cores), cpus=tuple(cores))


def _on(configuration: Configuration, core: int) -> Configuration:
    return dataclasses.replace(configuration, cpus=(core,))
