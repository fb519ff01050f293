"""Ways to write a training loop."""

import tensorflow as tf

from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once


@scenario(baseline="train/function", needs=("trainable",), follows="float32")
def eager(workload: Workload) -> TrainingPath:
    """Custom GradientTape loop run eagerly, operation by operation."""
    model = workload.model()
    optimizer = workload.optimizer(model)

    @workload.step(model, optimizer)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return TrainingPath(model, train_step, examples=workload.batch_size, batches=workload.batches())


@scenario(needs=("trainable",))
def function(workload: Workload) -> TrainingPath:
    """The custom loop's step compiled to a graph by tf.function."""
    model = workload.model()
    optimizer = workload.optimizer(model)

    @tf.function
    @workload.step(model, optimizer)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return TrainingPath(
        model,
        train_step,
        examples=workload.batch_size,
        batches=workload.batches(),
        proof=lambda: traced_once(train_step),
    )
