"""The work that rivals time."""

from __future__ import annotations

import itertools
import math

import pytest

from benchmarks.precision.work import injected, slowed


def test_no_answer_goes_without_its_slow_down() -> None:
    """Not even after a spin that ended late, because the machine was elsewhere."""
    late = {5: 500}
    now, reads = 0, itertools.count()

    def clock() -> int:
        nonlocal now
        now += 1 + late.get(next(reads), 0)
        return now

    def answer() -> None:
        nonlocal now
        now += 1000

    step, took = slowed(answer, 0.1, clock), []
    for _ in range(20):
        before = now
        step()
        took.append(now - before)
    assert max(took) > 1500
    assert min(took) >= 1100


def test_what_spins_really_make_counts_what_they_do_to_the_next_answer() -> None:
    now = reads = 0

    def clock() -> int:
        nonlocal now, reads
        now, reads = now + 1, reads + 1
        return now

    def answer() -> None:
        """One percent slower after a spin, which reads the clock often."""
        nonlocal now, reads
        now += 10_100 if reads > 10 else 10_000
        reads = 0

    found = injected(answer, (0.02, 0.1), 3, clock)
    assert found[0.02] == pytest.approx(math.log(1.02 * 1.01), abs=5e-4)
    assert found[0.1] == pytest.approx(math.log(1.1 * 1.01), abs=5e-4)


def test_a_spin_of_nothing_reads_the_clock_as_often_as_a_short_one() -> None:
    reads = itertools.count()
    slowed(lambda: next(reads), 0.0, lambda: next(reads) * 0)()
    assert next(reads) == 4  # thrice, and the answer's own count
