"""Warm-up with a fake clock: it ends when everything is steady, or says what was not."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from bench.launch.timing.turns import Timer
from bench.launch.timing.warmup import Warm, warm_up

TURN_NS, CAP_NS = 10_000, 10_000_000


def run(
    costs: Callable[[int], float],
    states: Iterable[tuple[int, int]] = (),
    least_steps: int = 0,
    cap_ns: int = CAP_NS,
) -> tuple[Warm, int]:
    """Warm up a path whose n-th step costs `costs(n)` ns; returns how it ended and its steps."""
    now = made = 0

    def step() -> None:
        nonlocal now, made
        now += round(costs(made))
        made += 1

    known = iter(states)
    last = (1, 1000)

    def growth() -> tuple[int, int]:
        nonlocal last
        last = next(known, last)
        return last

    timer = Timer(step, lambda _: None, clock=lambda: now)
    return warm_up(timer, TURN_NS, cap_ns, growth, least_steps), made


def test_a_steady_path_is_warm_after_two_windows() -> None:
    warm, _ = run(lambda _: 100)
    assert warm.steady
    assert (warm.steps, warm.step_ns, warm.reason) == (100, 100, "")
    assert len(warm.turns) == 6


def test_turns_grow_to_the_wanted_length_when_the_first_step_was_slow() -> None:
    warm, _ = run(lambda n: 1_000_000 if n == 0 else 100)
    assert warm.steady
    assert warm.steps == 100


@pytest.mark.parametrize(("step_ns", "steps"), [(40_000, 2), (4_000_000, 2), (6_000_000, 1)])
def test_a_step_longer_than_a_turn_is_one_or_half_of_one(step_ns: int, steps: int) -> None:
    warm, _ = run(lambda _: step_ns, cap_ns=CAP_NS * 20)
    assert (warm.steps, warm.step_ns) == (steps, step_ns)


def test_it_goes_on_while_turns_get_faster() -> None:
    warm, made = run(lambda n: max(100, 400 - n // 5))
    assert warm.steady
    assert made > 1000
    assert warm.step_ns == pytest.approx(100, rel=0.06)


def test_it_goes_on_while_functions_are_traced() -> None:
    traces = [(n // 2, 1000) for n in range(24)]
    warm, _ = run(lambda _: 100, traces)
    assert warm.steady
    assert len(warm.turns) >= 24


def test_it_goes_on_while_peak_memory_grows() -> None:
    memory = [(1, 1000 * (10 + min(n, 20))) for n in range(60)]
    warm, _ = run(lambda _: 100, memory)
    assert warm.steady
    assert len(warm.turns) >= 20


def test_it_goes_on_until_buffers_are_full() -> None:
    warm, made = run(lambda _: 100, least_steps=5000)
    assert warm.steady
    assert made >= 5000


def test_turns_from_before_buffers_were_full_are_not_compared() -> None:
    warm, _ = run(lambda n: 5000 if n < 34 else 100, least_steps=34)
    assert warm.steady
    assert (warm.steps, warm.step_ns) == (100, 100)
    assert [turn.steps for turn in warm.turns[:17]] == [2] * 17
    assert len(warm.turns) >= 17 + 6


def test_the_cap_begins_when_buffers_are_full() -> None:
    warm, made = run(lambda n: 5000 if n < 2000 else 100, least_steps=2000, cap_ns=100_000)
    assert warm.steady
    assert made > 2000


@pytest.mark.parametrize(
    ("costs", "states", "reason"),
    [
        (lambda n: 100 * 1.003**n, (), "differed"),
        (lambda n: max(1, 10_000 - 10 * n), (), "faster"),
        (lambda _: 100, [(n, 1000) for n in range(10_000)], "traced"),
        (lambda _: 100, [(1, 1000 + 100 * n) for n in range(10_000)], "memory"),
    ],
)
def test_at_the_cap_it_says_which_rule_was_not_met(
    costs: Callable[[int], float], states: list[tuple[int, int]], reason: str
) -> None:
    warm, _ = run(costs, states, cap_ns=300_000)
    assert not warm.steady
    assert reason in warm.reason


def test_a_cap_that_is_shorter_than_two_windows_is_reported() -> None:
    warm, _ = run(lambda _: 100, cap_ns=20_000)
    assert (warm.steady, warm.reason) == (False, "too few turns")


def test_single_steps_of_the_warm_up_are_forgotten() -> None:
    now = 0

    def step() -> None:
        nonlocal now
        now += 100

    timer = Timer(step, lambda _: None, each=True, clock=lambda: now)
    warm_up(timer, TURN_NS, CAP_NS, lambda: (0, 0))
    assert timer.histogram == {}
