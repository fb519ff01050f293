"""Variants of a step that cannot be had are left out; the others stay."""

from __future__ import annotations

from bench.results.values import Scenario

SCENARIO = Scenario("x", "train", "", "x.py", "x", "x.py", 1)


def test_products_that_cannot_be_doubled_are_still_run_alone() -> None:
    import tensorflow as tf

    from bench.launch.analysis import variants
    from bench.launch.analysis.subject import Subject

    x = tf.ones([4, 4], tf.int32)
    weights = tf.ones([4, 2], tf.int32)
    step = tf.function(lambda a: tf.matmul(a, weights))
    calls, facts, missing = variants.of(Subject(lambda: (x,), step, 4), SCENARIO, lambda: None)
    assert {"full", "cached", "pipeline", "half", "products"} <= set(calls)
    assert "twice" not in calls
    assert facts["products"] == 1
    assert missing == {}


def test_a_step_that_refuses_half_a_batch_says_so() -> None:
    import tensorflow as tf

    from bench.launch.analysis import variants
    from bench.launch.analysis.subject import Subject

    def step(a):  # type: ignore[no-untyped-def]
        return tf.reshape(a, [16])

    calls, _, missing = variants.of(
        Subject(lambda: (tf.ones([4, 4]),), step, 4), SCENARIO, lambda: None
    )
    assert "half" not in calls
    assert "graph" in calls
    assert missing["half"].startswith("InvalidArgumentError: ")
    assert "\n" not in missing["half"]
