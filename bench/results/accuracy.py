"""How much accuracy a path gains or loses against its baseline."""

from __future__ import annotations

from statistics import fmean

from bench.results import statistics
from bench.results.values import Estimate, Launch


def mean_accuracy(probe: Launch | None) -> float | None:
    """Share of test examples classified correctly: the mean over a training path's trainings."""
    if probe is None:
        return None
    return fmean(probe.accuracies) if probe.accuracies else probe.accuracy


def accuracy_change(base: Launch | None, own: Launch | None) -> Estimate | None:
    """Difference (own - base) on the same test examples, a share, with its 95 % interval.

    Of inference paths, made from one trained model, for the choice of test examples; of training
    paths that were trained several times for how trainings differ too.

    Returns:
        None where the two were not judged on the same examples.
    """
    if base is None or own is None or not base.correct or len(base.correct) != len(own.correct):
        return None
    one = statistics.paired_accuracy_delta(base.correct, own.correct)
    return statistics.over_trainings(one, base.accuracies, own.accuracies)
