"""Intervals of paired differences: how often they hold the truth, simulated with fixed seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.results.pairing import resampled_difference, score_difference, unseen_share

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], tuple[Array, Array, Array]]
Metric = Callable[[Array, Array], float]


def resamples(count: int, length: int = 1, draws: int = 200) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng([0, count, length])
    for _ in range(draws):
        starts = rng.integers(0, count, -(-count // length))
        yield ((starts[:, None] + np.arange(length)) % count).ravel()[:count]


def auc(right: Array, scores: Array) -> float:
    ranks = scores.argsort().argsort() + 1.0
    yes = right == 1
    return float((ranks[yes].mean() - (yes.sum() + 1) / 2) / (~yes).sum())


def r2(right: Array, said: Array) -> float:
    return float(1 - np.square(right - said).sum() / np.square(right - right.mean()).sum())


def f1(right: Array, said: Array) -> float:
    both = float((right * said).sum())
    return 2 * both / max(float(right.sum() + said.sum()), 1.0)


def noisier_ranks(rng: np.random.Generator, count: int) -> tuple[Array, Array, Array]:
    right = (rng.random(count) < 0.3).astype(float)
    scores = rng.normal(size=count) + 1.5 * right
    return right, scores, scores + rng.normal(size=count) * 0.7


def noisier_numbers(rng: np.random.Generator, count: int) -> tuple[Array, Array, Array]:
    right = rng.normal(size=count)
    said = right + rng.normal(size=count) * 0.5
    return right, said, said + rng.normal(size=count) * 0.3


def some_changed(share: float) -> Draw:
    def draw(rng: np.random.Generator, count: int) -> tuple[Array, Array, Array]:
        right = (rng.random(count) < 0.1).astype(float)
        said = (rng.random(count) < np.where(right, 0.9, 0.01)).astype(float)
        return right, said, np.where(rng.random(count) < share, 1 - said, said)

    return draw


def coverage(draw: Draw, metric: Metric, count: int, repeats: int, length: int = 1) -> float:
    """Share of simulated test sets whose interval holds the difference on a very large one."""
    rng = np.random.default_rng(5)
    large = [draw(rng, 200_000) for _ in range(5)]
    truth = float(np.mean([metric(y, b) - metric(y, a) for y, a, b in large]))
    places, held = list(resamples(count, length)), 0
    for _ in range(repeats):
        right, one, other = draw(rng, count)
        step = 0.0
        if metric is f1:
            changed = [np.where(np.arange(count) == i, 1 - one, one) for i in range(50)]
            moves = [f1(right, answers) - f1(right, one) for answers in changed]
            step = float(np.sqrt(np.mean(np.square(moves))))
        found = resampled_difference(
            metric(right, one),
            metric(right, other),
            [metric(right[p], one[p]) for p in places],
            [metric(right[p], other[p]) for p in places],
            count // length,
            step,
        )
        held += found.low <= truth <= found.high
    return held / repeats


@pytest.mark.parametrize(
    ("draw", "metric", "count"), [(noisier_ranks, auc, 100), (noisier_numbers, r2, 100)]
)
def test_smooth_metrics_of_the_whole_set(draw: Draw, metric: Metric, count: int) -> None:
    assert 0.915 <= coverage(draw, metric, count, 200) <= 0.985


@pytest.mark.parametrize("share", [0.004, 0.03])
def test_metrics_that_move_in_steps_keep_their_level_where_few_answers_change(
    share: float,
) -> None:
    assert coverage(some_changed(share), f1, 250, 200) >= 0.90


def test_errors_of_a_series_are_drawn_in_blocks() -> None:
    def draw(rng: np.random.Generator, count: int) -> tuple[Array, Array, Array]:
        noise = rng.normal(size=(count, 2)) * np.sqrt(1 - 0.7**2)
        for i in range(1, count):
            noise[i] += 0.7 * noise[i - 1]
        return np.zeros(count), np.abs(noise[:, 0]), np.abs(noise[:, 0]) + 0.3 * noise[:, 1]

    def mean(_: Array, errors: Array) -> float:
        return float(errors.mean())

    def cover(length: int) -> float:
        rng, places, held = np.random.default_rng(2), list(resamples(400, length)), 0
        for _ in range(150):
            _, one, other = draw(rng, 400)
            values = [([side[p].mean() for p in places]) for side in (one, other)]
            found = resampled_difference(one.mean(), other.mean(), *values, 400 // length)
            held += found.low <= 0 <= found.high
        return held / 150

    assert cover(20) >= 0.88
    assert cover(1) < 0.75  # neighbours taken for independent


def test_scores_that_are_0_or_1_use_tango_and_are_never_empty() -> None:
    found = score_difference([1.0, 0.0, 1.0] * 40, [1.0, 0.0, 1.0] * 40)
    assert found.value == 0
    assert found.low < 0 < found.high


def test_scores_that_do_not_differ_say_what_may_be_unseen() -> None:
    scores = np.random.default_rng(0).normal(size=100)
    found = score_difference(list(scores), list(scores))
    assert found.high == pytest.approx(unseen_share(100) * scores.std(ddof=1))
    assert unseen_share(100) == pytest.approx(1 - 0.025 ** (1 / 100))


def test_a_single_example_bounds_nothing() -> None:
    assert np.isinf(score_difference([0.5], [0.7]).high)
    assert np.isinf(resampled_difference(0.5, 0.6, [0.5], [0.6], 1).high)
