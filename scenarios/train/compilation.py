"""Compiling the training step by XLA."""

from collections import Counter
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.python.eager import context

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.core.training import compiled_step

XLA_LAUNCHES = ("XlaLaunch", "XlaLaunchV2", "_XlaCompile")


@scenario(baseline="train/function", needs=("trainable",), follows="float32")
def xla(workload: Workload) -> TrainingPath:
    """The step compiled by XLA as a whole (jit_compile=True)."""
    workload.no_strings("XLA")
    model = workload.model()
    optimizer = workload.optimizer(model)

    @tf.function(jit_compile=True)
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
        proof=lambda: (
            traced_once(train_step) | compiled_by_xla(train_step, *next(workload.batches()))
        ),
    )


@scenario(
    baseline="train/function",
    needs=("trainable",),
    follows="float32",
    # On a CPU, XLA clusters nothing unasked without this.
    environment={"TF_XLA_FLAGS": "--tf_xla_cpu_global_jit"},
    suite="full",
)
def xla_auto(workload: Workload) -> TrainingPath:
    """Automatic clustering: TensorFlow picks the parts of the graph that XLA compiles."""
    tf.config.optimizer.set_jit(True)
    model = workload.model()
    step = compiled_step(workload, model, workload.optimizer(model))
    return TrainingPath(
        model,
        step,
        examples=workload.batch_size,
        batches=workload.batches(),
        proof=lambda: auto_clusters(step, next(workload.batches())),
    )


def auto_clusters(step, batch) -> dict[str, int]:
    """Proof that TensorFlow's automatic clustering gave parts of `step` to XLA.

    The graphs that really run are collected while the step runs inside a new function; that
    makes one more update.

    Raises:
        NotEngaged: No cluster was made.
    """
    traces = traced_once(step)
    clusters = Counter(op for op in run_operations(step, batch) if op in XLA_LAUNCHES)
    if not clusters:
        raise NotEngaged(
            "automatic clustering made no XLA cluster; on a CPU it needs "
            "TF_XLA_FLAGS=--tf_xla_cpu_global_jit before TensorFlow is imported"
        )
    return traces | {"xla_clusters": sum(clusters.values())}


def run_operations(step, batch) -> Iterator[str]:
    """Operations in the optimized graphs of `step`, called once more with `batch`."""
    context.enable_run_metadata()
    try:
        tf.function(lambda *inputs: step(*inputs))(*batch)
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    for graphs in metadata.function_graphs:
        for graph in graphs.partition_graphs:
            yield from (node.op for node in graph.node)
            for function in graph.library.function:
                yield from (node.op for node in function.node_def)
