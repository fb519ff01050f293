"""Does the pieces of a plan by launches on this machine; there may be other executors."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

from bench.results.values import Configuration, Launch, Scenario
from bench.sweep import budgets, controls, planning, probing
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.journal import Journal
from bench.sweep.members import Member, Process
from bench.sweep.pieces import Probe, Seat, Turns
from bench.sweep.planning import Plan
from bench.sweep.preloaded import Pool
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Settings

MOST_PROBES = 4
"""At once."""
Slot = tuple[Configuration, Configuration]
"""Where a probe runs, and its share of those cores."""
DISTURBANCES = 3
"""Roundings from which it is seen how far a training carries one."""


class Executor:
    """Launches here.

    Args:
        plan: Whose pieces are done.
        pool: From which launches are forked.
        environment: Of a scenario in a configuration.
        seed: Of the orders.
        warnings: Of the shared baseline, on every probe.
    """

    def __init__(
        self,
        plan: Plan,
        pool: Pool,
        environment: Callable[[Scenario, Configuration], Environment],
        seed: int = 0,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.plan = plan
        self._pool, self._environment = pool, environment
        self._seed, self._warnings = seed, warnings
        self._configurations = {c.name: c for c in plan.configurations}
        self._followed = {s.baseline for s in plan.scenarios if s.follows}
        self._moved: dict[tuple[str, str], list[list[float]]] = {}
        self._moving = threading.Lock()

    def probe(self, pieces: Sequence[Probe], journal: Journal) -> Iterator[Launch]:
        """Probe scenarios beside each other: nothing is timed here.

        Args:
            pieces: All in one configuration.
            journal: With the probes that were made before.

        Yields:
            Each as soon as it is known whether it does its baseline's work.
        """
        places = slots(self._configurations[pieces[0].configuration])
        free: deque[Slot] = deque(zip(places, shares(places), strict=True))
        waiting, unchecked = deque(pieces), list[Launch]()
        checks: deque[Callable[[Slot], Launch]] = deque()
        running: dict[Future[Launch], tuple[Slot, bool]] = {}
        found: dict[str, Launch] = {}
        threads = ThreadPoolExecutor(len(places))
        try:
            while waiting or checks or running:
                while free and (checks or waiting):
                    slot, final = free.popleft(), bool(checks)  # checks before further probes
                    do = checks.popleft() if final else self._probing(waiting.popleft())
                    running[threads.submit(do, slot)] = slot, final
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    slot, final = running.pop(done)
                    free.append(slot)
                    if final:
                        yield done.result()
                        continue
                    launch = found[done.result().scenario] = done.result()
                    unchecked.append(launch)
                for launch in list(unchecked):
                    base = self._base(launch, found, journal)
                    if base is not None:
                        unchecked.remove(launch)
                        checks.append(partial(self._checked, launch, base))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
        yield from unchecked

    def turns(self, piece: Turns, traces: Path | None) -> list[Launch]:
        """Launch a group once; its members take turns alone on the machine."""
        members = [self._member(seat) for seat in piece.seats]
        name = piece.group.name
        return run_launch(name, members, piece.index, self.plan.profile, self._seed, traces)

    def _base(self, launch: Launch, found: Mapping[str, Launch], journal: Journal) -> Launch | None:
        """What a probe is checked against, maybe itself; None: it is not there yet."""
        id = self.plan.by_id[launch.scenario].baseline
        if id is None or id not in self.plan.by_id:
            return launch
        return found.get(id) or journal.probe(id, launch.configuration)

    def _probing(self, piece: Probe) -> Callable[[Slot], Launch]:
        return partial(self._probe, self.plan.by_id[piece.scenario])

    def _probe(self, scenario: Scenario, slot: Slot) -> Launch:
        place, share = slot
        record = Launch(
            scenario.id, place.name, purpose="probe", warnings=self._warnings,
            started_s=round(time.time(), 3),
        )  # fmt: skip
        environment = self._environment(scenario, self._configurations[place.name])

        def start(**changes: Any) -> Process:
            # of a repeated training only how good it gets is asked: two that share all cores
            # hinder each other more than two on cores of their own
            where = share if "training" in changes else place
            return self._pool.launch(environment, scenario, where, **changes)

        return probing.probe(
            start, record, scenario, self.plan.profile,
            compared=bool(scenario.follows) or scenario.id in self._followed,
            training_s=budgets.training_s(self.plan.technique_s, self.plan.profile),
        )  # fmt: skip

    def _checked(self, launch: Launch, base: Launch, slot: Slot) -> Launch:
        scenario = self.plan.by_id[launch.scenario]
        return probing.checked(launch, base, scenario, partial(self._disturbed, scenario, slot))

    def _disturbed(self, scenario: Scenario, slot: Slot) -> list[list[float]]:
        """First losses of the baseline from weights that the path's precision rounds otherwise."""
        base, precision = self.plan.by_id[str(scenario.baseline)], str(scenario.follows)
        place, limit_s = slot[0], self.plan.profile.timeout_s
        environment = self._environment(base, self._configurations[place.name])
        start = partial(self._pool.launch, environment, base, place, disturbed=precision)
        with self._moving:
            if (base.id, precision) not in self._moved:
                try:
                    self._moved[base.id, precision] = [
                        probing.comparable_losses(partial(start, disturbance=n), limit_s)[0]
                        for n in range(DISTURBANCES)
                    ]
                except LaunchFailed:
                    self._moved[base.id, precision] = []  # nothing more is allowed
            return self._moved[base.id, precision]

    def _member(self, seat: Seat) -> Member:
        scenario, configuration = (
            self.plan.by_id[seat.scenario], self._configurations[seat.configuration]
        )  # fmt: skip
        start = self._pool.starting(self._environment(scenario, configuration))
        slowdown = controls.SLOWDOWN if seat.role == "control-slow" else 0.0
        return Member(scenario, configuration, start, seat.role, slowdown, seat.side)


