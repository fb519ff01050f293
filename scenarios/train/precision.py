"""Mixed precision: half-width arithmetic on float32 variables."""

from collections import Counter

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.feeding import need_range
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.core.models import keras_models
from scenarios.core.training import compiled_step


@scenario(
    baseline="train/function",
    needs=("trainable",),
    follows="float16",
    variants={"": {}, "xla": {"xla": True, "scenario": {"baseline": "train/xla", "suite": "full"}}},
)
def mixed_float16(workload: Workload, xla: bool = False) -> TrainingPath:
    """float16 arithmetic with a scaled loss; variables and softmax stay float32."""
    if xla:
        workload.no_strings("XLA")
    tf.keras.mixed_precision.set_global_policy("mixed_float16")

    workload.plain_step_only("float16 needs a scaled loss inside the step")
    need_range(workload.train.inputs, "float16")
    model = in_half(workload.model(), "float16")
    # Gradients below 6e-8 vanish in float16: the loss is scaled up, its gradients back.
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
        # A scale too high at first skips updates, which is no fault, but hides what is compared.
        workload.optimizer(model),
        initial_scale=2.0**8 if workload.comparable else 2.0**15,
    )
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
        workload.batch_size,
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
    if xla:
        workload.no_strings("XLA")
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = in_half(workload.model(), "bfloat16")
    step = compiled_step(workload, model, workload.optimizer(model), jit=xla)

    def proof():
        run = compiled_by_xla(step, *next(workload.batches())) if xla else {}
        return run | traced_once(step) | dtypes(model, "bfloat16")

    return TrainingPath(model, step, workload.batch_size, batches=workload.batches(), proof=proof)


def in_half(model, compute: str):
    """The model, whose layers took the global policy; its ends are in float32.

    Raises:
        Unsupported: They were saved, or written, with a precision of their own.
    """
    layers = [layer for layer in model._flatten_layers() if layer.trainable_weights]
    if not any(layer.compute_dtype == compute for layer in layers):
        raise Unsupported(
            f"the layers of model {model.name!r} hold a precision of their own, which the global "
            "policy does not change: give FILE.py:function that builds them without a dtype"
        )
    return keras_models.ends_in_float32(model)


def dtypes(model, compute: str, variables: str = "float32") -> dict[str, object]:
    """Proof of the precision that layers compute in and variables are kept in.

    Raises:
        NotEngaged: A layer with weights computes in, or keeps them in, another.
    """
    layers = [
        layer
        for layer in model._flatten_layers()
        if layer.weights and layer is not model and not getattr(layer, "layers", None)
    ]
    computing = Counter(str(layer.compute_dtype) for layer in layers)
    keeping = Counter(tf.as_dtype(weight.dtype).name for weight in model.trainable_variables)
    if set(keeping) != {variables} or computing[compute] == 0:
        raise NotEngaged(f"layers compute in {dict(computing)} on variables of {dict(keeping)}")
    ends = tf.nest.flatten(getattr(model, "outputs", None) or ())  # a subclass tells none
    outputs = [tf.as_dtype(each.dtype).name for each in ends]
    facts = {"compute_dtypes": dict(computing), "variable_dtypes": dict(keeping)}
    return facts | ({"output_dtype": ", ".join(sorted(set(outputs)))} if outputs else {})
