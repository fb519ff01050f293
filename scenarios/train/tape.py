"""One recording of the forward pass, several gradients."""

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once


@scenario(baseline="train/function", needs=("trainable",), follows="float32")
def persistent_tape(workload: Workload) -> TrainingPath:
    """A persistent tape asked twice: gradients of the feature layers, then of the head."""
    workload.plain_step_only("the tape is asked inside the step")
    model = workload.model()
    optimizer = workload.optimizer(model)
    variables = model.trainable_variables
    features, head = variables[:-2], variables[-2:]
    asked: list[list[tf.Tensor]] = []

    @tf.function
    def train_step(x, y):
        with tf.GradientTape(persistent=True) as tape:
            loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
        asked[:] = [tape.gradient(loss, features), tape.gradient(loss, head)]
        del tape
        gradients = asked[0] + asked[1]
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def proof():
        if len(asked) != 2:
            raise NotEngaged(f"the tape was asked {len(asked)} times")
        return traced_once(train_step) | {"gradients_from_one_tape": len(asked)}

    return TrainingPath(
        model, train_step, workload.batch_size, batches=workload.batches(), proof=proof
    )
