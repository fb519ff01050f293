"""What is diagnosed: a path split into drawing a batch and making a step with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Batch = tuple[Any, ...]


@dataclass(frozen=True)
class Subject:
    """A path's two halves.

    Attributes:
        draw: The next batch from its input pipeline.
        step: One step on a batch; returns something that depends on all its work.
        examples: Examples in one step.
        dataset: The tf.data pipeline that batches are drawn from, None where there is none.
    """

    draw: Callable[[], Batch]
    step: Callable[..., Any]
    examples: int
    dataset: Any = None

    def advance(self) -> Any:
        """A step as the user makes it: draw, then step."""
        return self.step(*self.draw())


def split(path: Any) -> Subject:
    """The subject that a scenario's or user's path is made of.

    Raises:
        ValueError: It draws its data inside its own loop (Keras `fit`, a whole job).
    """
    if hasattr(path, "dataset"):
        step = path.train or (lambda *_: None)
        return Subject(path.advance, step, path.examples, path.dataset)
    if hasattr(path, "infer"):
        return Subject(_rotating(path.inputs), path.infer, path.examples)
    batches = getattr(path, "batches", None)
    if batches is None:
        raise ValueError(
            "this path draws its data inside its own loop, so input and step cannot be separated: "
            "diagnose one with `batches`"
        )
    return Subject(lambda: next(batches), path.step, path.examples)


def first_half(batch: Batch) -> Batch | None:
    """The first half of a batch's examples; None where it cannot be halved."""
    tensors = tf.nest.flatten(batch)
    sizes = {int(t.shape[0]) if getattr(t, "shape", ()) else 0 for t in tensors}
    if len(sizes) != 1 or min(sizes) < 2:
        return None
    return tuple(tf.nest.map_structure(lambda t: t[: t.shape[0] // 2], batch))


@contextlib.contextmanager
def without_communication() -> Iterator[None]:
    """Within, replicas keep their own values where they would be reduced over all of them.

    Functions traced here make the same steps but for the communication; what they learn is wrong.
    """
    from tensorflow.python.distribute import cross_device_ops, distribute_utils, values

    kinds = ("CollectiveAllReduce", "ReductionToOneDevice", "AllReduceCrossDeviceOps")
    classes = [getattr(cross_device_ops, kind) for kind in kinds]
    kept = [(c, c.reduce_implementation, c.batch_reduce_implementation) for c in classes]

    def own(value: Any) -> Any:
        if not isinstance(value, values.DistributedValues):
            return value
        return distribute_utils.regroup(value.values, wrap_class=values.Mirrored)

    def reduce(_self: Any, _op: Any, value: Any, _destinations: Any, _options: Any) -> Any:
        return own(value)

    def batch_reduce(_self: Any, _op: Any, pairs: Any, _options: Any) -> Any:
        return [own(value) for value, _ in pairs]

    try:
        for each in classes:
            each.reduce_implementation = reduce
            each.batch_reduce_implementation = batch_reduce
        yield
    finally:
        for each, one, many in kept:
            each.reduce_implementation = one
            each.batch_reduce_implementation = many


def _rotating(inputs: Any) -> Callable[[], Batch]:
    count = iter(range(1 << 62))
    return lambda: (inputs[next(count) % len(inputs)],)
