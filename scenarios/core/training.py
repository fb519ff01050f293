"""Training the shared baseline to convergence, once, and the pieces training scenarios share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError
from scenarios.core import artifacts, quality
from scenarios.core.graphs import traced_once
from scenarios.core.paths import Proof, TrainingPath, nothing_to_prove
from scenarios.core.workload import LEARNING_RATE, Workload


def prepare(workload: Workload) -> dict[str, Any]:
    """Make the shared initial weights and the converged baseline, unless the cache holds them.

    Returns:
        Facts of the baseline: accuracy on the test half, epochs, updates, parameters.

    Raises:
        UsageError: The baseline did not converge, or the model does not fit the data.
    """

    def initial(path: Path) -> None:
        artifacts.save_weights(workload.model(), path)

    def trained(path: Path) -> None:
        model = workload.model()
        train(workload, model)
        check_converged(workload, model)
        artifacts.save_weights(model, path)

    artifacts.made_once(workload.folder / "initial.npz", initial)
    artifacts.made_once(workload.folder / "trained.npz", trained)
    model = workload.trained_model()
    scores = quality.predict(model, workload.data.x_test)
    return {
        "accuracy": quality.accuracy(scores, workload.data.y_test),
        "epochs": workload.epochs,
        "updates": workload.epochs * workload.steps_per_epoch,
        "parameters": int(model.count_params()),
        "data": workload.data.name,
        "input_shape": list(workload.data.input_shape),
        "classes": workload.data.classes,
        "train_examples": len(workload.data.x_train),
        "test_examples": len(workload.data.x_test),
    }


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
    x = workload.data.x_train if inputs is None else inputs
    y = workload.data.y_train if targets is None else targets
    batch = min(workload.spec.batch, len(x))
    updates = epochs * math.ceil(len(x) / batch)
    decay = tf.keras.optimizers.schedules.CosineDecay(rate, updates)
    model.compile(optimizer=tf.keras.optimizers.Adam(decay), loss=loss or workload.loss)
    tf.keras.utils.set_random_seed(workload.spec.seed)
    return model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, **fit)


def check_converged(workload: Workload, model: Any) -> None:
    """Raise UsageError unless the model learned: the known target, or clearly beyond guessing.

    Beyond guessing: 5 binomial standard errors above always naming the most frequent class.
    """
    labels = workload.data.y_test
    reached = quality.accuracy(quality.predict(model, workload.data.x_test), labels)
    guess = float(np.bincount(labels).max() / len(labels))
    needed = workload.data.target_accuracy or min(
        0.999, guess + 5 * math.sqrt(guess * (1 - guess) / len(labels))
    )
    if not reached >= needed:
        raise UsageError(
            f"the baseline did not converge: accuracy {reached:.1%} after {workload.epochs} "
            f"epochs, {needed:.1%} needed; train longer (--epochs) or check the data and the model"
        )


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
