"""Training the shared baseline to convergence, once, and the pieces training scenarios share."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError
from scenarios.core import artifacts, budget, refusals, user_code
from scenarios.core.data import nests
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
        learn(workload, model)
        artifacts.save_weights(model, path)
        budget.keep(path.with_name("trained.npz"), workload.trainings)

    learns = workload.learns and wanted
    if not workload.facts.trained:
        artifacts.made_once(workload.base / "initial.npz", initial)
    # Once more where a run with a smaller budget trained it while this one waited for it.
    while learns and not (file := workload.trained_file).exists():
        artifacts.made_once(file, trained)
    made = budget.kept(workload.trained_file) if learns else []
    updates = workload.epochs * workload.steps_per_epoch if learns else 0
    answer: dict[str, Any] = {
        "epochs": workload.epochs if learns else 0,
        "updates": made[0].updates if made and made[0].cut else updates,
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
    short = [f"the baseline was {each}" for each in made if each.cut]
    answer["warnings"] = [*short, *doubts(workload, outputs, found)]
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


def learn(workload: Workload, model: Any) -> None:
    """Train the baseline: by `fit`, or by the user's own step where there is one."""
    if workload.own is None or workload.own.train_step is None:
        train(workload, model, budget_s=workload.baseline_budget_s)
        return
    step = compiled_step(workload, model, workload.optimizer(model))
    wanted, budget_s = workload.epochs * workload.steps_per_epoch, workload.baseline_budget_s
    batches, begun_s = workload.batches(), time.monotonic()
    for update in range(1, wanted + 1):
        with refusals.told(model):
            loss = step(*next(batches))
        if not np.isfinite(float(tf.reduce_mean(loss))):
            raise not_a_number(workload, update)
        spent_s = time.monotonic() - begun_s
        if 0 < budget_s <= spent_s:
            break
    workload.trainings.append(budget.Training(update, wanted, round(spent_s, 1), budget_s))


def train(
    workload: Workload,
    model: Any,
    epochs: int | None = None,
    rate: float = 0.0,
    loss: Any = None,
    inputs: Any = None,
    targets: Any = None,
    plan: Callable[[int], None] | None = None,
    budget_s: float | None = None,
    **fit: Any,
) -> Any:
    """Train `model` by Keras `fit`: Adam, cosine decay from `rate` to 0, a new order each epoch.

    It keeps to the workload's budget: a training whose first updates show that it would take
    longer starts again, with as many updates as there is room for.

    Args:
        workload: Its data and loss; `trainings` gets what was done.
        model: Any model of the workload's input and output.
        epochs: Default: as many as the baseline gets.
        rate: First learning rate; default: 1e-3, or the user's own optimizer with its own.
        loss: `loss(targets, outputs)`; default: the workload's.
        inputs: What it is trained on; default: the training examples.
        targets: What the outputs are compared with, one an input; default: the labels.
        plan: Told how many updates there will be, before they are made.
        budget_s: Time that it may take, 0: as long as it needs; default: the workload's.
        **fit: Passed on to `fit` (`callbacks`).

    Raises:
        Unsupported: There is nothing to train on.
        UsageError: The loss is not a number.
    """
    epochs = epochs or workload.epochs
    part = workload.train
    x = workload.as_given(part.inputs) if inputs is None else inputs
    y = part.targets if targets is None else targets
    # Keras takes no NumPy strings.
    x = tf.nest.map_structure(lambda a: tf.constant(a) if nests.is_text(a) else a, x)
    count = len(tf.nest.flatten(x)[0])
    batch = min(workload.spec.batch, count)
    wanted = epochs * math.ceil(count / batch)
    budget_s = workload.spec.train_budget_s if budget_s is None else budget_s
    start = model.get_weights() if budget_s else None
    callbacks = [*fit.pop("callbacks", ()), *(workload.callbacks() if loss is None else ())]

    def fitted(updates: int, *bounds: Any) -> Any:
        if plan is not None:
            plan(updates)
        own = None if rate else workload.own_optimizer
        decay = tf.keras.optimizers.schedules.CosineDecay(rate or LEARNING_RATE, updates)
        optimizer = own() if own else tf.keras.optimizers.Adam(decay)
        compile_for_fit(workload, model, optimizer, loss or workload.loss)
        tf.keras.utils.set_random_seed(workload.spec.seed)
        nan = budget.StopsAtNaN()
        with refusals.told(model):
            history = model.fit(
                x, y, batch_size=batch, epochs=epochs, verbose=0,
                callbacks=[*callbacks, *bounds, nan], **fit,
            )  # fmt: skip
        if nan.update:
            raise not_a_number(workload, nan.update)
        return history

    begun_s = time.monotonic()
    pace = budget.Pace(wanted, budget_s)
    history = fitted(wanted, *([pace] if budget_s else ()))
    if pace.fitting:
        model.set_weights(start)
        begun_s = time.monotonic()
        history = fitted(pace.fitting, budget.Until(pace.fitting))
    made = pace.fitting or wanted
    seconds = time.monotonic() - begun_s
    workload.trainings.append(budget.Training(made, wanted, round(seconds, 1), budget_s))
    return history


def compile_for_fit(
    workload: Workload, model: Any, optimizer: Any, loss: Any, **options: Any
) -> None:
    """Compile `model` for Keras's `fit` with one loss of all its outputs."""
    if len(workload.facts.outputs) <= 1 and not isinstance(getattr(model, "output", None), dict):
        model.compile(optimizer=optimizer, loss=loss, **options)
        return
    model.compile(optimizer=optimizer, **options)

    def joint(x: Any = None, y: Any = None, y_pred: Any = None, *_: Any, **__: Any) -> Any:
        return loss(y, y_pred) + sum(model.losses)

    model.compute_loss = joint  # Keras would take one loss for each output


def not_a_number(workload: Workload, update: int) -> UsageError:
    """The error that says of whose model the loss is not a number, and where to look."""
    for name, array in nests.named(workload.train.inputs, "input").items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            count = int((~np.isfinite(array)).sum())
            return UsageError(
                f"the loss is not a number from update {update} on: {name!r} of "
                f"{workload.data.name} holds {count} values that are none; fill or drop them"
            )
    where = user_code.place_of(workload.spec.model)
    return UsageError(
        f"{where}: the loss of this model is not a number from update {update} on: look for a "
        "logarithm or a division of 0, outputs that do not fit the loss, or too high a rate"
    )


# --- the plain compiled step, for scenarios whose technique is not the loop -----------------------


def compiled_step(
    workload: Workload, model: Any, optimizer: Any, training: bool = True, jit: bool | None = None
) -> Callable[..., Any]:
    """`step(x, y)` → loss of the batch, after one update of `model` by `optimizer`.

    Args:
        workload: Its loss.
        model: Of the workload's inputs and outputs.
        optimizer: With `scale_loss`, the gradients are those of the scaled loss.
        training: Whether dropout and batch norm work as in training.
        jit: Compile the step by XLA.
    """
    scale = getattr(optimizer, "scale_loss", None)

    @tf.function(jit_compile=jit)
    @workload.step(model, optimizer)
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
        examples=min(batch or workload.spec.batch, len(workload.train)),
        batches=workload.batches(batch),
        proof=lambda: {**traced_once(step), **proof()},
    )
