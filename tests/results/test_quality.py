"""Quality by any metric: its value, its change with an interval, and what counts as a loss."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bench.results import statistics
from bench.results.effects import Effects
from bench.results.histogram import bucket
from bench.results.quality import Quality, agreement, quality, quality_change
from bench.results.values import Estimate, Launch
from tests.results.test_effects import ALL, group


def probe(scenario: str = "infer/fast", **fields: object) -> Launch:
    return Launch(scenario, "cpu-1", purpose="probe", **fields)  # type: ignore[arg-type]


def test_accuracy_is_a_share_and_paired_by_tango() -> None:
    base = probe(accuracy=0.75, correct=(1, 1, 1, 0))
    own = probe(accuracy=0.5, correct=(1, 1, 0, 0))
    found = quality(own)
    assert found == Quality("accuracy", 0.5, "%")
    assert quality_change(base, own) == statistics.paired_accuracy_delta(base.correct, own.correct)


def test_scores_of_0_and_1_are_paired_by_tango_others_by_t() -> None:
    base = probe(quality_metric="top5", quality=0.75, scores=(1.0, 1.0, 1.0, 0.0))
    own = probe(quality_metric="top5", quality=0.5, scores=(1.0, 1.0, 0.0, 0.0))
    tango = statistics.paired_accuracy_delta((1, 1, 1, 0), (1, 1, 0, 0))
    assert quality_change(base, own) == tango
    errors = dataclasses.replace(base, scores=(1.0, 2.0, 3.0, 4.0))
    found = quality_change(errors, dataclasses.replace(own, scores=(1.5, 2.5, 3.5, 4.6)))
    assert found is not None
    assert found.value == pytest.approx(0.525)
    assert found.launches == 4
    assert found.low == pytest.approx(0.525 - 3.1824 * 0.05 / 2, abs=1e-4)


def test_the_interval_of_scores_covers_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(3)
    inside = 0
    for _ in range(500):
        scores = draw.exponential(1.0, 60)
        own = scores + draw.normal(0.1, 0.3, 60)
        found = quality_change(
            probe(quality_metric="mae", quality=1.0, scores=tuple(scores)),
            probe(quality_metric="mae", quality=1.1, scores=tuple(own)),
        )
        assert found is not None
        inside += found.low <= 0.1 <= found.high
    assert 0.92 <= inside / 500 <= 0.98


def test_a_metric_of_the_whole_set_is_compared_on_the_same_resampled_examples() -> None:
    draws = np.random.default_rng(0).normal(0.9, 0.05, 200)
    base = probe(quality_metric="auc", quality=0.9, answers=tuple(draws), quality_examples=50)
    worse = dataclasses.replace(base, quality=0.88, answers=tuple(draws - 0.02))
    found = quality_change(base, worse)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-0.02, -0.02, -0.02))
    assert found.launches == 50
    assert quality_change(base, dataclasses.replace(worse, quality_metric="f1")) is None
    assert quality_change(base, dataclasses.replace(worse, answers=())) is None


def test_a_gain_follows_the_metric_s_direction_and_scale() -> None:
    item = Estimate(0.2, 0.1, 0.4, 10)
    error = Quality("rmse", 2.2, "m", larger_is_better=False).gain(item)
    assert (error.value, error.low, error.high) == pytest.approx((-0.1, -0.2, -0.05))
    share = Quality("accuracy", 0.9, "%").gain(item)
    assert (share.value, share.low, share.high) == pytest.approx((0.2, 0.1, 0.4))


def test_agreement_is_top_1_with_the_plain_model_else_as_the_launch_says() -> None:
    plain, own = probe(predictions=(1, 2, 3, 4)), probe(predictions=(1, 2, 0, 4))
    assert agreement(plain, own) == 0.75
    assert agreement(None, own) is None
    several = probe(agreement={"note/top1": 0.99, "onset/top1": 0.97, "onset/snr_db": 30.0})
    assert agreement(None, several) == 0.97


def test_rows_carry_the_metric_and_keep_the_accuracy() -> None:
    launches = group(("infer/function", 1000), ("infer/fast", 500))
    f1 = {"quality_metric": "f1", "quality_examples": 2}
    launches += [
        probe("infer/function", accuracy=0.5, correct=(1, 0), predictions=(1, 1), quality=0.9,
              answers=(0.9, 0.8), **f1),
        probe(accuracy=1.0, correct=(1, 1), predictions=(1, 0), quality=0.8,
              answers=(0.8, 0.7), **f1),
    ]  # fmt: skip
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    assert (row.accuracy, row.accuracy_delta_pp, row.agreement) == (1.0, 50.0, 0.5)
    assert (row.quality_metric, row.quality) == ("f1", 0.8)
    delta = (row.quality_delta, row.quality_delta_low, row.quality_delta_high)
    assert delta == pytest.approx((-0.1, -0.1, -0.1))


@pytest.mark.parametrize(
    ("samples", "known"), [(4, ""), (58, "50"), (59, "50 95"), (298, "50 95"), (299, "50 95 99")]
)
def test_quantiles_are_empty_where_too_few_samples_bound_them(samples: int, known: str) -> None:
    launches = group(("infer/function", 1000), ("infer/fast", 500), count=1)
    steps = {bucket(1e6): samples}
    launches = [dataclasses.replace(x, latency_histogram=steps) for x in launches]
    row = Effects(launches, ALL).row("infer/fast", "cpu-1")
    assert row is not None
    found = {"50": row.p50_ns, "95": row.p95_ns, "99": row.p99_ns}
    assert " ".join(name for name, value in found.items() if value is not None) == known
    assert all(v == pytest.approx(1e6, rel=0.002) for v in found.values() if v is not None)
