"""tfbench's own decisions: blocks of launches of a group with identical and slowed members."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

from bench.results.as_json import to_json
from bench.results.errors import TfbenchError
from bench.results.values import Launch, Scenario
from bench.sweep.discovery import ROOT
from bench.sweep.groups import end_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.settings import find_configuration
from bench.sweep.starting import free_cores, start_launch
from research.precision.cases import IDENTICAL, Case
from research.precision.corunner import bursts
from research.precision.records import Records

MEMORY_BYTES = 8 << 30
LEFT_OUT = ("turns", "warmup_turns", "latency_histogram", "started_s", "outputs", "losses",
            "predictions", "correct", "proof", "output")  # fmt: skip
"""Of a launch: what no figure of the page is made from."""


@dataclass
class Ours:
    """Makes blocks of launches.

    Args:
        scenarios: All, by id.
        records: Where launches go.
        cache: Folder of trained models.
    """

    scenarios: Mapping[str, Scenario]
    records: Records
    cache: str

    def __post_init__(self) -> None:
        self._pools: dict[int, Pool] = {}
        self._trained: set[int] = set()
        self.done: dict[str, int] = {}
        for record in self.records:
            whole = (record["number"] + 1) // record["launches"] * record["launches"]
            self.done[record["case"]] = max(self.done.get(record["case"], 0), whole)

    def share(self, case: Case) -> float:
        """Share of a case's blocks that is done."""
        return self.done.get(case.name, 0) / case.launches / case.blocks

    def block(self, case: Case) -> None:
        """Launch the group of a case until the blocks under way are whole.

        A block that another run left unfinished is made anew: its launches belong together.

        Raises:
            TfbenchError: A member failed.
        """
        first = self.done.get(case.name, 0)
        whole = case.launches * case.at_once
        numbers = range(first, (first // whole + 1) * whole)
        begun = time.time()
        for number, launches in zip(numbers, self._launches(case, numbers), strict=True):
            failed = next((x for x in launches if x.outcome != "ok"), None)
            if failed is not None:
                raise TfbenchError(f"{case.name}: {failed.outcome}: {failed.reason}")
            begun, wall_s = time.time(), time.time() - begun
            whole_time = (replace(x, wall_s=wall_s) for x in launches)
            self.records.append(*(self._record(case, number, x) for x in whole_time))
            self.done[case.name] = number + 1

    def _launches(self, case: Case, numbers: Sequence[int]) -> Iterator[list[Launch]]:
        """Launches in order; where blocks are made at once, the next one is built on the other
        cores while one takes its turns, as the guard does."""
        members, profile = self._members(case), case.profile()
        start = partial(start_launch, case.name, members, profile=profile, seed=0)
        own = members[0].configuration.cpus
        others = sorted(os.sched_getaffinity(0) - set(own)) if case.at_once > 1 else []
        with ThreadPoolExecutor(1) as builder, bursts(numbers[0], case.noise == "bursts"):
            ahead = builder.submit(start, index=numbers[0])
            for number in numbers:
                started, cores = ahead.result(), free_cores(others)
                if others and number != numbers[-1]:
                    ahead = builder.submit(start, index=number + 1, cores=cores)
                yield end_launch(started, profile)
                for core in own:
                    cores.put(core)  # what is still to be built is built here too
                if not others and number != numbers[-1]:
                    ahead = builder.submit(start, index=number + 1)

    def close(self) -> None:
        """End the preloaded processes."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, case: Case) -> Pool:
        """The case's preloaded processes; the baseline that inference shares is trained first."""
        pool = self._pools.get(case.batch)
        if pool is None:
            pool = self._pools[case.batch] = Pool(case.workload(self.cache), MEMORY_BYTES)
        scenario = self.scenarios[case.scenario]
        if scenario.kind == "infer" and case.batch not in self._trained:
            self._trained.add(case.batch)
            configuration = find_configuration("cpu-all", {})
            environment = Environment.of(scenario, configuration, "", ROOT)
            launch = pool.launch(environment, scenario, configuration)
            try:
                launch.call("prepare", 1800)
            finally:
                launch.close()
        return pool

    def _members(self, case: Case) -> list[Member]:
        scenario = self.scenarios[case.scenario]
        configuration = find_configuration(case.configuration, {})
        environment = Environment.of(scenario, configuration, "", ROOT)
        same = Member(scenario, configuration, self._pool(case).starting(environment))
        members = [replace(same, side=f"same-{n}") for n in range(IDENTICAL)]
        members[0] = replace(members[0], role="baseline")
        for effect in case.effects:
            waited, more = (effect, 0.0) if case.injection == "busy-waiting" else (0.0, effect)
            members.append(replace(same, slowdown=waited, more_work=more, side=f"{effect:g}"))
        return members

    def _record(self, case: Case, number: int, launch: Launch) -> dict[str, object]:
        return {
            "case": case.name, "kind": case.kind, "configuration": case.configuration,
            "noise": case.noise, "injection": case.injection, "block": number // case.launches,
            "launches": case.launches, "number": number,
            "launch": {k: v for k, v in to_json(launch).items() if k not in LEFT_OUT},
        }  # fmt: skip
