"""One update from the gradients of several small batches, which need less memory."""

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once

PARTS = 4


@scenario(baseline="train/single-device", needs=("trainable",), follows="float32")
def grad_accumulation(workload: Workload) -> TrainingPath:
    """Gradients of four small batches summed before one update: the same effective batch."""
    batch = workload.spec.batch
    if batch % PARTS:
        raise Unsupported(f"a batch of {batch} does not divide into {PARTS} equal parts")

    # Small batches have batch statistics of their own, which the whole batch has not.
    training = not workload.comparable
    model = workload.model()
    optimizer = workload.optimizer(model)
    variables = model.trainable_variables
    sums = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]
    passes = tf.Variable(0, trainable=False)

    @tf.function
    def train_step(x, y):
        x_parts = tf.reshape(x, [PARTS, batch // PARTS, *x.shape[1:]])
        y_parts = tf.reshape(y, [PARTS, batch // PARTS])
        total = tf.constant(0.0)
        for i in tf.range(PARTS):
            with tf.GradientTape() as tape:
                loss = workload.loss(y_parts[i], model(x_parts[i], training=training))
                loss = (loss + sum(model.losses)) / PARTS
            for accumulated, gradient in zip(sums, tape.gradient(loss, variables), strict=True):
                accumulated.assign_add(gradient)
            passes.assign_add(1)
            total += loss
        optimizer.apply_gradients(zip([s.read_value() for s in sums], variables, strict=True))
        for accumulated in sums:
            accumulated.assign(tf.zeros_like(accumulated))
        return total

    def proof():
        before = int(passes.numpy())
        updates = updates_of(optimizer, train_step, next(workload.batches()), expected=1)
        made = int(passes.numpy()) - before
        return traced_once(train_step) | updates | {"gradients_per_step": made}

    return TrainingPath(
        model,
        train_step,
        examples=batch,
        batches=workload.batches(),
        proof=proof,
    )


def updates_of(optimizer, step, batch, expected: int) -> dict[str, int]:
    """Proof that one step makes `expected` optimizer updates.

    Raises:
        NotEngaged: It makes more or fewer.
    """
    before = int(optimizer.iterations.numpy())
    step(*batch)
    made = int(optimizer.iterations.numpy()) - before
    if made != expected:
        raise NotEngaged(f"a step makes {made} optimizer updates, not {expected}")
    return {"updates_per_step": made}
