"""The work that rivals time."""

from __future__ import annotations

import itertools

from research.precision.work import slowed


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


def test_a_spin_of_nothing_reads_the_clock_as_often_as_a_short_one() -> None:
    reads = itertools.count()
    slowed(lambda: next(reads), 0.0, lambda: next(reads) * 0)()
    assert next(reads) == 4  # thrice, and the answer's own count
