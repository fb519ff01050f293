"""Making loops comparable that draw random numbers, or see a batch, in different ways.

Two loops are compared by their first losses. These pieces take away what would make correct
loops differ, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from scenarios.core import philox
from scenarios.core.workload import Workload


@contextmanager
def same_dropout() -> Iterator[None]:
    """Let Keras 3 drop the same units whatever compiles the step and in whatever precision.

    XLA on a CPU draws other bits than TensorFlow's kernels do, from the same seed and with
    alg="philox" too, and numbers drawn in float16 come from other bits than in float32: other units
    are dropped, and losses differ by percents. Written out in integer operations and drawn in
    float32, the numbers are those of the plain step everywhere. Only for comparing losses: what is
    timed and trained uses Keras's own dropout.
    """
    import keras

    def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
        shape = inputs.shape if noise_shape is None else noise_shape
        keep = philox.uniform(shape, seed.next()) >= rate
        return tf.where(keep, inputs * tf.cast(1 / (1 - rate), inputs.dtype), 0)

    own = keras.src.backend.random.dropout
    keras.src.backend.random.dropout = dropout
    try:
        yield
    finally:
        keras.src.backend.random.dropout = own


def losses_with_same_dropout(
    workload: Workload, loop: Callable[[], tuple[Any, ...]]
) -> Callable[[int], Sequence[float]]:
    """For `TrainingPath.losses`: the first losses of a new `loop()`, its dropout the plain step's.

    Args:
        workload: Its batches.
        loop: Returns a new model with the initial weights, its step, and more if need be.
    """

    def losses(count: int) -> Sequence[float]:
        with same_dropout():
            _, step, *_ = loop()
            return first_losses(step, workload, count)

    return losses


def without_dropout(model: Any) -> Any:
    """The model with all dropout rates set to 0: Keras 2 and 3 draw different masks."""
    for layer in model.layers:
        if type(layer).__name__.endswith("Dropout"):
            layer.rate = 0.0
    return model


def first_losses(
    step: Callable[..., Any], workload: Workload, count: int, batch: int | None = None
) -> list[float]:
    """Losses of `step(x, y)` over the workload's first `count` batches."""
    batches = workload.batches(batch)
    return [float(step(*next(batches))) for _ in range(count)]


class RecordedLoss:
    """A workload's loss for `compile` that writes down the loss of each of the first batches.

    `fit` reports means over an epoch, and with steps_per_execution not even each of those.
    """

    def __init__(self, workload: Workload, model: Any, count: int) -> None:
        self.workload, self.model, self.count = workload, model, count
        self.name = "recorded_loss"
        self.__name__ = "recorded_loss"
        self.values = tf.Variable(tf.zeros([count]), trainable=False)
        self.seen = tf.Variable(0, trainable=False, dtype=tf.int64)

    def __call__(self, labels: Any, outputs: Any) -> Any:
        """The workload's loss; the model's own losses count in the record, as Keras adds them."""
        loss = self.workload.loss(labels, outputs)
        record = tf.cast(loss, tf.float32) + sum(self.model.losses)
        place = tf.one_hot(self.seen, self.count, dtype=tf.float32)
        self.values.assign_add(place * record)
        self.seen.assign_add(1)
        return loss

    def losses(self) -> Sequence[float]:
        """The recorded losses."""
        return [float(value) for value in self.values.numpy()]
