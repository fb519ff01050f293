"""Warm-up that is measured: no new trace, no memory growth, and turns that agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from bench.launch.timing.turns import Timer
from bench.results.values import Turn

WINDOW = 3
"""Turns in each of the two windows that must agree."""
AGREEMENT = 0.05
"""Relative difference within which two windows agree; single turns of a noisy machine vary more."""
LONG_NS = 5_000_000
"""A step this long is a turn of its own where turns may be as short; of shorter ones a turn has
two, after one that warms the caches: some 0.4 ms of a first step were for cold ones."""


@dataclass(frozen=True)
class Warm:
    """How the warm-up ended."""

    steps: int
    """Steps in a turn of the wanted length."""
    step_ns: float
    turns: tuple[Turn, ...]
    steady: bool
    reason: str = ""
    """Which rule was not met when the cap was."""


def warm_up(
    timer: Timer,
    turn_ns: int,
    cap_ns: int,
    growth: Callable[[], tuple[int, int]],
    least_steps: int = 0,
) -> Warm:
    """Take turns until they are steady, or the cap is reached.

    Args:
        timer: Times the path.
        turn_ns: Wanted length of a turn; a longer step is a turn of its own, or half of one.
        cap_ns: Time after which the warm-up ends, steady or not, once buffers are full.
        growth: Returns (number of traces, peak memory in bytes): neither may grow any more.
        least_steps: Steps until buffers are full. Turns of before are not compared: a full cache
            makes steps a hundred times as fast.
    """
    turns: list[Turn] = []
    states = [growth()]
    done = 1
    step_ns = float(max(timer.turn(1), 1))

    def turn() -> None:
        nonlocal done, step_ns
        steps = steps_of(turn_ns, step_ns)
        elapsed = max(timer.turn(steps), 1)
        done += steps
        turns.append(Turn(len(turns), 0, steps, elapsed))
        states.append(growth())
        step_ns = median(turn.step_ns for turn in turns[-WINDOW:])

    while done < least_steps:
        turn()
    filled = len(turns)
    start = timer.clock()
    turn()
    while (reason := _unsteady(turns[filled:], states)) and timer.clock() - start <= cap_ns:
        turn()
    timer.histogram.clear()
    return Warm(steps_of(turn_ns, step_ns), step_ns, tuple(turns), not reason, reason)


def steps_of(turn_ns: int, step_ns: float) -> int:
    """Steps of a turn of about `turn_ns`."""
    return max(1 if step_ns >= LONG_NS else 2, round(turn_ns / step_ns))


def _unsteady(turns: list[Turn], states: list[tuple[int, int]]) -> str:
    """Why the path is not steady yet, "" when it is."""
    if len(turns) < 2 * WINDOW:
        return "too few turns"
    traces, memory = zip(*states[-WINDOW - 1 :], strict=True)
    if traces[0] != traces[-1]:
        return "it still traced functions"
    if memory[-1] > memory[0] * 1.01:
        return "its peak memory still grew"
    recent = [turn.step_ns for turn in turns[-2 * WINDOW :]]
    if all(after < before for before, after in pairwise(recent)):
        return "its turns still got faster, one after another"
    before = median(turn.step_ns for turn in turns[-2 * WINDOW : -WINDOW])
    after = median(turn.step_ns for turn in turns[-WINDOW:])
    if abs(after / before - 1) > AGREEMENT:
        return f"its turns still differed by {abs(after / before - 1):.0%}"
    return ""
