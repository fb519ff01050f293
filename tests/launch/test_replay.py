"""Products replayed alone are those that the step runs, with results of their true shapes."""

from __future__ import annotations


def test_a_training_steps_products() -> None:
    import tensorflow as tf

    from bench.launch.analysis import replay
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


def test_a_doubled_step_runs_each_product_twice_and_gives_the_same() -> None:
    import tensorflow as tf

    from bench.launch.analysis import replay

    weights = tf.Variable(tf.random.stateless_normal([64, 64], (1, 2)))
    counter = tf.Variable(0)

    @tf.function(autograph=False)
    def step(x, scale):  # type: ignore[no-untyped-def]
        counter.assign_add(1)
        return {"loss": tf.reduce_sum(tf.nn.relu(x @ weights) @ weights) * scale}

    batch = (tf.random.stateless_normal([8, 64], (3, 4)), tf.constant(0.5))
    call = replay.doubled(step.get_concrete_function(*batch), batch)
    assert call is not None
    assert len(_products_that_ran(call)) == 4  # none merged with its copy
    before = int(counter)
    tf.debugging.assert_near(call()[0], step(*batch)["loss"], rtol=1e-4)
    assert int(counter) == before + 2  # effects take place in both


def _products_that_ran(call) -> set[str]:  # type: ignore[no-untyped-def]
    """Names of the matrix products, fused or not, in the graphs that TensorFlow made of a call."""
    from tensorflow.python.eager import context

    context.enable_run_metadata()
    try:
        call()
        graphs = context.export_run_metadata().function_graphs
    finally:
        context.disable_run_metadata()
    nodes = [node for each in graphs for graph in each.partition_graphs for node in graph.node]
    return {node.name for node in nodes if "MatMul" in node.op}


def test_what_cannot_be_doubled_is_left_out() -> None:
    import tensorflow as tf

    from bench.launch.analysis import replay

    x = tf.ones([4, 4])
    compiled = tf.function(lambda a: a @ a, jit_compile=True).get_concrete_function(x)
    without = tf.function(lambda a: a + a).get_concrete_function(x)
    inner = tf.function(lambda a: a @ a)
    nested = tf.function(lambda a: inner(a) + 1.0).get_concrete_function(x)
    assert [replay.doubled(each, (x,)) for each in (compiled, without, nested)] == [None] * 3
