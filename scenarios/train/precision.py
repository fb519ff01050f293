"""Mixed precision: half-width arithmetic on float32 variables."""

import tensorflow as tf

from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.engagement import compiled_step_facts, dtypes
from scenarios.core.same_work import same_dropout
from scenarios.core.training import traced_once


@scenario(
    baseline="train/function",
    follows="float16",
    variants={"": {}, "xla": {"xla": True, "scenario": {"baseline": "train/xla"}}},
)
def mixed_float16(workload: Workload, xla: bool = False) -> TrainingPath:
    """float16 arithmetic with a scaled loss; variables and softmax stay float32."""
    same_dropout()
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    model = workload.model()
    # Gradients below 6e-8 vanish in float16: the loss is scaled up, its gradients scaled back.
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(workload.optimizer(model))
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=xla)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def proof():
        run = compiled_step_facts(train_step, next(workload.batches())) if xla else {}
        scale = float(optimizer.dynamic_scale.numpy())
        return run | traced_once(train_step) | dtypes(model, "float16") | {"loss_scale": scale}

    return TrainingPath(
        model, train_step, workload.spec.batch, batches=workload.batches(), proof=proof
    )


@scenario(
    baseline="train/function",
    follows="bfloat16",
    variants={"": {}, "xla": {"xla": True, "scenario": {"baseline": "train/xla"}}},
)
def mixed_bfloat16(workload: Workload, xla: bool = False) -> TrainingPath:
    """bfloat16 arithmetic, which has float32's range and needs no loss scaling."""
    same_dropout()
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = workload.model()
    optimizer = workload.optimizer(model)

    @tf.function(jit_compile=xla)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def proof():
        run = compiled_step_facts(train_step, next(workload.batches())) if xla else {}
        return run | traced_once(train_step) | dtypes(model, "bfloat16")

    return TrainingPath(
        model, train_step, workload.spec.batch, batches=workload.batches(), proof=proof
    )
