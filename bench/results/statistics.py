"""Estimates and intervals; every function is tested on distributions with known answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.results.histogram import histogram_quantile
from bench.results.quantiles import beta, normal, student
from bench.results.values import Estimate, Turn

Floats = NDArray[np.float64]
LEAST_TO_TRIM = 6
"""Launches of each start order."""


def launch_log_ratio(
    baseline: Sequence[Turn],
    candidate: Sequence[Turn],
    baseline_examples: float = 1,
    candidate_examples: float = 1,
) -> float | None:
    """One launch's effect: the median over neighbouring turns of ln(candidate / baseline).

    Neighbouring turns are those of one round; the order within a round alternates, so a linear
    drift cancels. Times are per example, so that paths of different batch sizes compare.

    Returns:
        The natural log of the time ratio (above 0: the candidate is slower), None without a
        round that both took part in.
    """
    base = {turn.round: turn.step_ns for turn in baseline}
    logs = [math.log(turn.step_ns / base[turn.round]) for turn in candidate if turn.round in base]
    if not logs:
        return None
    return float(np.median(logs)) - math.log(candidate_examples / baseline_examples)


def over_launches(
    effects: Sequence[float], orders: Sequence[int] | None = None, confidence: float = 0.95
) -> Estimate:
    """Mean of independent launches' effects with a t-interval; see `mean_over_launches`.

    Args:
        effects: One value a launch (log ratios).
        orders: 0 or 1 for each launch.
        confidence: Of the two-sided interval.

    Returns:
        Estimate; low and high are infinite with a single launch.

    Raises:
        ValueError: There is no launch.
    """
    mean, error, freedom = mean_over_launches(effects, orders)
    if freedom < 1:
        return Estimate(mean, -math.inf, math.inf, len(effects), confidence)
    reach = student(freedom, 0.5 + confidence / 2) * error
    return Estimate(mean, mean - reach, mean + reach, len(effects), confidence)


def mean_over_launches(
    effects: Sequence[float], orders: Sequence[int] | None = None
) -> tuple[float, float, int]:
    """Mean of independent launches' effects, its standard error and its degrees of freedom.

    With start orders (0: baseline first, 1: candidate first) of at least three launches each, the
    mean is balanced over them and the variance is that within an order (K-2 degrees of freedom):
    a bias from being started second then neither shifts nor widens the interval. From six launches
    of each order on, the means are trimmed: a launch that another program disturbed, or whose
    memory lies badly, is off by several percent, and one of them would hide a change of 2 %. A
    percentile bootstrap would be too narrow at 5 to 10 launches (simulated: 4 to 9 %
    for 2.5 %).

    Returns:
        (mean, error, freedom); freedom is 0, and the error NaN, with a single launch.

    Raises:
        ValueError: There is no launch.
    """
    values = np.asarray(effects, dtype=float)
    if values.size == 0:
        raise ValueError("no launches to estimate from")
    groups = [values]
    if orders is not None:
        marks = np.asarray(orders)
        split = [values[marks == 0], values[marks == 1]]
        if min(len(part) for part in split) >= LEAST_TO_TRIM:
            return _trimmed(split)
        if min(len(part) for part in split) >= 3:
            groups = split
    mean = float(np.mean([np.mean(part) for part in groups]))
    freedom = values.size - len(groups)
    if freedom < 1:
        return mean, math.nan, 0
    squares = sum(float(np.sum((part - np.mean(part)) ** 2)) for part in groups)
    variance = squares / freedom
    error = math.sqrt(variance * sum(1 / len(part) for part in groups)) / len(groups)
    return mean, error, freedom


def _trimmed(parts: Sequence[Floats]) -> tuple[float, float, int]:
    """Mean over start orders of their trimmed means, its standard error, degrees of freedom.

    Yuen (1974) for each order, a sixth trimmed at either end. Simulated one-sided error rates at a
    nominal 1 %: 12 launches 1.2 % (normal), 1.0 % (5 % of launches off by ten deviations), 48
    launches 1.0 and 0.9 %; untrimmed the latter are 0.4 %, with intervals twice as wide.
    """
    means, variances, freedom = [], [], 0
    for part in parts:
        ordered = np.sort(part)
        cut = len(ordered) // 6
        kept = ordered[cut : len(ordered) - cut]
        winsorised = np.clip(ordered, kept[0], kept[-1])
        squares = float(np.sum((winsorised - winsorised.mean()) ** 2))
        means.append(float(kept.mean()))
        variances.append(squares / (len(kept) * (len(kept) - 1)))
        freedom += len(kept) - 1
    return sum(means) / 2, math.sqrt(sum(variances)) / 2, freedom


def apart(one: Sequence[float], two: Sequence[float]) -> tuple[float, float, float]:
    """Difference of two means, its standard error and Welch's (1947) degrees of freedom.

    Unequal variances; at least two values each. The freedom is NaN where no value differs.
    """
    x, y = np.asarray(one, dtype=float), np.asarray(two, dtype=float)
    value = float(x.mean() - y.mean())
    vx, vy = float(x.var(ddof=1)) / x.size, float(y.var(ddof=1)) / y.size
    if vx + vy == 0:
        return value, 0.0, math.nan
    freedom = (vx + vy) ** 2 / (vx**2 / (x.size - 1) + vy**2 / (y.size - 1))
    return value, math.sqrt(vx + vy), freedom


def as_speedup(log_ratio: Estimate) -> Estimate:
    """The estimate of ln(candidate / baseline) time as a speed-up factor (above 1: faster)."""
    return Estimate(
        math.exp(-log_ratio.value),
        math.exp(-log_ratio.high) if math.isfinite(log_ratio.high) else 0.0,
        math.exp(-log_ratio.low) if math.isfinite(log_ratio.low) else math.inf,
        log_ratio.launches,
        log_ratio.confidence,
    )


def chained(first: Estimate, second: Estimate) -> Estimate:
    """The log effect of two steps one after the other; half-widths add in quadrature."""
    value = first.value + second.value
    reach = math.hypot(first.high - first.value, second.high - second.value)
    launches = min(first.launches, second.launches)
    return Estimate(value, value - reach, value + reach, launches, first.confidence)


def bounded_quantile(histogram: Mapping[str, int], quantile: float) -> float | None:
    """A quantile in ns; None where the samples are too few to bound it (`samples_for_quantile`)."""
    if sum(histogram.values()) < samples_for_quantile(quantile):
        return None
    return histogram_quantile(histogram, quantile)


def samples_for_quantile(quantile: float, confidence: float = 0.95) -> int:
    """Samples needed so that the largest one bounds the quantile from above with confidence.

    n = ln(1-confidence) / ln(quantile): 59 for p95, 299 for p99 (order statistics).
    """
    return math.ceil(math.log(1 - confidence) / math.log(quantile))


def clopper_pearson(
    successes: float, trials: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Exact two-sided interval of a proportion (Clopper and Pearson 1934).

    Correlated trials count as fewer, which need not be a whole number.
    """
    if trials == 0:
        return 0.0, 1.0
    tail, failures = (1 - confidence) / 2, trials - successes
    low = beta(successes, failures + 1, tail) if successes else 0.0
    high = beta(successes + 1, failures, 1 - tail) if failures else 1.0
    return low, high


