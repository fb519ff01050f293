"""Launching a user's functions and tests on both sides: probes, turns, profiles."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Side, Stage, Subject
from bench.guard.comparison.values import OperationChange
from bench.guard.sources import functions
from bench.guard.sources.processes import Beside, Spawner, environment
from bench.guard.sources.source import Benchmark, Wanted, of_probes
from bench.guard.sources.turns import PROFILE, TurnTaking, all_cores
from bench.results.errors import UsageError
from bench.results.values import Configuration, Launch, Scenario
from bench.sweep.members import Member, Start
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed

PROFILED_S = 1.0
PROBES_SHARE = 0.2
"""Of the budget: of a suite with more benchmarks, memory is looked at as far as that suffices."""
LATE = "memory was not looked at: the budget is too short"
MOST_HASH_SEED = 2**32 - 1


class CodeLauncher(TurnTaking):
    """Starts a new process for each launch of a side, in its tree and with its interpreter.

    Args:
        sides: Both versions.
        request: What lists a side's benchmarks; with a name added, it is a launch of one.
        spawner: Starts processes.
        reporter: Shows progress.
        wanted: Seed of orders and layouts, and the budget.
    """

    def __init__(
        self,
        sides: Mapping[Side, Checkout],
        request: Callable[[Checkout], dict[str, Any]],
        spawner: Spawner,
        reporter: Reporter,
        wanted: Wanted,
    ) -> None:
        super().__init__(reporter, PROFILE, wanted.seed)
        self._probes_s = PROBES_SHARE * wanted.budget_s
        self._sides, self._request, self._spawner = sides, request, spawner
        self._variables = {s: environment(c, sides["head"]) for s, c in sides.items()}

    @staticmethod
    def place(configuration: Configuration, core: int) -> Configuration:
        """Where something untimed runs."""
        return dataclasses.replace(configuration, cpus=(core,))

    def probe(
        self, wanted: Sequence[tuple[Subject, Side]], spent_s: float = 0.0
    ) -> Generator[Launch, None, None]:
        """Untimed probes, one on each core at a time, while there is time for them."""
        until_s = self.seconds() + self._probes_s - spent_s
        cores = cycle(sorted(all_cores()))
        with ThreadPoolExecutor(len(all_cores())) as executor:
            # an interruption cancels what `map` has not begun
            yield from executor.map(
                lambda job: self._probe(job[0], job[1], next(cores), until_s), wanted
            )

    def restart(self) -> None:
        """Every launch is a new process as it is."""

    def operations(self, subject: Subject) -> tuple[OperationChange, ...]:
        """Functions whose calls or own time differ between sampled profiles of both sides."""
        found = []
        for side in self._sides:
            launch = self._launch(subject, side, subject.configuration, 0, 0)
            try:
                launch.call("build", self._profile.timeout_s)
                root = os.path.realpath(self._sides[side].root)
                answer = launch.call(
                    "profile", self._profile.timeout_s, wanted_s=PROFILED_S, root=root
                )
            except LaunchFailed as error:
                self._reporter.note(f"profile of {subject.key}: {error.reason}")
                return ()
            finally:
                launch.close()
            found.append(answer["functions"])
        return functions.changes(*found)

    # --- pieces ---------------------------------------------------------------------------------

    def _members(self, subject: Subject, stage: Stage, index: int) -> list[Member]:
        """Both sides' hashes are seeded alike, and anew in each launch: sets have one order."""
        name = f"{self._seed}/{stage}/{subject.key}/{index}"
        hashes = random.Random(name).randrange(MOST_HASH_SEED)
        return [
            Member(
                _scenario(subject, side),
                subject.configuration,
                self._starting(subject, side, hashes),
                "baseline" if side == "base" else "candidate",
                side=side,
            )
            for side in self._sides
        ]

    def _starting(self, subject: Subject, side: Side, hashes: int) -> Start:
        def start(_: Member, configuration: Configuration, padding: int) -> Beside:
            return self._launch(subject, side, configuration, padding, hashes)

        return start

    def _launch(
        self, subject: Subject, side: Side, where: Configuration, padding: int, hashes: int
    ) -> Beside:
        place, benchmark = self._sides[side], of(subject, side)
        request = {**self._request(place), "name": benchmark.name, "other": self._other(side)}
        facts = benchmark.facts
        if "path" in facts:
            request["arguments"] = [facts["path"], f"--rootdir={facts['rootdir']}"]
        variables = {"PYTHONHASHSEED": str(hashes)} | self._variables[side]
        return self._spawner.start(place.python, request, where, place.root, variables, padding)

    def _other(self, side: Side) -> str:
        """The other version's root, from which this side may import nothing."""
        roots = {name: os.path.realpath(each.root) for name, each in self._sides.items()}
        other = roots["head" if side == "base" else "base"]
        nested = other == roots[side] or roots[side].startswith(other + os.sep)
        return "" if nested else other

    def _probe(self, subject: Subject, side: Side, core: int, until_s: float) -> Launch:
        benchmark = of(subject, side)
        self._reporter.begin(f"{subject.id}: memory of {side}")
        begun = time.monotonic()
        record = Launch(
            subject.id, subject.configuration.name, group=f"probe/{subject.key}", purpose="probe",
            side=side, started_s=round(time.time(), 3),
        )  # fmt: skip
        if "outcome" in benchmark.facts:
            outcome, reason = benchmark.facts["outcome"], benchmark.facts["reason"]
            return dataclasses.replace(record, outcome=outcome, reason=reason)  # type: ignore[arg-type]
        if self.seconds() > until_s:
            return dataclasses.replace(record, warnings=(LATE,))
        configuration = subject.configuration
        if len(configuration.cpus) == 1:
            configuration = self.place(configuration, core)
        launch = self._launch(subject, side, configuration, 0, 0)
        try:
            launch.call("build", self._profile.timeout_s, first_step=False)
            found = launch.call("probe", self._profile.timeout_s)
            record = dataclasses.replace(record, **found)
        except LaunchFailed as error:
            if error.usage:
                raise UsageError(f"{self._sides[side].label}: {error.reason}") from None
            record = dataclasses.replace(
                record,
                outcome=error.outcome,  # type: ignore[arg-type]
                reason=error.reason,
                output=launch.output(),
            )
        finally:
            launch.close()
            self._reporter.done()
        kept = record.probes.get("kept_bytes")
        if kept and side == "head":
            note = f"{subject.id} keeps {kept:,} bytes more after every call: does it change state?"
            record = dataclasses.replace(record, warnings=(note,))
        return dataclasses.replace(record, wall_s=time.monotonic() - begun)


def noticed(launches: Sequence[Launch]) -> list[str]:
    """What probes warned of; benchmarks that were left out are counted."""
    late = {each.scenario for each in launches if LATE in each.warnings}
    told = [line for line in of_probes(launches) if line != LATE]
    if not late:
        return told
    return [*told, f"memory of {len(late)} benchmarks was not looked at: the budget is too short"]


def of(subject: Subject, side: Side) -> Benchmark:
    """A side's benchmark."""
    found = subject.base if side == "base" else subject.head
    assert isinstance(found, Benchmark), "only benchmarks that both sides have are launched"
    return found


def _scenario(subject: Subject, side: Side) -> Scenario:
    """What a member needs to know."""
    return Scenario(subject.id, "infer", "", "", "", "", 0, unit=of(subject, side).unit)
