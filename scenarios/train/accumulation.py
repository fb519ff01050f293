"""One update from the gradients of several small batches, which need less memory."""

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once

PARTS = 4


@scenario(baseline="train/single-device", needs=("trainable",), follows="float32")
def grad_accumulation(workload: Workload) -> TrainingPath:
    """Gradients of four small batches summed before one update: the same effective batch."""
    workload.plain_step_only("gradients are accumulated inside the step")
    batch = workload.batch_size
    if batch % PARTS:
        raise Unsupported(f"a batch of {batch} does not divide into {PARTS} equal parts")

    # Small batches have batch statistics of their own, which the whole batch has not.
    training = not workload.comparable
    model = workload.model()
    optimizer = workload.optimizer(model)
    variables = model.trainable_variables
    sums = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]
    passes = tf.Variable(0, trainable=False)

    def cut(nest):
        def parts(array):
            return tf.reshape(array, [PARTS, batch // PARTS, *array.shape[1:]])

        return tf.nest.map_structure(parts, nest)

    def part(nest, i):
        return tf.nest.map_structure(lambda array: array[i], nest)

    @tf.function
    def train_step(x, y):
        x_parts, y_parts = cut(x), cut(y)
        total = tf.constant(0.0)
        for i in tf.range(PARTS):
            with tf.GradientTape() as tape:
                loss = workload.loss(part(y_parts, i), model(part(x_parts, i), training=training))
                loss = (loss + sum(model.losses)) / PARTS
            gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
            for accumulated, gradient in zip(sums, gradients, strict=True):
                accumulated.assign_add(tf.convert_to_tensor(gradient))
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
