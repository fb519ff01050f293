"""What a tf.function costs whose inputs change shape."""

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import JobPath, Workload, scenario

SIZES = (8, 14, 20, 26)


@scenario(
    baseline="train/function-retracing-fixed",
    needs=("trainable",),
    unit="job",
    variants={
        "fixed": {"signature": "fixed", "scenario": {"baseline": None}},
        "relaxed": {"signature": "relaxed"},
        "": {"signature": None},
    },
    suite="full",
)
def function_retracing(workload: Workload, signature: str | None = None) -> JobPath:
    """A new tf.function over eight batches: one size, any size under one signature, or retraced."""
    sizes = [sum(SIZES) // len(SIZES)] * len(SIZES) if signature == "fixed" else SIZES
    x, y = workload.epoch(max(SIZES))[0]
    batches = [tf.nest.map_structure(lambda a, n=n: tf.constant(a[:n]), (x, y)) for n in sizes] * 2
    any_size = tf.nest.map_structure(
        lambda tensor: tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype), batches[0]
    )
    traces = []

    def job():
        model = workload.model()
        optimizer = workload.optimizer(model)

        @tf.function(
            input_signature=any_size if signature == "relaxed" else None, reduce_retracing=False
        )
        @workload.step(model, optimizer)
        def train_step(x, y):
            with tf.GradientTape() as tape:
                loss = workload.loss(y, model(x, training=True)) + sum(model.losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        losses = [train_step(x, y) for x, y in batches]
        traces.append(train_step.experimental_get_tracing_count())
        return losses

    def proof():
        expected = 1 if signature else len(SIZES)
        if set(traces) != {expected}:
            raise NotEngaged(f"traced {traces} times, not {expected}")
        return {"traces": expected, "batch_sizes": list(sizes)}

    return JobPath(job, examples=2 * sum(sizes), proof=proof)