def planned(
    settings: Settings,
    scenarios: tuple[Scenario, ...],
    start_s: float,
    wanted: frozenset[str] | None,
    stored: Mapping[str, Any] | None = None,
) -> tuple[Plan, dict[str, Any]]:
    """A run's plan, and what run.json keeps of it.

    Args:
        settings: Of the run.
        scenarios: Those that apply.
        start_s: What a launch takes to start.
        wanted: What is to be measured; None: all.
        stored: What was kept when the run began, where one goes on.
    """
    start_s = stored["start_s"] if stored else start_s
    plan = Plan(
        scenarios, settings.configurations, settings.profile, start_s, settings.members,
        settings.group_bytes, wanted=wanted,
    )  # fmt: skip
    if stored:
        budget_s = stored["technique_s"] or math.inf
    else:
        seconds = planning.left_s(plan, [], len(slots(settings.configurations[0])))
        largest = max((plan.expected_s(each) for each in scenarios), default=0.0)
        budget_s = budgets.technique_s(seconds, largest, bool(settings.patterns))
    kept = {"start_s": start_s, "technique_s": None if math.isinf(budget_s) else budget_s}
    return dataclasses.replace(plan, technique_s=budget_s), kept


def slots(
    configuration: Configuration, available: Sequence[int] | None = None
) -> list[Configuration]:
    """Where probes of a configuration run at the same time: on cores of their own where it has few.

    Args:
        configuration: Theirs.
        available: Cores that may be used; None: this process's.
    """
    if configuration.device != "cpu":
        return [configuration]
    cores = sorted(os.sched_getaffinity(0)) if available is None else list(available)
    size = len(configuration.cpus)
    apart = [cores[i : i + size] for i in range(0, len(cores) - size + 1, size)]
    if len(apart) < 2:
        return [configuration] * max(1, min(size, MOST_PROBES))
    return [dataclasses.replace(configuration, cpus=tuple(c)) for c in apart[:MOST_PROBES]]


def shares(places: Sequence[Configuration]) -> list[Configuration]:
    """The places of probes, those that share all their cores each on its part of them."""
    size = len(places[0].cpus) // len(places)
    if len(places) == 1 or len({place.cpus for place in places}) > 1:
        return list(places)
    return [
        dataclasses.replace(
            place, cpus=place.cpus[i * size : (i + 1) * size], threads=min(place.threads, size)
        )
        for i, place in enumerate(places)
    ]
