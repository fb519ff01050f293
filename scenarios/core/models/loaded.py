"""Whether a user's function makes a new model or loads a trained one, seen from its weights."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf


def comes_trained(make: Callable[[], Any]) -> bool:
    """Whether the models that a function returns hold weights of a training.

    A trained model that was loaded with its optimizer has made updates. Else two models, made from
    different seeds, must hold the same weights, and others than their initializers draw: a backbone
    with loaded weights under a new head is still to be trained. Where the function sets the seed
    itself, nothing tells, and the model counts as new.

    Args:
        make: Returns a new model at each call.
    """
    random_state = random.getstate()
    try:
        first, drawn = _seeded(make, 1)
        if _updates(first):
            return True
        second, drawn_again = _seeded(make, 2)
        if drawn == drawn_again or not _alike(first, second):
            return False
        return not _alike(first, _initialised(first))
    finally:
        random.setstate(random_state)


def _seeded(make: Callable[[], Any], seed: int) -> tuple[Any, tuple[float, float]]:
    """A model made from a seed, and the next numbers that are drawn after it."""
    tf.keras.utils.set_random_seed(seed)
    model = make()
    return model, (random.random(), float(tf.random.uniform(())))


def _updates(model: Any) -> int:
    """Updates that the optimizer has made which came with a model."""
    made = getattr(getattr(model, "optimizer", None), "iterations", None)
    return 0 if made is None else int(made)


def _initialised(model: Any) -> Any:
    """The same layers with initial weights of their own; None where it cannot be copied."""
    try:
        tf.keras.utils.set_random_seed(3)
        return type(model).from_config(model.get_config())
    except Exception:  # a subclass without a configuration
        return None


def _alike(one: Any, other: Any) -> bool:
    """Whether all weights that are trained (of a frozen model, all) are the same in two models."""
    if other is None:
        return False
    own, others = (
        [np.asarray(w) for w in model.trainable_weights or model.weights] for model in (one, other)
    )
    return len(own) == len(others) and all(map(np.array_equal, own, others))
