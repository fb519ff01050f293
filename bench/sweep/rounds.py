"""Turns of a launched group: how many, of how many steps, in which order."""

from __future__ import annotations

import dataclasses
import math
import random
import time
from collections.abc import Sequence
from fractions import Fraction
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bench.results.effects import LEFT_OUT, STOOD_STILL
from bench.results.values import Turn
from bench.sweep.members import Place
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import Profile

LEAST_TURNS = 4
"""Turns that even the slowest member takes in a launch (a job takes one)."""
SLOW_TURN_NS, SLOW_TURNS = 5e9, 2
"""A member whose turns take longer than this takes so few: of a launch's minutes, not an hour."""
ALIKE = 1.5
"""Ratio of step times within which members of one scenario take turns of equally many steps."""
UNLIKE = 3.0
"""Ratio of a step's time in turns to that in warm-up from which on the row warns: shared machines
change by less."""
WAKES_LATE_NS = 300_000
"""How long before its end a pause is no longer slept: virtual machines' sleeps end 0.1 ms late."""


def agree(places: Sequence[Place], profile: Profile) -> int:
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
        for place in same:
            if place.steps * place.step_ns > SLOW_TURN_NS:
                _warn(place, f"steps of more than {SLOW_TURN_NS / 1e9:g} s: few turns a launch")
    jobs = any(p.member.scenario.unit == "job" for p in places)
    rounds = 1 if jobs else _affordable(places[0], profile)
    for place in places:
        place.stride = max(1, rounds // _affordable(place, profile))
        if places[0].member.key[:2] == place.member.key[:2]:
            place.stride = 1
    return rounds


def _affordable(place: Place, profile: Profile) -> int:
    """Turns of a member that fit its share of the launch."""
    turn_ns = place.steps * place.step_ns
    affordable = int(profile.member_s * 1e9 / turn_ns) if turn_ns else profile.rounds
    least = SLOW_TURNS if turn_ns > SLOW_TURN_NS else LEAST_TURNS
    return min(profile.rounds, max(least, affordable))


def take_turns(places: Sequence[Place], rounds: int, profile: Profile, rng: random.Random) -> None:
    """Rounds in random orders; only one member runs at a time, and none twice in a row.

    Who takes two turns in a row finds its caches warm in the second, which is faster by several
    percent: that would be another kind of turn, and a median over both kinds says little. Two
    members strictly alternate. Between the launch's segments, which a round number that is left out
    separates, members' memory is remapped: in a random order, which is reversed each time. Where
    the profile says how quiet a launch shall be, rounds go on until it is, or time is spent.
    """
    segments = _segments(places, rounds, profile)
    share = math.ceil(rounds / segments)
    first = 0
    waited = np.zeros(2)
    order = rng.sample(places, len(places))
    for segment in range(segments):
        if segment:
            _remap(order, profile)
            order.reverse()
        before = _waited(places)
        first = _take_segment(places, first, share, segments, profile, rng) + 1
        waited += _waited(places) - before
        if not places[0].alive:  # the baseline is everybody's neighbour
            return
    for place in places:
        _compare_with_warm_up(place)
        if place.alive and not place.turns and place.launch.probes.get(LEFT_OUT):
            place.fail(LaunchFailed("failed", f"{STOOD_STILL} in its turns: measure it again"))
    cpu_s, wall_s = waited.tolist()
    used = max(cpu_s, 0.0) / max(wall_s, 1e-9)
    base = places[0].launch
    places[0].launch = dataclasses.replace(base, probes={**base.probes, "parent_cpu_share": used})


def _segments(places: Sequence[Place], rounds: int, profile: Profile) -> int:
    """Segments of the launch: a pair of rounds at least in each; one on devices and for jobs."""
    members = [place.member for place in places]
    if any(m.scenario.unit == "job" or m.configuration.device != "cpu" for m in members):
        return 1
    return max(1, min(profile.placements, rounds // 2))


def _take_segment(
    places: Sequence[Place], first: int, rounds: int, segments: int, profile: Profile,
    rng: random.Random,
) -> int:  # fmt: skip
    """Rounds from number `first` on; returns the number after the last."""
    last: Place | None = None
    number = 0
    while number < rounds or _goes_on(places, first, segments, profile):
        due = [place for place in places if place.alive and number % place.stride == 0]
        for position, place in enumerate(_order(due, last, rng)):
            _turn(place, first + number, position, profile, places)
            last = place
        if not places[0].alive:
            break
        number += 1
    return first + number


def _order(due: Sequence[Place], last: Place | None, rng: random.Random) -> list[Place]:
    """A random order of a round's members that does not begin with who took the last turn."""
    order = rng.sample(due, len(due))
    if len(order) > 1 and order[0] is last:
        other = rng.randrange(1, len(order))
        order[0], order[other] = order[other], order[0]
    return order


def _remap(places: Sequence[Place], profile: Profile) -> None:
    """Let every member's memory lie on other physical pages; each launch's probes count them."""
    for place in places:
        if not place.alive:
            continue
        assert place.process is not None
        try:
            # named as launches of older versions know it
            pages = place.process.call("renew", profile.timeout_s)["pages"]
            place.process.pause()
        except LaunchFailed as error:
            place.fail(error)
            continue
        probes = place.launch.probes
        pages = [*probes.get("pages_remapped", ()), pages]
        place.launch = dataclasses.replace(place.launch, probes={**probes, "pages_remapped": pages})


def _goes_on(places: Sequence[Place], first: int, segments: int, profile: Profile) -> bool:
    """Whether another round is worth its time: by how noisy, never by how large."""
    if not profile.within_error or places[0].member.scenario.unit == "job":
        return False
    taken = [[turn for turn in place.turns if turn.round >= first] for place in places]
    spent_ns = sum(turn.elapsed_ns for turns in taken for turn in turns)
    if spent_ns >= profile.member_s * 1e9 * len(places) / segments:
        return False
    errors = [
        _error(taken[0], turns)
        for place, turns in zip(places[1:], taken[1:], strict=True)
        if place.alive
    ]
    return max(errors, default=0.0) > profile.within_error * math.sqrt(segments)


def _error(base: Sequence[Turn], candidate: Sequence[Turn]) -> float:
    """Standard error of the median of these turns' log ratios, from their interquartile range.

    1.2533 sd / sqrt(n) for nearly normal ratios, whose sd is their interquartile range / 1.349.
    """
    times = {turn.round: turn.step_ns for turn in base}
    logs = [math.log(t.step_ns / times[t.round]) for t in candidate if t.round in times]
    if len(logs) < LEAST_TURNS:
        return math.inf
    low, high = np.quantile(logs, (0.25, 0.75))
    return float(1.2533 * (high - low) / 1.349 / math.sqrt(len(logs)))


def _waited(places: Sequence[Place]) -> NDArray[np.float64]:
    """CPU and wall time that this process spent in waiting for the members' answers, s."""
    running = [place.process for place in places if place.process is not None]
    return np.array([sum(p.waited_cpu_s for p in running), sum(p.waited_s for p in running)])


def _turn(
    place: Place, number: int, position: int, profile: Profile, places: Sequence[Place]
) -> None:
    assert place.process is not None
    before_s = place.process.stood_still_s
    try:
        answer = place.process.call("turn", profile.timeout_s, steps=place.steps)
        place.process.pause()
    except LaunchFailed as error:
        place.fail(error)
        return
    if answer.get("stood_still") or place.process.stood_still_s > before_s:
        _leave_out(place, places)
        return
    elapsed_ns = answer["elapsed_ns"]
    if not 0 < elapsed_ns < math.inf:
        place.fail(LaunchFailed("failed", f"a turn took {elapsed_ns} ns by its clock: no time"))
        return
    elapsed_ns += _hold_up(round(elapsed_ns * place.member.held_up))
    turn = Turn(number, position, place.steps, elapsed_ns, answer["delayed_ns"])
    place.turns.append(turn)
    if answer["retraced"]:
        _warn(place, "a function was traced again inside a turn")


def _leave_out(place: Place, places: Sequence[Place]) -> None:
    """Count a turn in which the machine stood still: its time says nothing.

    What continued it continued the waiting members too.
    """
    count = place.launch.probes.get(LEFT_OUT, 0) + 1
    probes = {**place.launch.probes, LEFT_OUT: count}
    place.launch = dataclasses.replace(place.launch, probes=probes)
    for each in places:
        if each.process is not None:
            each.process.pause()


def _hold_up(wanted_ns: int) -> int:
    """Wait while none of the group's threads runs; returns for how many ns."""
    if not wanted_ns:
        return 0
    begun = time.perf_counter_ns()
    time.sleep(max(0, wanted_ns - WAKES_LATE_NS) / 1e9)
    while (waited_ns := time.perf_counter_ns() - begun) < wanted_ns:
        pass
    return waited_ns


def _compare_with_warm_up(place: Place) -> None:
    """Warn of steps that took far more or less than when the warm-up reckoned turns from them."""
    if not place.turns or not place.step_ns:  # failed, or a job
        return
    ratio = median(turn.step_ns for turn in place.turns) / place.step_ns
    then = "what they took when it was warm"  # the same words in all launches: the row says it once
    if ratio > UNLIKE:
        _warn(place, f"its steps took more than {UNLIKE:g} times {then}")
    elif ratio < 1 / UNLIKE:
        _warn(place, f"its steps took less than 1/{UNLIKE:g} of {then}")


def _warn(place: Place, note: str) -> None:
    place.launch = dataclasses.replace(
        place.launch, warnings=tuple(dict.fromkeys((*place.launch.warnings, note)))
    )
