"""One launch of a group: baseline and candidates alive at once, taking turns, one at a time."""

from __future__ import annotations

import dataclasses
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from bench.results.values import Configuration, Launch, Role, Scenario, Turn
from bench.sweep.preloaded import Environment, LaunchFailed, Pool, RunningLaunch
from bench.sweep.settings import Profile

LEAST_TURNS = 4
"""Turns that even the slowest member takes in a launch (a job takes one)."""
PADDING_BYTES = 1 << 16
ALIKE = 1.5
"""Ratio of step times within which members of one scenario take turns of equally many steps."""


@dataclass(frozen=True)
class Member:
    """One side of a comparison: a scenario, where it runs, and what it is there for."""

    scenario: Scenario
    configuration: Configuration
    environment: Environment
    role: Role = "candidate"
    slowdown: float = 0.0
    side: str = ""
    more_work: float = 0.0
    """Share of further, uncounted steps in each of its turns; an effect of known size."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from the group's other members."""
        return self.scenario.id, self.configuration.name, self.role, self.side


@dataclass
class Place:
    """A member in one launch of its group: its process and what it reported so far."""

    member: Member
    launch: Launch
    process: RunningLaunch | None = None
    steps: int = 1
    """In each of its turns."""
    step_ns: float = 0.0
    stride: int = 1
    """It takes part in every stride-th round."""
    turns: list[Turn] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether it can still take turns."""
        return self.process is not None and self.launch.outcome == "ok"

    def fail(self, error: LaunchFailed) -> None:
        """Note why it ended, with what it printed last, and free its process."""
        self.launch = dataclasses.replace(
            self.launch,
            outcome=error.outcome,  # type: ignore[arg-type]
            reason=error.reason,
            output=self.process.output() if self.process else "",
        )
        self.close()

    def close(self) -> None:
        """End its process."""
        if self.process is not None:
            self.process.close()
            self.process = None


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
        for position, place in enumerate(order):
            padding = rng.randrange(PADDING_BYTES)
            _start(pool, place, position, padding, profile)
            if place is places[0] and not place.alive:
                break  # without the baseline nothing can be compared
        if places[0].alive:
            rounds = _agree(places, profile)
            turns_rng = random.Random(f"{seed}/{name}/{index}")
            _take_turns(places, rounds, profile, turns_rng)
            _finish(places, profile, traces)
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


def _start(pool: Pool, place: Place, position: int, padding: int, profile: Profile) -> None:
    """Fork, build, make the first step and warm up; the others wait meanwhile."""
    member = place.member
    try:
        place.process = pool.launch(
            member.environment,
            member.scenario,
            member.configuration,
            padding,
            member.slowdown,
            member.more_work,
        )
        built = place.process.call("build", profile.timeout_s)
        built.pop("resident_bytes")
        place.launch = dataclasses.replace(place.launch, start_order=position, **built)
        if member.scenario.unit == "job":
            place.process.pause()
            return
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


def _agree(places: Sequence[Place], profile: Profile) -> int:
    """Settle the steps of a turn: equal for members of one scenario.

    Members calibrate on their own, and on a shared machine differently. A turn's first steps find
    cold caches, so two sides of unlike turns would differ by what the first steps cost.

    Returns:
        Rounds of this launch: the turns of the baseline, which takes part in each.
    """
    like: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        if place.alive:
            scenario, configuration, *_ = place.member.key
            like.setdefault((scenario, configuration), []).append(place)
    for same in like.values():
        times = [p.step_ns for p in same]
        parts = [Fraction(p.member.more_work).limit_denominator(1000) for p in same]
        whole = math.lcm(*(part.denominator for part in parts))
        wanted = max(p.steps for p in same)  # the calibration that was disturbed least
        for place in same:
            if max(times) <= ALIKE * min(times):
                place.steps = wanted
            place.steps = math.ceil(place.steps / whole) * whole
    jobs = any(p.member.scenario.unit == "job" for p in places)
    rounds = 1 if jobs else _affordable(places[0], profile)
    for place in places:
        stride = max(1, rounds // _affordable(place, profile))
        place.stride = stride | 1  # odd, or it would meet every round in the same order
        if places[0].member.key[:2] == place.member.key[:2]:
            place.stride = 1
    return rounds


def _affordable(place: Place, profile: Profile) -> int:
    """Turns of a member that fit its share of the launch."""
    turn_ns = place.steps * place.step_ns
    affordable = int(profile.member_s * 1e9 / turn_ns) if turn_ns else profile.rounds
    return min(profile.rounds, max(LEAST_TURNS, affordable))


def _take_turns(places: Sequence[Place], rounds: int, profile: Profile, rng: random.Random) -> None:
    """Rounds in a random order and then its reverse; only one member runs at a time.

    The reverse cancels a drift of the machine. A new order for each pair of rounds lets every
    member be now and then the one that takes two turns in a row and finds its caches warm.
    """
    sequence = list(places)
    cpu, wall = _waited(places)
    for number in range(rounds):
        sequence = sequence[::-1] if number % 2 else rng.sample(sequence, len(sequence))
        for position, place in enumerate(sequence):
            if place.alive and number % place.stride == 0:
                _turn(place, number, position, profile)
        if not places[0].alive:  # the baseline is everybody's neighbour
            return
    now_cpu, now_wall = _waited(places)
    share = max(now_cpu - cpu, 0.0) / max(now_wall - wall, 1e-9)
    base = places[0].launch
    places[0].launch = dataclasses.replace(base, probes={**base.probes, "parent_cpu_share": share})


def _waited(places: Sequence[Place]) -> tuple[float, float]:
    """CPU and wall time that this process spent in waiting for the members' answers, s."""
    running = [place.process for place in places if place.process is not None]
    return sum(p.waited_cpu_s for p in running), sum(p.waited_s for p in running)


def _turn(place: Place, number: int, position: int, profile: Profile) -> None:
    assert place.process is not None
    try:
        answer = place.process.call("turn", profile.timeout_s, steps=place.steps)
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)
        return
    turn = Turn(number, position, place.steps, answer["elapsed_ns"], answer["delayed_ns"])
    place.turns.append(turn)
    if answer["retraced"]:
        note = "a function was traced again inside a turn"
        place.launch = dataclasses.replace(
            place.launch, warnings=tuple(dict.fromkeys((*place.launch.warnings, note)))
        )


def _finish(places: Sequence[Place], profile: Profile, traces: Path | None) -> None:
    """Ask each member what it knows after its turns; traces come last, when all timing is over."""
    for place in places:
        if place.alive:
            _ask(place, profile)
    for place in places:
        if traces is not None and place.alive and place.member.role in ("baseline", "candidate"):
            _trace(place, traces)


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