def paired_accuracy_delta(
    baseline: Sequence[int], candidate: Sequence[int], confidence: float = 0.95
) -> Estimate:
    """Difference of accuracy (candidate - baseline) on the same test examples, with its interval.

    The interval is Tango's score interval for a difference of paired proportions (1998), inverted
    numerically: unlike Wald's it keeps its level when few examples differ, and it is not empty
    when none does.

    Args:
        baseline: 1 where the baseline was right, else 0, for each example.
        candidate: The same for the candidate.
        confidence: Of the two-sided interval.

    Returns:
        Estimate in shares (0.01 is one percentage point); `launches` counts the examples.

    Raises:
        ValueError: The two are not of one length, or empty.
    """
    if len(baseline) != len(candidate) or not len(baseline):
        raise ValueError("both need the same test examples, and at least one")
    gained = sum(c > b for b, c in zip(baseline, candidate, strict=True))
    lost = sum(c < b for b, c in zip(baseline, candidate, strict=True))
    total = len(baseline)
    reach = normal(0.5 + confidence / 2)
    value = (gained - lost) / total

    def score(delta: float) -> float:
        """Tango's statistic for the hypothesis that the difference is delta."""
        a = 2 * total
        b = -gained - lost + (2 * total - gained + lost) * delta
        c = -lost * delta * (1 - delta)
        share = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        spread = total * (2 * share + delta * (1 - delta))
        return (gained - lost - total * delta) / math.sqrt(max(spread, 1e-12))

    def edge(sign: int) -> float:
        inside, outside = value, float(sign)
        for _ in range(60):
            middle = (inside + outside) / 2
            if abs(score(middle)) <= reach:
                inside = middle
            else:
                outside = middle
        return inside

    return Estimate(value, edge(-1), edge(1), total, confidence)


def over_trainings(
    one: Estimate, baseline: Sequence[float], candidate: Sequence[float]
) -> Estimate:
    """Difference of accuracy (candidate - baseline) over repeated trainings, with its interval.

    The mean of the differences of trainings that start alike. Its interval adds two independent
    errors in quadrature: how such differences vary (t over trainings), and the choice of test
    examples, which all trainings share (as one of them shows).

    Args:
        one: The difference in the first training, with the interval for its test examples.
        baseline: Accuracy of each of the baseline's trainings, shares.
        candidate: The same for the candidate, in the same order.

    Returns:
        Estimate in shares; `one` itself where there are no two trainings of both.
    """
    differences = [c - b for b, c in zip(baseline, candidate, strict=False)]
    if len(differences) < 2:
        return one
    value = float(np.mean(differences))
    error = float(np.std(differences, ddof=1)) / math.sqrt(len(differences))
    reach = student(len(differences) - 1, 0.5 + one.confidence / 2) * error
    return Estimate(
        value,
        value - math.hypot(reach, one.value - one.low),
        value + math.hypot(reach, one.high - one.value),
        one.launches,
        one.confidence,
    )
