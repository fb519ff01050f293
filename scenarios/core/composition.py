"""A workload of a user's own: one function puts data, model and task together (`--workload`)."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import user_code

if TYPE_CHECKING:
    from scenarios.core.models import Source


@dataclass(frozen=True, kw_only=True)
class Composition:
    """What a user's function returns to say what is trained, deployed and measured.

        # my_project/workloads.py
        import tfbench

        def churn():
            return tfbench.Workload(
                data="csv:customers.csv", target="left", model=build, loss="binary_crossentropy",
                optimizer=lambda: tf.keras.optimizers.SGD(0.1), metrics=["auc"], batch_size=64)

        tfbench run --workload my_project/workloads.py:churn

    The function is called once a process, and once more for each new model where `model` is an
    object: give functions where data or model take long to make. What is left out is as without
    this function; flags win (`--metric`, `--batch`, …).
    """

    data: Any
    """Any name that --data takes, arrays, (x, y), ((x, y), (x_test, y_test)), dicts of arrays by
    name, a tf.data.Dataset, a keras.utils.PyDataset, or a function that returns one of these."""
    model: Any = "cnn"
    """Any name that --model takes, a Keras model, a tf.Module, or a function that returns one; it
    is called with those of `input_shape` and `classes` that it takes."""
    task: str = "auto"
    loss: Any = None
    """A name, a loss of Keras, or a function (targets, outputs) → loss; by output's name in a dict
    where there are several outputs."""
    loss_weights: Mapping[str, float] = field(default_factory=dict)
    """By output's name."""
    optimizer: Any = None
    """A name, an optimizer of Keras, or a function that returns one."""
    metrics: Sequence[Any] = ()
    """Names, or functions (targets, outputs) of a module; the first is the quality."""
    train_step: Callable[..., Callable[[Any, Any], Any]] | None = None
    """`train_step(model, optimizer)` returns `step(x, y)`, which makes one update and returns the
    loss. It takes the plain step's place in every scenario that leaves the step as it is."""
    callbacks: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    """Of Keras's `fit`, or a function that returns new ones for each training."""
    batch_size: int = 0
    epochs: int = 0
    target: str = ""
    take: int = 0
    trained: bool = False
    """The model is to be measured with the weights it comes with."""

    def __post_init__(self) -> None:
        for name in ("train_step",):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise UsageError(f"{name} is no function: give train_step(model, optimizer)")
        if self.batch_size < 0 or self.epochs < 0:
            raise UsageError("batch_size and epochs count: they cannot be below 0")


def workload(data: Any, model: Any = "cnn", **parts: Any) -> Composition:
    """A workload of one's own, for `--workload FILE.py:function` to return.

    Args:
        data: Any name that --data takes, arrays, nests, a dataset, or a function.
        model: Any name that --model takes, a Keras model, or a function.
        **parts: `task`, `loss`, `loss_weights`, `optimizer`, `metrics`, `train_step`, `callbacks`,
            `batch_size`, `epochs`, `target`, `take`, `trained`: see `Composition`.

    Raises:
        UsageError: There is no such part.
    """
    known = {each.name for each in dataclasses.fields(Composition)}
    for name in parts:
        if name not in known:
            raise UsageError(f"a workload has no {name!r}: it has {', '.join(sorted(known))}")
    return Composition(data=data, model=model, **parts)


@functools.cache
def of(factory: str) -> Composition:
    """What the function of `--workload` returns; called once a process.

    Raises:
        UsageError: There is none, it raises an error, or returns something else.
    """
    return again(factory)


def again(factory: str) -> Composition:
    """What the function returns when it is called anew: its model is a new one."""
    function, _ = user_code.find(factory, "workload")
    made = user_code.calling(function)
    if not isinstance(made, Composition):
        raise UsageError(
            f"{user_code.place(function)} returns {type(made).__name__}: return "
            "tfbench.Workload(data=…, model=…)"
        )
    return made


def resolved(spec: WorkloadSpec) -> WorkloadSpec:
    """The names that a workload's function gives; those of flags win."""
    if not spec.factory:
        return spec
    own, plain = of(spec.factory), WorkloadSpec()
    metric = next((_metric(each) for each in own.metrics), "")
    return dataclasses.replace(
        spec,
        data=own.data if isinstance(own.data, str) else spec.factory,
        model=own.model if isinstance(own.model, str) else spec.factory,
        task=own.task if spec.task == plain.task else spec.task,
        metric=spec.metric or metric,
        target=spec.target or own.target,
        take=spec.take or own.take,
        epochs=spec.epochs or own.epochs,
        batch=own.batch_size or spec.batch if spec.batch == plain.batch else spec.batch,
    )


def applied(spec: WorkloadSpec, source: Source) -> Source:
    """A model's source with the loss, metrics and optimizer that the workload's function gives."""
    own, compiled = of(spec.factory), source.compiled
    changes: dict[str, Any] = {}
    if own.loss is not None:
        changes["loss"] = own.loss
    if own.loss_weights:
        changes["loss_weights"] = own.loss_weights
    if own.metrics:
        changes["metrics"] = tuple(
            _metric(each) for each in own.metrics if ":" not in _metric(each)
        )
    if own.optimizer is not None:
        changes["optimizer"] = functools.partial(_optimizer, own.optimizer)
    return dataclasses.replace(source, compiled=dataclasses.replace(compiled, **changes))


def _metric(given: Any) -> str:
    """A metric's name; of a function where it is found."""
    if isinstance(given, str):
        return given
    code = getattr(given, "__code__", None)
    if code is not None and given.__name__.isidentifier():
        return f"{code.co_filename}:{given.__name__}"
    return str(getattr(given, "name", given))


def _optimizer(given: Any) -> Any:
    """A new optimizer of the Keras behind `tf.keras`."""
    import tensorflow as tf

    if isinstance(given, str):
        return tf.keras.optimizers.get(given)
    if hasattr(given, "get_config"):
        return type(given).from_config(given.get_config())
    return user_code.calling(given)
