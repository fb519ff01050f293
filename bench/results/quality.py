"""How good a path's answers are, by any metric, and how that differs between two paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from bench.results import pairing, statistics
from bench.results.accuracy import accuracy_change, mean_accuracy
from bench.results.values import Estimate, Launch


@dataclass(frozen=True)
class Quality:
    """A path's quality on the test examples."""

    metric: str
    value: float
    unit: str = ""
    """`%`: a share of the examples, whose differences are percentage points."""
    larger_is_better: bool = True

    @property
    def is_share(self) -> bool:
        """Whether it is a share of the examples."""
        return self.unit == "%"

    def gain(self, change: Estimate, relative: bool = False) -> Estimate:
        """A change as a gain: negative is a loss, in the metric's own direction.

        Args:
            change: Of this quality from another one's.
            relative: In shares of the other one's value whatever the metric.

        Returns:
            In shares of the examples; of other metrics in shares of the other one's value.
        """
        scale = 1.0 if self.is_share and not relative else abs(self.value - change.value) or 1.0
        ends = sorted((change.low / scale, change.high / scale), reverse=not self.larger_is_better)
        sign = 1 if self.larger_is_better else -1
        low, high = (sign * end for end in ends)
        return Estimate(sign * change.value / scale, low, high, change.launches, change.confidence)


def quality(probe: Launch | None) -> Quality | None:
    """What a probe measured: the mean over a training path's trainings; None where nothing."""
    if probe is None:
        return None
    if probe.quality_metric and probe.quality is not None:
        value = fmean(probe.qualities) if probe.qualities else probe.quality
        unit, larger = probe.quality_unit, probe.quality_larger_is_better
        return Quality(probe.quality_metric, value, unit, larger)
    share = mean_accuracy(probe)
    return None if share is None else Quality("accuracy", share, "%")


def quality_change(base: Launch | None, own: Launch | None) -> Estimate | None:
    """Difference (own - base) of the metric's values on the same test examples.

    The interval is `pairing`'s; of training paths it covers how repeated trainings differ too.

    Returns:
        None where the two were not judged by one metric on the same examples.
    """
    if base is None or own is None or base.quality_metric != own.quality_metric:
        return None
    if not own.quality_metric:
        return accuracy_change(base, own)
    one = _paired(base, own)
    return statistics.over_trainings(one, base.qualities, own.qualities) if one else None


def _paired(base: Launch, own: Launch) -> Estimate | None:
    if base.quality_examples != own.quality_examples:
        return None
    if base.answers and own.answers and base.quality is not None and own.quality is not None:
        step = max(base.answer_step, own.answer_step)
        return pairing.resampled_difference(
            base.quality, own.quality, base.answers, own.answers, own.quality_examples, step
        )
    if base.scores and len(base.scores) == len(own.scores):
        return pairing.score_difference(base.scores, own.scores)
    return None


def agreement(plain: Launch | None, own: Launch | None) -> float | None:
    """Share of test examples where both predict the same class; None where that is not known."""
    if own is None:
        return None
    if plain is not None and plain.predictions:
        return _same(plain.predictions, own.predictions)
    shares = [v for name, v in own.agreement.items() if name.rpartition("/")[2] == "top1"]
    return min(shares, default=None)  # of several outputs: the one that agrees least


def columns(base: Launch | None, own: Launch | None) -> dict[str, Any]:
    """The columns of effects.csv on quality: a path's own, and its change from its baseline's."""
    found = quality(own)
    if found is None:
        return {}
    before, change = quality(base), quality_change(base, own)  # of as many trainings as both had
    share, base_share = mean_accuracy(own), mean_accuracy(base)
    points = accuracy_change(base, own)
    both = before is not None and before.metric == found.metric
    return {
        "accuracy": share,
        "accuracy_delta_pp": 100 * points.value if points else _difference(share, base_share, 100),
        "quality_metric": found.metric,
        "quality": found.value,
        "quality_delta": change.value
        if change
        else _difference(found.value, before.value if before and both else None),
        "quality_delta_low": change.low if change else None,
        "quality_delta_high": change.high if change else None,
    }


def _difference(own: float | None, base: float | None, scale: float = 1.0) -> float | None:
    return None if own is None or base is None else scale * (own - base)


def _same(one: Sequence[int], other: Sequence[int]) -> float | None:
    if len(one) != len(other):
        return None
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
