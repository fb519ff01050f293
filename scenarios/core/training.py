"""Training the shared baseline to convergence, once, and the pieces training scenarios share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core import artifacts
from scenarios.core.graphs import traced_once
from scenarios.core.paths import Proof, TrainingPath, nothing_to_prove
from scenarios.core.workload import LEARNING_RATE, Workload


def prepare(workload: Workload, wanted: bool = True) -> dict[str, Any]:
    """Make what all scenarios share, unless the cache holds it: weights, and outputs to follow.

    A builder's model gets shared initial weights, and is trained where the data tell how; a model
    that came trained is taken as it is.

    Args:
        workload: The workload.
        wanted: Whether a scenario looks at the trained model; training is spared otherwise.

    Returns:
        Facts of the baseline: quality on the test examples, epochs, updates, parameters.
    """

    def initial(path: Path) -> None:
        artifacts.save_weights(workload.model(), path)

    def trained(path: Path) -> None:
        model = workload.model()
        train(workload, model)
        artifacts.save_weights(model, path)

    learns = workload.learns and wanted
    if not workload.facts.trained:
        artifacts.made_once(workload.folder / "initial.npz", initial)
    if learns:
        artifacts.made_once(workload.folder / "trained.npz", trained)
    answer: dict[str, Any] = {
        "epochs": workload.epochs if learns else 0,
        "updates": workload.epochs * workload.steps_per_epoch if learns else 0,
        "data": workload.data.name,
        "classes": workload.data.classes,
        "train_examples": len(workload.data.train or ()),
        "test_examples": len(workload.data.test),
    }
    if isinstance(workload.data.test.inputs, np.ndarray):
        answer["input_shape"] = list(workload.data.input_shape)
    if "model:graph" not in workload.facts.provides or learns != workload.learns:
        return answer
    outputs = workload.reference()
    found = workload.task.quality(outputs, workload.data.test.targets)
    if found is not None:
        answer |= {"quality_metric": found.metric.name, "quality": found.value}
        if found.right:
            answer["accuracy"] = float(np.mean(found.right))
    answer["warnings"] = list(doubts(workload, outputs, found))
    if "model:keras" in workload.facts.provides:
        answer["parameters"] = int(workload.trained_model().count_params())
    return answer


def doubts(workload: Workload, outputs: Any, found: Any) -> Iterator[str]:
    """Why the baseline's quality may not be what its user thinks."""
    target = workload.data.target_accuracy if workload.spec.model == "cnn" else None
    if target and found is not None and not found.value >= target:
        yield (
            f"the baseline did not converge: {found.metric.name} {found.value:.1%} after "
            f"{workload.epochs} epochs, {target:.1%} expected: train longer (--epochs)"
        )
    guessing = workload.task.guessing(outputs, workload.data.test.targets)
    if guessing:
        yield guessing


def train(
    workload: Workload,
    model: Any,
    epochs: int | None = None,
    rate: float = LEARNING_RATE,
    loss: Any = None,
    inputs: Any = None,
    targets: Any = None,
    **fit: Any,
) -> Any:
    """Train `model` by Keras `fit`: Adam, cosine decay from `rate` to 0, a new order each epoch.

    Args:
        workload: Its data and loss.
        model: Any model of the workload's input and output.
        epochs: Default: as many as the baseline gets.
        rate: First learning rate.
        loss: `loss(targets, outputs)`; default: the workload's.
        inputs: What it is trained on; default: the training examples.
        targets: What the outputs are compared with, one an input; default: the labels.
        **fit: Passed on to `fit` (`callbacks`).
    """
    epochs = epochs or workload.epochs
    part = workload.data.train
    if part is None or part.targets is None:
        raise Unsupported(workload.trainable)
    x = workload.as_given(part.inputs) if inputs is None else inputs
    y = part.targets if targets is None else targets
    count = len(tf.nest.flatten(x)[0])
    batch = min(workload.spec.batch, count)
    updates = epochs * math.ceil(count / batch)
    decay = tf.keras.optimizers.schedules.CosineDecay(rate, updates)
    model.compile(optimizer=tf.keras.optimizers.Adam(decay), loss=loss or workload.loss)
    tf.keras.utils.set_random_seed(workload.spec.seed)
    return model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, **fit)


# --- the plain compiled step, for scenarios whose technique is not the loop -----------------------


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
