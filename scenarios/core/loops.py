"""The compiled training step that scenarios share whose technique is not the loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from scenarios.core.paths import Proof, TrainingPath, nothing_to_prove
from scenarios.core.training import traced_once
from scenarios.core.workload import Workload


def compiled_step(
    workload: Workload, model: Any, optimizer: Any, training: bool = True, jit: bool | None = None
) -> Callable[..., Any]:
    """`step(x, y)` → loss of the batch, after one update of `model` by `optimizer`.

    Args:
        workload: Its loss.
        model: Output [N, classes].
        optimizer: With `scale_loss`, the gradients are those of the scaled loss.
        training: Whether dropout and batch norm work as in training.
        jit: Compile the step by XLA.
    """
    scale = getattr(optimizer, "scale_loss", None)

    @tf.function(jit_compile=jit)
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = workload.loss(y, model(x, training=training)) + sum(model.losses)
            target = scale(loss) if scale else loss
        gradients = tape.gradient(target, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    step: Callable[..., Any] = train_step
    return step


def compiled_path(
    workload: Workload,
    model: Any,
    optimizer: Any = None,
    batch: int | None = None,
    proof: Proof = nothing_to_prove,
) -> TrainingPath:
    """A training path of the plain compiled step over the workload's batches.

    Args:
        workload: Its data, loss and (by default) optimizer.
        model: The model that is trained.
        optimizer: Default: the workload's.
        batch: Examples in a step; default: the workload's.
        proof: Facts beyond the number of traces.
    """
    step = compiled_step(workload, model, optimizer or workload.optimizer(model))
    return TrainingPath(
        model,
        step,
        examples=len(workload.epoch(batch)[0][1]),
        batches=workload.batches(batch),
        proof=lambda: {**traced_once(step), **proof()},
    )


def lazy_step(workload: Workload) -> Callable[..., Any]:
    """The plain compiled step, with a model that is built when it is first called.

    Input paths are mostly measured alone, and their launches should not wait for a model.
    """
    made: list[Callable[..., Any]] = []

    def train_step(x, y):
        if not made:
            model = workload.model()
            made.append(compiled_step(workload, model, workload.optimizer(model)))
        return made[0](x, y)

    return train_step
