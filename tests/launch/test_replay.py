"""Products replayed alone are those that the step runs, with results of their true shapes."""

from __future__ import annotations


def test_a_training_steps_products() -> None:
    import tensorflow as tf

    from bench.launch import replay
    from scenarios.core import models

    model = models.cnn((32, 32, 3), 10)

    @tf.function(autograph=False)
    def step(x):  # type: ignore[no-untyped-def]
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        return tape.gradient(loss, model.trainable_variables)

    graph = step.get_concrete_function(tf.TensorSpec([4, 32, 32, 3])).graph
    found = replay.of(graph)
    assert found.operations == 3 * 5 - 1  # the image needs no gradient
    forward, first = 10_339_584, 884_736
    assert found.flops == 2 * 4 * (3 * forward - first)
    assert found.call is not None
    assert found.call().shape == ()  # an empty result would raise: it has no first element
