"""The spread of unchanged code's stage means, on invented launches whose spread is known."""

from __future__ import annotations

import random

import pytest

from bench.guard.loop.journal import Answer
from bench.results.values import Launch, Turn
from research.planted.spread import Mean, means, rows, spread
from research.planted.unchanged import BUDGETS_S, SUITES, by_kind, in_turns


def invented(shared: float, noise: float, count: int, freedom: int = 4) -> list[Mean]:
    draw = random.Random(7)
    found = []
    for _ in range(count):
        squares = sum(draw.gauss(0, noise) ** 2 for _ in range(freedom)) / freedom
        mean = draw.gauss(0, shared) + draw.gauss(0, noise)
        found.append((mean, squares**0.5, freedom))
    return found


def test_what_launches_explain_is_not_shared() -> None:
    """Errors from four degrees of freedom each: mean ÷ error squared would be twice too large."""
    found = spread(invented(0.0, 0.003, 2000))
    assert found is not None
    assert found.ratio == pytest.approx(1, abs=0.1)
    assert found.p_value > 0.01
    assert found.shared < 0.001
    assert found.allowance < 0.0025


def test_what_a_stage_shares_is_found_with_its_size() -> None:
    found = spread(invented(0.005, 0.003, 2000))
    assert found is not None
    assert found.shared == pytest.approx(0.005, rel=0.05)
    assert found.p_value < 1e-6
    assert found.shared < found.most < 0.006
    assert found.allowance == pytest.approx(2.33 * 0.005, rel=0.06)
    few = spread(invented(0.005, 0.003, 10))
    assert few is not None
    assert few.most > found.most
    assert spread(invented(0.005, 0.003, 1)) is None


def test_means_are_of_screens_alone() -> None:
    answers = [Answer("begun", 0.0)]
    for stage, slower in (("screen", 1.01), ("confirm", 2.0)):
        for number in range(6):
            base, head = (
                Launch("a/b", "cpu-1", outcome="ok", side=side, start_order=(number + place) % 2,
                       turns=tuple(Turn(n, 0, 1, round(1e6 * factor)) for n in range(3)))
                for place, (side, factor) in enumerate({"base": 1.0, "head": slower}.items())
            )  # fmt: skip
            answers.append(Answer(f"{stage} a/b@cpu-1 {number}", 1.0, (base, head)))
    assert means(answers) == {"a/b": (pytest.approx(0.00995, abs=1e-5), 0.0, 4)}


def test_kinds_of_path_have_a_row_each() -> None:
    one = {"number": 0, "exit_code": 0, "alarms": []}
    mean = [0.001, 0.002, 4]
    found = by_kind([
        {**one, "suite": "inference", "screens": {"infer/litert-int8": mean, "infer/frozen": mean}},
        {**one, "suite": "others", "screens": {"train/linear": mean}},
        {**one, "suite": "command", "screens": {"python": mean}},
        {"by": "guard", "kind": "same", "screens": [mean, None]},
        {"by": "guard", "kind": "5", "screens": [mean]},
        {"by": "pytest-benchmark", "kind": "same"},
        {"by": "collection"},
    ])  # fmt: skip
    assert {kind: len(each) for kind, each in found.items()} == {
        "infer-runtime": 1, "infer": 1, "train": 1, "command": 1, "call": 1,
    }  # fmt: skip
    assert len(rows({"infer": invented(0.001, 0.002, 8), "train": invented(0.001, 0.002, 1)})) == 3


def test_suites_take_turns() -> None:
    assert [(u.key["suite"], u.key["number"]) for u in in_turns(list(SUITES), 2)] == [
        (name, number) for number in range(2) for name in SUITES
    ]
    assert set(BUDGETS_S) == set(SUITES)
