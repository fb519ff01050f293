"""Compiling the training step by XLA."""

import tensorflow as tf

from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.engagement import auto_clusters, compiled_step_facts
from scenarios.core.same_work import losses_with_same_dropout


@scenario(baseline="train/function", follows="float32")
def xla(workload: Workload) -> TrainingPath:
    """The step compiled by XLA as a whole (jit_compile=True)."""

    def loop():
        model = workload.model()
        optimizer = workload.optimizer(model)

        @tf.function(jit_compile=True)
        def train_step(x, y):
            with tf.GradientTape() as tape:
                loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        return model, train_step

    model, train_step = loop()
    return TrainingPath(
        model,
        train_step,
        examples=workload.spec.batch,
        batches=workload.batches(),
        losses=losses_with_same_dropout(workload, loop),
        proof=lambda: compiled_step_facts(train_step, next(workload.batches())),
    )


@scenario(
    baseline="train/function",
    follows="float32",
    # On a CPU, XLA clusters nothing unasked without this.
    environment={"TF_XLA_FLAGS": "--tf_xla_cpu_global_jit"},
    suite="full",
)
def xla_auto(workload: Workload) -> TrainingPath:
    """Automatic clustering: TensorFlow picks the parts of the graph that XLA compiles."""
    tf.config.optimizer.set_jit(True)

    def loop():
        model = workload.model()
        optimizer = workload.optimizer(model)

        @tf.function
        def train_step(x, y):
            with tf.GradientTape() as tape:
                loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        return model, train_step

    model, train_step = loop()
    return TrainingPath(
        model,
        train_step,
        examples=workload.spec.batch,
        batches=workload.batches(),
        losses=losses_with_same_dropout(workload, loop),
        proof=lambda: auto_clusters(train_step, next(workload.batches())),
    )
