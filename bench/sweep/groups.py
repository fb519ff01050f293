"""One launch of a group: baseline and candidates alive at once, taking turns, one at a time."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

from bench.results.statistics import levels
from bench.results.values import Launch, Turn
from bench.sweep.members import Member, Place
from bench.sweep.preloaded import LaunchFailed, Pool
from bench.sweep.rounds import agree, take_turns
from bench.sweep.settings import Profile

PADDING_BYTES = 1 << 16


def run_launch(
    pool: Pool,
    name: str,
    members: Sequence[Member],
    index: int,
    profile: Profile,
    seed: int,
    traces: Path | None = None,
) -> list[Launch]:
    """Launch a group once and let its members take turns.

    Args:
        pool: Forks the launches.
        name: The group's name, kept in each launch.
        members: The baseline first.
        index: Number of this launch; its parity reverses the start order.
        profile: How long.
        seed: Of the orders; the same for launches 2j and 2j+1, so that orders are balanced.
        traces: Folder for Profiler traces, recorded after the last turn; None: no traces.

    Returns:
        One `Launch` a member, in the members' order; a failure is a launch with its reason.
    """
    rng = random.Random(f"{seed}/{name}/{index // 2}")
    places = [Place(m, _record(m, name, index)) for m in members]
    order = rng.sample(places, len(places))
    if index % 2:
        order.reverse()
    started = time.time()
    try:
        paddings = [rng.randrange(PADDING_BYTES) for _ in order]
        if profile.build_apart and (cores := _cores_apart(members)):
            _start_apart(pool, order, paddings, cores, profile)
        else:
            _start_in_turn(pool, order, paddings, places[0], profile)
        if places[0].alive:
            rounds = agree(places, profile)
            turns_rng = random.Random(f"{seed}/{name}/{index}")
            take_turns(places, rounds, profile, turns_rng)
            _finish(places, profile, traces)
            _level(places)
        for place in places[1:]:
            if not places[0].alive and place.launch.outcome == "ok":
                place.launch = dataclasses.replace(
                    place.launch,
                    outcome="failed",
                    reason=f"its baseline {places[0].member.scenario.id} "
                    f"{places[0].launch.outcome}: {places[0].launch.reason}",
                )
    finally:
        for place in places:
            place.close()
    wall = time.time() - started
    return [dataclasses.replace(p.launch, wall_s=wall) for p in places]


def _record(member: Member, name: str, index: int) -> Launch:
    return Launch(
        member.scenario.id,
        member.configuration.name,
        group=name,
        role=member.role,
        index=index,
        side=member.side,
        started_s=round(time.time(), 3),
    )


def _start_in_turn(
    pool: Pool, order: Sequence[Place], paddings: Sequence[int], baseline: Place, profile: Profile
) -> None:
    """Fork, build and warm up one after the other, where all will take their turns."""
    for position, (place, padding) in enumerate(zip(order, paddings, strict=True)):
        _build(pool, place, position, padding, profile)
        _warm(place, profile)
        if place is baseline and not place.alive:
            return  # without the baseline nothing can be compared


def _start_apart(
    pool: Pool,
    order: Sequence[Place],
    paddings: Sequence[int],
    cores: Sequence[int],
    profile: Profile,
) -> None:
    """Fork and build at the same time, each on a core of its own; warm up on the shared one."""
    with ThreadPoolExecutor(len(cores)) as executor:
        jobs = zip(order, range(len(order)), paddings, cycle(cores))
        for done in [
            executor.submit(_build, pool, place, position, padding, profile, core)
            for place, position, padding, core in jobs
        ]:
            done.result()
    for place in order:
        _warm(place, profile)


def _cores_apart(members: Sequence[Member]) -> list[int]:
    """Cores to build on at the same time; none where a member needs more than one or a device."""
    configurations = [member.configuration for member in members]
    if any(len(c.cpus) != 1 or c.device != "cpu" for c in configurations):
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores if len(cores) > 1 else []


def _build(
    pool: Pool,
    place: Place,
    position: int,
    padding: int,
    profile: Profile,
    core: int | None = None,
) -> None:
    """Fork, build and make the first step; on another core than its own where one is given."""
    member = place.member
    configuration = member.configuration
    if core is not None:
        configuration = dataclasses.replace(configuration, cpus=(core,))
    try:
        place.process = pool.launch(
            member.environment,
            member.scenario,
            configuration,
            padding,
            member.slowdown,
            member.more_work,
        )
        built = place.process.call("build", profile.timeout_s)
        built.pop("resident_bytes")
        place.launch = dataclasses.replace(place.launch, start_order=position, **built)
        if core is not None:
            place.process.call("pin", profile.timeout_s, cpus=member.configuration.cpus)
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)


def _warm(place: Place, profile: Profile) -> None:
    """Warm up while the others wait; a job is its own warm-up."""
    if not place.alive or place.member.scenario.unit == "job":
        return
    assert place.process is not None
    try:
        warm = place.process.call(
            "warm",
            profile.timeout_s,
            turn_ns=int(profile.turn_ms * 1e6),
            cap_ns=int(profile.warmup_s * 1e9),
        )
        place.steps = warm["steps"]
        place.step_ns = warm["step_ns"]
        place.launch = dataclasses.replace(
            place.launch,
            warmup_turns=tuple(Turn(*turn) for turn in warm["turns"]),
            steady=warm["steady"],
            probes={"unsteady": warm["reason"]} if warm["reason"] else {},
        )
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)


def _finish(places: Sequence[Place], profile: Profile, traces: Path | None) -> None:
    """Ask each member what it knows after its turns; traces come last, when all timing is over."""
    for place in places:
        if place.alive:
            _ask(place, profile)
    for place in places:
        if traces is not None and place.alive and place.member.role in ("baseline", "candidate"):
            _trace(place, traces)


def _level(places: Sequence[Place]) -> None:
    """What each took, with the machine's drift taken out by all members' turns together."""
    found = levels([place.turns for place in places])
    for place, level in zip(places, found, strict=True):
        if place.launch.outcome == "ok":
            place.launch = dataclasses.replace(place.launch, level=level)


def _ask(place: Place, profile: Profile) -> None:
    assert place.process is not None
    try:
        inside = place.launch.index == 0  # takes seconds for an input pipeline; once is enough
        answer = place.process.call("done", profile.timeout_s, inside=inside)
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)
        return
    place.launch = dataclasses.replace(
        place.launch,
        turns=tuple(place.turns),
        latency_histogram=answer["histogram"],
        cpu_share=answer["cpu_share"],
        waiting_cpu_share=answer["waiting_cpu_share"],
        probes={**place.launch.probes, **answer["probes"]},
    )


TRACE_TIMEOUT_S = 60.0


def _trace(place: Place, traces: Path) -> None:
    """Record a trace; a failure costs only the trace, not the timing before it."""
    assert place.process is not None
    member = place.member
    host = f"{member.scenario.id.replace('/', '-')}@{member.configuration.name}"
    host = f"{host}-{member.side}" if member.side else host
    folder = traces / host
    facts: dict[str, Any]
    if folder.exists():  # a baseline that another group has traced already
        return
    try:
        facts = place.process.call(
            "trace", TRACE_TIMEOUT_S, folder=str(folder.resolve()), host=host
        )["trace"]
    except LaunchFailed as error:
        facts = {"failed": error.reason}
    place.launch = dataclasses.replace(place.launch, probes={**place.launch.probes, "trace": facts})
