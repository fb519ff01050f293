"""Timing one turn: a block of steps that ends when its result exists."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.results.histogram import bucket

Clock = Callable[[], int]
LEAD_IN_SHARE = 0.1
"""Share of a turn's steps run untimed first: another process has just used the caches."""
LEAD_IN_NS = 1_000_000
"""They last this long at least: caches fill in time, not in steps. How much it gains is not sure:
0.25 s of turns of 3 ms spread by 0.52 % (sd of a pair) after one step of 0.33 ms and by 0.41 %
after three, turns of 5 ms by 0.50 and 0.48 %, in four launches."""


@dataclass
class Timer:
    """Times turns of one path.

    Args:
        advance: Makes one step and returns something that depends on it.
        finish: Blocks until that result, and all work behind it, is done (on a GPU too).
        each: Time every step on its own, its result read back (latency), and not only the block.
        slowdown: Share by which every turn is made longer by spinning at its end; the control of
            known size. Busy-waiting after each step lengthens the next one of a tf.function too, by
            up to 0.9 %, so that the size would not be known. Single steps are kept in the histogram
            as they are.
        ahead: The path makes results before they are asked for: an input pipeline, whose threads
            fill its buffers while nothing is drawn.
        more_work: Share of further steps that a turn makes without counting them, rounded to
            whole steps a turn: an effect of known size made of real work.
        clock: Monotonic clock, ns.
    """

    advance: Callable[[], Any]
    finish: Callable[[Any], None]
    each: bool = False
    ahead: bool = False
    slowdown: float = 0.0
    more_work: float = 0.0
    clock: Clock = time.perf_counter_ns
    histogram: dict[str, int] = field(default_factory=dict)
    """Single steps by duration, while `each`."""
    _times: list[int] = field(default_factory=list, init=False)
    """Of the last turn."""

    def lead_in(self, steps: int, made_ahead: int = 0) -> None:
        """Steps that are not timed: they bring code and data back into the caches.

        None before a turn that is a single step, of which it would double the time, unless that
        step may be ready before the turn begins.

        Args:
            steps: Of the turn.
            made_ahead: Steps that are made at least, so that the turn finds no batch ready.
        """
        if steps == 1 and not self.ahead:
            return
        least = max(steps * LEAD_IN_SHARE, made_ahead)
        started, made = self.clock(), 0
        while made < least or self.clock() - started < LEAD_IN_NS:
            self.finish(self.advance())
            made += 1

    def made_ahead(self, idle_ns: float, step_ns: float) -> int:
        """Batches that a pipeline may have made while nothing was drawn; 0 of other paths.

        In turns of two batches of 4.5 ms the first turn after a pause of 0.1 s or more would take a
        fifth of its time without drawing them (median; `cpu-1`).

        Args:
            idle_ns: How long it could run meanwhile.
            step_ns: What a step takes.
        """
        return math.ceil(idle_ns / step_ns) if self.ahead else 0

    def turn(self, steps: int) -> int:
        """Elapsed ns of `steps` steps, from a quiet device to the existence of the last result."""
        made = steps + round(steps * self.more_work)
        times = self._each(made) if self.each else self._block(made)
        start, end = times[0], times[-1]
        if self.slowdown:
            end = self._spin(end, round((end - start) * self.slowdown))
        if self.each:
            self._times = times
            self._count(1)  # outside the timed block
        return end - start

    def forget(self) -> None:
        """Take the last turn's steps out of the histogram again."""
        if self.each:
            self._count(-1)

    def _block(self, steps: int) -> list[int]:
        """The times of the begin and the end."""
        clock, advance = self.clock, self.advance
        start = clock()
        result = None
        for _ in range(steps):
            result = advance()
        self.finish(result)
        return [start, clock()]

    def _each(self, steps: int) -> list[int]:
        """The times of the begin and of the end of each step."""
        clock, advance, finish = self.clock, self.advance, self.finish
        times = [clock()]
        for _ in range(steps):
            finish(advance())
            times.append(clock())
        return times

    def _count(self, times: int) -> None:
        for before, after in itertools.pairwise(self._times):
            name = bucket(after - before)
            self.histogram[name] = self.histogram.get(name, 0) + times

    def _spin(self, now: int, wanted: int) -> int:
        """Burn the core for `wanted` ns from `now`; returns the time at which it ended."""
        until = now + wanted
        while now < until:
            now = self.clock()
        return now


def read(result: Any) -> None:
    """Copy tensors, arrays and nests of them to the host, which waits for them."""
    if isinstance(result, (list, tuple)):
        for item in result:
            read(item)
    elif isinstance(result, dict):
        for item in result.values():
            read(item)
    elif hasattr(result, "numpy"):
        result.numpy()
    elif hasattr(result, "values") and not callable(result.values):  # one value a replica
        read(tuple(result.values))
