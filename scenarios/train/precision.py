"""Mixed precision: half-width arithmetic on float32 variables."""

from collections import Counter

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.core.training import compiled_step


@scenario(
    baseline="train/function",
    needs=("trainable",),
    follows="float16",
    variants={"": {}, "xla": {"xla": True, "scenario": {"baseline": "train/xla", "suite": "full"}}},
)
def mixed_float16(workload: Workload, xla: bool = False) -> TrainingPath:
    """float16 arithmetic with a scaled loss; variables and softmax stay float32."""
    tf.keras.mixed_precision.set_global_policy("mixed_float16")

    model = workload.model()
    # Gradients below 6e-8 vanish in float16: the loss is scaled up, its gradients back.
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
        run = compiled_by_xla(train_step, *next(workload.batches())) if xla else {}
        scale = float(optimizer.dynamic_scale.numpy())
        return run | traced_once(train_step) | dtypes(model, "float16") | {"loss_scale": scale}

    return TrainingPath(
        model,
        train_step,
        workload.spec.batch,
        batches=workload.batches(),
        proof=proof,
    )


@scenario(
    baseline="train/function",
    needs=("trainable",),
    follows="bfloat16",
    variants={"": {}, "xla": {"xla": True, "scenario": {"baseline": "train/xla", "suite": "full"}}},
)
def mixed_bfloat16(workload: Workload, xla: bool = False) -> TrainingPath:
    """bfloat16 arithmetic, which has float32's range and needs no loss scaling."""
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = workload.model()
    step = compiled_step(workload, model, workload.optimizer(model), jit=xla)

    def proof():
        run = compiled_by_xla(step, *next(workload.batches())) if xla else {}
        return run | traced_once(step) | dtypes(model, "bfloat16")

    return TrainingPath(model, step, workload.spec.batch, batches=workload.batches(), proof=proof)


def dtypes(model, compute: str, variables: str = "float32") -> dict[str, object]:
    """Proof of the precision that layers compute in and variables are kept in.

    Raises:
        NotEngaged: A layer with weights computes in, or keeps them in, another.
    """
    layers = [layer for layer in model.layers if layer.weights]
    computing = Counter(str(layer.compute_dtype) for layer in layers)
    keeping = Counter(tf.as_dtype(weight.dtype).name for weight in model.trainable_variables)
    if set(keeping) != {variables} or computing[compute] == 0:
        raise NotEngaged(f"layers compute in {dict(computing)} on variables of {dict(keeping)}")
    return {
        "compute_dtypes": dict(computing),
        "variable_dtypes": dict(keeping),
        "output_dtype": tf.as_dtype(model.output.dtype).name,
    }
