"""Starting one launch of a group: fork, build, first step, warm-up."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue

from bench.results.values import Launch, Turn
from bench.sweep.members import Member, Place
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile

PADDING_BYTES = 1 << 16
MOST_AT_ONCE = 4
Cores = Queue[int | None]
"""Cores that are free to build on, None: those of the turns; whoever builds takes one and puts it
back."""


@dataclass
class Started:
    """A launch whose members are built and wait for their turns."""

    places: list[Place]
    """In the members' order."""
    order: list[Place]
    """In the order in which they were started."""
    key: str
    """Names the launch; seeds the order of its turns."""
    warmed: bool
    seconds: float = 0.0
    """What starting took."""

    def warm(self, profile: Profile) -> None:
        """Warm up on the core of the turns what was built apart."""
        if not self.warmed:
            for place in self.order:
                warm(place, profile)

    def close(self) -> None:
        """End its processes."""
        for place in self.places:
            place.close()


def start_launch(
    name: str,
    members: Sequence[Member],
    index: int,
    profile: Profile,
    seed: int,
    cores: Cores | None = None,
) -> Started:
    """Fork and build the members of a group.

    Args:
        name: The group's name.
        members: The baseline first.
        index: Number of this launch; its parity reverses the start order.
        profile: How long.
        seed: Of the orders.
        cores: To build on, while another launch takes its turns elsewhere; more may be added
            meanwhile. None: where the turns will be, or on all cores at once in later launches
            and where the profile says that members are built apart.
    """
    begun = time.monotonic()
    rng = random.Random(f"{seed}/{name}/{index // 2}")
    places = [Place(m, _record(m, name, index)) for m in members]
    order = rng.sample(places, len(places))
    if index % 2:
        order.reverse()
    if cores is None:
        cores = _at_once(members, index, profile)
    started = Started(places, order, f"{seed}/{name}/{index}", warmed=cores is None)
    try:
        paddings = [rng.randrange(PADDING_BYTES) for _ in order]
        if cores is not None:
            _apart(order, paddings, cores, profile)
            if not profile.build_apart:
                _forget_times(places)
        else:
            _in_turn(order, paddings, places[0], profile)
    except BaseException:
        started.close()
        raise
    started.seconds = time.monotonic() - begun
    return started


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


def _in_turn(
    order: Sequence[Place], paddings: Sequence[int], baseline: Place, profile: Profile
) -> None:
    """Fork, build and warm up one after the other, where all will take their turns."""
    for position, (place, padding) in enumerate(zip(order, paddings, strict=True)):
        _build(place, position, padding, profile)
        warm(place, profile)
        if place is baseline and not place.alive:
            return  # without the baseline nothing can be compared


def _apart(order: Sequence[Place], paddings: Sequence[int], cores: Cores, profile: Profile) -> None:
    """Fork and build on these cores, as many at the same time as there are cores."""

    def build(place: Place, position: int, padding: int) -> None:
        core = cores.get()
        try:
            _build(place, position, padding, profile, core)
        finally:
            cores.put(core)

    threads = ThreadPoolExecutor(len(order))
    try:
        for done in [
            threads.submit(build, place, position, padding)
            for position, (place, padding) in enumerate(zip(order, paddings, strict=True))
        ]:
            done.result()
    finally:  # an interruption does not wait for what is still to be built
        threads.shutdown(wait=False, cancel_futures=True)


def _at_once(members: Sequence[Member], index: int, profile: Profile) -> Cores | None:
    """Where members are built at the same time; None: one after the other, where turns will be."""
    if index < profile.built_alone and not profile.build_apart:
        return None
    places: list[int | None] = [*cores_apart(members)]
    configurations = [member.configuration for member in members]
    if not places and not profile.build_apart and all(c.device == "cpu" for c in configurations):
        places = [None] * min(MOST_AT_ONCE, *(len(c.cpus) for c in configurations))
    return free_cores(places) if len(places) > 1 else None


def _forget_times(places: Iterable[Place]) -> None:
    """Leave out what a build and a first step took beside others."""
    for place in places:
        place.launch = dataclasses.replace(place.launch, build_s=None, first_step_s=None)


def free_cores(cores: Iterable[int | None]) -> Cores:
    """These cores, free to build on."""
    found: Cores = Queue()
    for core in cores:
        found.put(core)
    return found


def cores_apart(members: Sequence[Member]) -> list[int]:
    """Cores to build on at the same time; none where a member needs more than one or a device."""
    configurations = [member.configuration for member in members]
    if any(len(c.cpus) != 1 or c.device != "cpu" for c in configurations):
        return []
    cores = sorted(os.sched_getaffinity(0))
    return cores if len(cores) > 1 else []


def _build(
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
        place.process = member.launch(configuration, padding)
        built = place.process.call("build", profile.timeout_s)
        built.pop("resident_bytes")
        built.pop("made", None)
        place.launch = dataclasses.replace(place.launch, start_order=position, **built)
        if place.process.stood_still_s:
            _forget_times([place])
        if core is not None:
            place.process.call("pin", profile.timeout_s, cpus=member.configuration.cpus)
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)


def warm(place: Place, profile: Profile) -> None:
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
