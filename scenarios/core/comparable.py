"""What makes two training loops comparable by their losses, and takes nothing else away.

Correct loops draw other random numbers: XLA, Keras 2 and float16 each have bits of their own from
the same seed, and a step cut into parts draws once for each. So a comparable workload's models draw
none. What is timed and trained draws as always.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.tolerance import FIRST_LOSSES, UNIT_ROUNDOFF

RATES = ("rate", "dropout", "recurrent_dropout", "dropout_rate", "drop_rate", "drop_prob", "stddev")
"""Attributes by which layers and recurrent cells say how much they drop or disturb."""
RANDOM = ("Dropout", "Noise", "DropPath", "StochasticDepth")
AUGMENTING = ("Random", "MixUp", "CutMix", "AugMix", "RandAugment")


def without_chance(model: Any) -> Any:
    """The model with dropout, noise and stochastic depth at rate 0, and without augmentation."""
    for layer in all_layers(model):
        kind = type(layer).__name__
        for name in RATES:
            # Of other layers a `rate` or `stddev` is something else (a dilation, say).
            drops = "drop" in name or any(word in kind for word in RANDOM)
            if drops and isinstance(vars(layer).get(name), float):
                setattr(layer, name, 0.0)
        if "survival_probability" in vars(layer):
            layer.survival_probability = 1.0
        if kind.startswith(AUGMENTING):
            layer.call = functools.partial(_as_in_inference, layer.call)
    return model


def disturbed(model: Any, precision: str, number: int) -> Any:
    """The model, each weight moved up or down by the unit roundoff of a precision.

    What its first losses then move by is what one rounding costs: some updates amplify it.

    Args:
        model: Of Keras.
        precision: A key of `UNIT_ROUNDOFF`; "" leaves the model as it is.
        number: Of the disturbance: each moves other weights up.
    """
    if precision:
        chance = np.random.default_rng(number)
        roundoff = UNIT_ROUNDOFF[precision]
        for variable in model.trainable_variables:
            value = np.asarray(variable)
            sign = chance.choice((-1.0, 1.0), size=value.shape)
            variable.assign((value * (1 + roundoff * sign)).astype(value.dtype))
    return model


def with_dense_gradients(optimizer: Any) -> Any:
    """The optimizer, which takes gradients of an embedding's few rows as ones of all its rows.

    Adam leaves the moments of other rows alone, unless gradients were summed up before.
    """
    name = "apply" if hasattr(optimizer, "apply") else "apply_gradients"
    apply = getattr(optimizer, name)

    def dense(gradients: Any, *others: Any, **options: Any) -> Any:
        if name == "apply":
            return apply([_dense(each) for each in gradients], *others, **options)
        return apply([(_dense(g), v) for g, v in gradients], *others, **options)

    setattr(optimizer, name, dense)
    return optimizer


def _dense(gradient: Any) -> Any:
    return tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient


def all_layers(model: Any) -> Iterator[Any]:
    """The layers of a Keras model of any depth, the model among them."""
    yield from model._flatten_layers()


def _as_in_inference(call: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    return call(*inputs, **(options | {"training": False}))


class RecordedLoss:
    """A loss for Keras's `compile` that keeps what each of the first batches gave.

    `fit` reports means over an epoch, and with steps_per_execution not even each of those.
    """

    def __init__(self, loss: Callable[[Any, Any], Any], model: Any) -> None:
        self._loss, self._model = loss, model
        self.name = self.__name__ = "recorded_loss"
        self._values = tf.Variable(tf.zeros([FIRST_LOSSES]), trainable=False)
        self._seen = tf.Variable(0, trainable=False, dtype=tf.int64)

    def __call__(self, labels: Any, outputs: Any) -> Any:
        """The loss; the model's own losses count in the record, as Keras adds them."""
        loss = self._loss(labels, outputs)
        record = tf.cast(loss, tf.float32) + sum(self._model.losses)
        place = tf.one_hot(self._seen, FIRST_LOSSES, dtype=tf.float32)
        self._values.assign_add(place * record)
        self._seen.assign_add(1)
        return loss

    def losses(self) -> list[float]:
        """The recorded losses."""
        return [float(value) for value in self._values.numpy()[: int(self._seen)]]
