"""tfbench's own decisions: blocks of launches of a group with identical and slowed members."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.results.errors import TfbenchError
from bench.results.values import Launch, Scenario, to_json
from bench.sweep.discovery import ROOT
from bench.sweep.groups import end_launch, run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.settings import find_configuration
from bench.sweep.starting import free_cores, start_launch
from research.precision.cases import IDENTICAL, Case
from research.precision.corunner import bursts
from research.precision.records import Records

MEMORY_BYTES = 8 << 30


@dataclass
class Ours:
    """Makes blocks of launches and keeps every turn of them.

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
        make = self._ahead if case.at_once > 1 else self._one_by_one
        begun = time.time()
        for number, launches in zip(numbers, make(case, numbers), strict=True):
            failed = next((x for x in launches if x.outcome != "ok"), None)
            if failed is not None:
                raise TfbenchError(f"{case.name}: {failed.outcome}: {failed.reason}")
            begun, wall_s = time.time(), time.time() - begun
            whole_time = (dataclasses.replace(x, wall_s=wall_s) for x in launches)
            self.records.append(*(self._record(case, number, x) for x in whole_time))
            self.done[case.name] = number + 1

    def _one_by_one(self, case: Case, numbers: Sequence[int]) -> Iterator[list[Launch]]:
        members, profile = self._members(case), case.profile()
        for number in numbers:
            with bursts(number, case.noise == "bursts"):
                yield run_launch(case.name, members, number, profile, seed=0)

    def _ahead(self, case: Case, numbers: Sequence[int]) -> Iterator[list[Launch]]:
        """Build the next launch on the other cores while one takes its turns, as the guard does."""
        members, profile = self._members(case), case.profile()
        own = set(members[0].configuration.cpus)
        others = sorted(os.sched_getaffinity(0) - own)
        if not others:
            raise TfbenchError(f"{case.name}: needs a core besides {sorted(own)} to build on")
        start = partial(start_launch, case.name, members, profile=profile, seed=0)
        with ThreadPoolExecutor(1) as builder:
            cores = free_cores([*others, *own])
            ahead = builder.submit(start, index=numbers[0], cores=cores)
            for number in numbers:
                started = ahead.result()
                if number != numbers[-1]:
                    cores = free_cores(others)
                    ahead = builder.submit(start, index=number + 1, cores=cores)
                try:
                    yield end_launch(started, profile)
                finally:
                    for core in own:
                        cores.put(core)

    def close(self) -> None:
        """End the preloaded processes."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, case: Case) -> Pool:
        if case.batch not in self._pools:
            self._pools[case.batch] = Pool(case.workload(self.cache), MEMORY_BYTES)
        scenario = self.scenarios[case.scenario]
        if scenario.kind == "infer" and case.batch not in self._trained:
            self._trained.add(case.batch)
            configuration = find_configuration("cpu-all", {})
            environment = Environment.of(scenario, configuration, "", ROOT)
            launch = self._pools[case.batch].launch(environment, scenario, configuration)
            try:
                launch.call("prepare", 1800)
            finally:
                launch.close()
        return self._pools[case.batch]

    def _members(self, case: Case) -> list[Member]:
        scenario = self.scenarios[case.scenario]
        configuration = find_configuration(case.configuration, {})
        environment = Environment.of(scenario, configuration, "", ROOT)
        same = Member(scenario, configuration, self._pool(case).starting(environment))
        members = [dataclasses.replace(same, side=f"same-{n}") for n in range(IDENTICAL)]
        members[0] = dataclasses.replace(members[0], role="baseline")
        for effect in case.effects:
            spin, work = (effect, 0.0) if case.injection == "turn spin" else (0.0, effect)
            slowed = dataclasses.replace(same, slowdown=spin, more_work=work, side=f"{effect:g}")
            members.append(slowed)
        return members

    def _record(self, case: Case, number: int, launch: Launch) -> dict[str, object]:
        kept = to_json(launch)
        for name in ("warmup_turns", "latency_histogram", "started_s"):
            kept.pop(name, None)
        return {
            "case": case.name, "kind": case.kind, "configuration": case.configuration,
            "noise": case.noise, "injection": case.injection, "block": number // case.launches,
            "launches": case.launches, "number": number, "launch": kept,
        }  # fmt: skip
