"""Where quantization-aware training begins: with ranges of real examples, which it then refines.

tfmot begins with [-6, 6] for every tensor and moves by a thousandth an update: amounts in the
hundreds would be cut off at 6 throughout a short fine-tuning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from scenarios.core.data import calibration, nests
from scenarios.core.quality import block_of
from scenarios.core.workload import Workload

EXAMPLES = 100


def begun_at_data(workload: Workload, model: Any) -> Any:
    """The quantization-aware model, the ranges of its tensors set by calibration examples."""
    inputs = calibration(workload.data, EXAMPLES, workload.spec.seed).inputs
    count, block = nests.length(inputs), block_of(inputs, EXAMPLES)
    with _ranges_seen():
        for start in range(0, count, block):
            part = nests.take(inputs, slice(start, start + block))
            model(tf.nest.map_structure(tf.constant, workload.as_given(part)), training=False)
    return model


@contextmanager
def _ranges_seen() -> Iterator[None]:
    """While it holds, tensors take the range of all that was seen of them, and inputs and weights
    their own.

    tfmot looks at neither outside of training, which would change more than ranges.
    """
    from tensorflow_model_optimization.python.core.quantization.keras import quantizers

    operations = quantizers.quant_ops
    moving: Callable[..., Any] = operations.MovingAvgQuantize
    own = {name: getattr(operations, name) for name in ("LastValueQuantize", "AllValuesQuantize")}
    seen: dict[int, tuple[Any, Any]] = {}

    def widening(inputs: Any, min_var: Any, max_var: Any, **options: Any) -> Any:
        low, high = tf.reduce_min(inputs), tf.reduce_max(inputs)
        before = seen.get(id(min_var), (0.0, 0.0))  # a range holds 0
        low, high = tf.minimum(low, before[0]), tf.maximum(high, before[1])
        if float(high) > float(low):  # tensors of nothing but 0 have no range
            seen[id(min_var)] = low, high
            min_var.assign(tf.fill(min_var.shape, low))
            max_var.assign(tf.fill(max_var.shape, high))
        return moving(inputs, min_var, max_var, **(options | {"is_training": False}))

    def looking(operation: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *tensors, **options: operation(*tensors, **(options | {"is_training": True}))

    operations.MovingAvgQuantize = widening
    for name, operation in own.items():
        setattr(operations, name, looking(operation))
    try:
        yield
    finally:
        operations.MovingAvgQuantize = moving
        for name, operation in own.items():
            setattr(operations, name, operation)
