"""What the research on wrong trainings counts, on losses made up here."""

from __future__ import annotations

from bench.results.tolerance import FURTHER
from research.wrong_work import FACTORS, MISTAKES, Mistake, found_by

RIGHT = [2.0 - 0.05 * step for step in range(20)]


def test_an_allowance_hides_what_lies_within_it_and_nothing_else() -> None:
    wrong = {"far off": [2 * loss for loss in RIGHT], "a little": [1.05 * loss for loss in RIGHT]}
    counted = found_by(wrong, RIGHT, lambda factor: [0.02 * factor] * len(RIGHT), "float32")
    assert tuple(counted) == FACTORS
    assert counted[0.0] == ["far off", "a little"]
    assert counted[FURTHER] == ["far off"]


def test_each_mistake_is_one() -> None:
    assert all(each != Mistake() for each in MISTAKES.values())
    assert len(set(MISTAKES.values())) == len(MISTAKES)
