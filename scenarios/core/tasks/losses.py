"""The loss of a task: the user's own where the model was compiled with one, else the usual one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.core.tasks.values import Task


def loss(task: Task, targets: Any, outputs: Any) -> Any:
    """Mean loss, a float32 scalar; of several outputs their sum, weighted as compiled."""
    if not task.parts:
        return _of_one(task, targets, outputs)
    total = 0.0
    for name, part in task.parts.items():
        if part.kind == "other" or name not in targets:
            continue
        weight = task.compiled.loss_weights.get(name, 1.0)
        total += weight * _of_one(part, targets[name], outputs[name])
    return total


def _of_one(task: Task, targets: Any, outputs: Any) -> Any:
    import tensorflow as tf

    if isinstance(outputs, Mapping):
        (outputs,) = outputs.values()
    if isinstance(targets, Mapping):
        (targets,) = targets.values()
    outputs = tf.cast(outputs, tf.float32)
    own = task.compiled.loss
    if own is not None:
        if task.kind == "classification" and _wants_rows(task, own):
            targets = tf.one_hot(_numbers(targets, outputs), outputs.shape[-1])
        elif task.kind in ("binary", "multilabel", "regression"):
            targets = tf.cast(_like(targets, outputs), tf.float32)
        function = tf.keras.losses.get(own) if isinstance(own, (str, dict)) else own
        return tf.reduce_mean(tf.cast(function(targets, outputs), tf.float32))
    return tf.reduce_mean(_usual(task, targets, outputs))


def name_of(loss: Any) -> str:
    """A loss's name and class in small letters; "" of none."""
    if isinstance(loss, str):
        return loss.lower()
    if isinstance(loss, Mapping):  # as Keras writes it into files
        return str(loss.get("class_name", "")).lower()
    name = getattr(loss, "name", None) or getattr(loss, "__name__", "")
    kind = type(loss).__name__ if loss is not None else ""
    return f"{name} {kind}".lower()


def _wants_rows(task: Task, loss: Any) -> bool:
    """Whether a loss of the user's compares with one-hot rows, and not with class numbers."""
    name = name_of(loss)
    return "sparse" not in name and (task.one_hot or "categorical" in name)


def _numbers(targets: Any, outputs: Any) -> Any:
    """Class numbers without the last axis of 1 that Keras 2's `fit` gives them."""
    import tensorflow as tf

    targets = tf.convert_to_tensor(targets)
    extra = targets.shape.rank == outputs.shape.rank and targets.shape[-1] == 1
    return tf.squeeze(targets, -1) if extra else targets


def _usual(task: Task, targets: Any, outputs: Any) -> Any:
    import tensorflow as tf

    losses = tf.keras.losses
    targets = tf.convert_to_tensor(targets)
    # Keras's `fit` squeezes a last axis of 1 away before it calls a loss.
    one_unit = outputs.shape[-1:] == [1] or targets.shape.rank == outputs.shape.rank
    if task.kind in ("binary", "multilabel") or (task.kind == "segmentation" and one_unit):
        targets = tf.cast(_like(targets, outputs), tf.float32)
        return losses.binary_crossentropy(targets, outputs, from_logits=task.form == "reals")
    if task.kind in ("classification", "segmentation"):
        if task.form == "sigmoid":
            rows = tf.one_hot(_numbers(targets, outputs), outputs.shape[-1])
            return losses.binary_crossentropy(rows, outputs)
        return losses.sparse_categorical_crossentropy(
            targets, outputs, from_logits=task.form == "reals"
        )
    if task.kind == "regression":
        return tf.square(outputs - tf.cast(_like(targets, outputs), tf.float32))
    raise ValueError(f"a task of kind {task.kind} has no loss")


def _like(targets: Any, outputs: Any) -> Any:
    """Targets with the outputs' last axis of 1, where only that is missing."""
    import tensorflow as tf

    targets = tf.convert_to_tensor(targets)
    return targets[..., None] if targets.shape.rank == outputs.shape.rank - 1 else targets
