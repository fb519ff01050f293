"""Differences between two paths on the same test examples, each with its interval.

One of three intervals, by what was measured: of scores that are 0 or 1 Tango's, of other scores of
each example a paired t, of a metric of the whole set a paired bootstrap (of a series its draws are
blocks of neighbours).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.results import statistics
from bench.results.quantiles import student
from bench.results.values import Estimate


def score_difference(
    baseline: Sequence[float], candidate: Sequence[float], confidence: float = 0.95
) -> Estimate:
    """Mean difference of paired scores, one an example: Tango's interval or a paired t.

    A t-interval is empty where no score differs at all. Then it reaches as far as a difference in
    as many examples as may still differ unseen (3 of n, with 95 % confidence) would shift the mean:
    each by no more than the scores themselves scatter.
    """
    if {*baseline, *candidate} <= {0, 1}:
        return statistics.paired_accuracy_delta(
            [int(b) for b in baseline], [int(c) for c in candidate], confidence
        )
    values = np.asarray(baseline, float)
    differences = np.asarray(candidate, float) - values
    count = len(differences)
    if count < 2:
        return Estimate(float(differences.mean()), -math.inf, math.inf, count, confidence)
    error = float(differences.std(ddof=1)) / math.sqrt(count)
    reach = student(count - 1, 0.5 + confidence / 2) * error
    if error == 0:
        reach = unseen_share(count, confidence) * float(values.std(ddof=1))
    value = float(differences.mean())
    return Estimate(value, value - reach, value + reach, count, confidence)


def resampled_difference(
    base_value: float,
    own_value: float,
    baseline: Sequence[float],
    candidate: Sequence[float],
    examples: int,
    step: float = 0.0,
    confidence: float = 0.95,
) -> Estimate:
    """Difference of a metric of the whole set, its interval from paired resamples.

    The standard deviation of the resampled differences is the standard error, and t's quantile
    its multiple: with some 200 draws the tails themselves (a percentile interval) are too coarse.
    Where the metric moves in steps, one more changed answer is added, as Agresti and Min (2005) add
    pairs to a table: few changed answers would tell too little of how often answers change.

    Args:
        base_value: Of the baseline, on all examples.
        own_value: Of the candidate.
        baseline: The baseline's value on each resample.
        candidate: The candidate's on the same resamples; the common beginning is used.
        examples: Independent examples (of a series: blocks).
        step: What one changed answer changes the metric by, 0 where it is smooth.
        confidence: Of the two-sided interval.
    """
    count = min(len(baseline), len(candidate))
    base, own = (np.asarray(values[:count], float) for values in (baseline, candidate))
    value = own_value - base_value
    if count < 2 or examples < 2:
        return Estimate(value, -math.inf, math.inf, examples, confidence)
    # Resamples of n scatter as if n - 1 were divided by n.
    error = float((own - base).std(ddof=1)) * math.sqrt(examples / (examples - 1))
    reach = student(examples - 1, 0.5 + confidence / 2) * math.hypot(error, step)
    return Estimate(value, value - reach, value + reach, examples, confidence)


def unseen_share(examples: int, confidence: float = 0.95) -> float:
    """Largest share of examples that may differ where none of so many was seen to (exact)."""
    return statistics.clopper_pearson(0, examples, confidence)[1]
