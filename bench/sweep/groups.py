"""One launch of a group: baseline and candidates alive at once, taking turns, one at a time."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results.levels import levels
from bench.results.values import Launch
from bench.sweep.members import Member, Place
from bench.sweep.rounds import agree, take_turns
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile
from bench.sweep.starting import Started, start_launch


def run_launch(
    name: str,
    members: Sequence[Member],
    index: int,
    profile: Profile,
    seed: int,
    traces: Path | None = None,
) -> list[Launch]:
    """Launch a group once and let its members take turns.

    Args:
        name: The group's name, kept in each launch.
        members: The baseline first.
        index: Number of this launch; its parity reverses the start order.
        profile: How long.
        seed: Of the orders; the same for launches 2j and 2j+1, so that orders are balanced.
        traces: Folder for Profiler traces, recorded after the last turn; None: no traces.

    Returns:
        One `Launch` a member, in the members' order; a failure is a launch with its reason.
    """
    return end_launch(start_launch(name, members, index, profile, seed), profile, traces)


def end_launch(started: Started, profile: Profile, traces: Path | None = None) -> list[Launch]:
    """Let the members of a launch that has started take their turns; see `run_launch`."""
    begun = time.monotonic()
    places = started.places
    try:
        started.warm(profile)
        if places[0].alive:
            rounds = agree(places, profile)
            take_turns(places, rounds, profile, random.Random(started.key))
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
        started.close()
    wall = started.seconds + time.monotonic() - begun
    return [dataclasses.replace(p.launch, wall_s=wall) for p in places]


def _finish(places: Sequence[Place], profile: Profile, traces: Path | None) -> None:
    """Ask each member what it knows after its turns; traces come last, when all timing is over."""
    for place in places:
        if place.alive:
            _ask(place, profile)
    for place in places:
        if traces is not None and place.alive and place.member.shown:
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
        # takes seconds for an input pipeline; once is enough
        inside = place.launch.index == 0 and place.member.shown
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
