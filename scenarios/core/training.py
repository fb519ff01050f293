"""Training the shared baseline to convergence, once, and the pieces training scenarios share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged, UsageError
from scenarios.core import artifacts, quality
from scenarios.core.workload import LEARNING_RATE, Workload


def prepare(workload: Workload) -> dict[str, Any]:
    """Make the shared initial weights and the converged baseline, unless the cache holds them.

    Returns:
        Facts of the baseline: accuracy on the test half, epochs, updates, parameters.

    Raises:
        UsageError: The baseline did not converge, or the model does not fit the data.
    """
    folder = workload.folder
    if not (folder / "initial.npz").exists():
        _keep(workload.model(), folder / "initial.npz")
    if not (folder / "trained.npz").exists():
        model = workload.model()
        train(workload, model)
        check_converged(workload, model)
        _keep(model, folder / "trained.npz")
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


def traced_once(step: Any) -> dict[str, Any]:
    """Proof that a tf.function was traced, and only once.

    Raises:
        NotEngaged: It ran eagerly or was traced again.
    """
    traces = step.experimental_get_tracing_count()
    if traces != 1:
        raise NotEngaged(f"tf.function was traced {traces} times, not once")
    return {"traces": traces}


def _keep(model: Any, path: Any) -> None:
    part = path.with_suffix(".part")
    artifacts.save_weights(model, part)
    part.rename(path)
