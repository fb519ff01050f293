"""Data of the document's one-variable regressions, and Keras `fit` on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from scenarios.core.engagement import fit_function
from scenarios.core.paths import TrainingPath

EXAMPLES, BATCH = 1024, 32


def curve(f: Callable[[np.ndarray], np.ndarray], seed: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Batches (x [32, 1], y [32, 1]) of y = f(x) with noise of deviation 0.1, x in -2..2."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (EXAMPLES, 1)).astype(np.float32)
    y = (f(x) + rng.normal(0, 0.1, x.shape)).astype(np.float32)
    pairs = zip(np.split(x, EXAMPLES // BATCH), np.split(y, EXAMPLES // BATCH), strict=True)
    return [(tf.constant(x), tf.constant(y)) for x, y in pairs]


def fitted_curve(
    make_model: Callable[[], Any],
    make_optimizer: Callable[[], Any],
    batches: list[tuple[tf.Tensor, tf.Tensor]],
) -> TrainingPath:
    """A path whose step is an epoch of `fit` on a curve, without XLA."""
    x, y = (tf.stack(parts) for parts in zip(*batches, strict=True))
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).repeat()

    def compiled() -> Any:
        model = make_model()
        model.compile(make_optimizer(), "mse", jit_compile=False)
        return model

    model = compiled()

    def epoch() -> float:
        history = model.fit(dataset, steps_per_epoch=len(batches), verbose=0)
        return float(history.history["loss"][-1])

    def losses(count: int) -> list[float]:
        # One epoch a batch: `fit` reports an epoch's mean, here of one loss.
        each = tf.data.Dataset.from_tensor_slices((x, y))
        fresh = compiled()
        return [
            float(fresh.fit(each.skip(i).take(1), verbose=0).history["loss"][0])
            for i in range(count)
        ]

    def proof() -> dict[str, Any]:
        epoch()
        traces = fit_function(model).experimental_get_tracing_count()
        return {"traces": traces, "weights": [w.numpy().ravel().tolist() for w in model.weights]}

    return TrainingPath(
        None,
        epoch,
        examples=EXAMPLES,
        updates=len(batches),
        losses=losses,
        proof=proof,
    )
