"""A Keras model as a deployed path: exported, and run by a tf.function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

from scenarios.core import artifacts
from scenarios.core.graphs import traced_once
from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import in_blocks
from scenarios.core.training import train
from scenarios.core.workload import Builder, Workload


class Later:
    """A Keras model that is made when it is first asked for something.

    A path that runs a converted file has no use for the model itself; only counting its
    parameters does, and building one costs each launch a tenth of a second.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def _model(self) -> Any:
        return self._make()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self._model(*args, **kwargs)


def export(model: Any, path: Path) -> None:
    """Write `model` as a SavedModel that serves inputs of any batch size, in Keras 2 and 3 alike.

    Keras's own `export` is not used: Keras 3's stores every weight twice, Keras 2's once, so that
    a Keras 2 model would look half as large as its baseline.
    """
    module = tf.Module()
    module.weights = [v if isinstance(v, tf.Variable) else v.value for v in model.variables]
    signature = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name="image")
    module.serve = tf.function(
        lambda image: model(image, training=False), input_signature=[signature]
    )
    tf.saved_model.save(module, str(path), signatures=module.serve)


def exported(workload: Workload, name: str, model: Callable[[], Any]) -> Path:
    """The folder `name` in the cache with the SavedModel of `model()`, made once."""
    return workload.artifact(name, lambda path: export(model(), path))


def keras_path(
    workload: Workload,
    model: Any,
    artifact: Path,
    batch: int = 1,
    proof: Proof = nothing_to_prove,
) -> InferencePath:
    """A Keras model run as `infer/function` runs the baseline: one tf.function, fixed signature."""

    @tf.function(input_signature=[tf.TensorSpec([batch, *workload.data.input_shape], tf.float32)])
    def infer(x: Any) -> Any:
        return model(x, training=False)

    def facts() -> dict[str, Any]:
        return {**traced_once(infer), **proof()}

    return graph_path(workload, infer, batch, model=model, artifact=artifact, proof=facts)


def graph_path(workload: Workload, infer: Any, batch: int = 1, **facts: Any) -> InferencePath:
    """Inference by a tf.function of inputs [batch, ...]; `facts` are those of `InferencePath`."""
    return InferencePath(
        infer=infer,
        inputs=[tf.constant(x) for x in workload.inputs(batch)],
        examples=batch,
        predict=lambda x: in_blocks(infer, x, batch),
        **facts,
    )


def trained_variant(
    workload: Workload, name: str, build: Builder, learn: Callable[[Workload, Any], Any] = train
) -> Any:
    """A model of another architecture, trained once for as many epochs as the baseline.

    Args:
        workload: Its data and epochs.
        name: Names the weights in the cache.
        build: The architecture.
        learn: Trains it: `learn(workload, model)`.
    """

    def make(path: Path) -> None:
        model = workload.model(build)
        learn(workload, model)
        artifacts.save_weights(model, path)

    weights = workload.artifact(f"{name}.npz", make)
    model = workload.model(build)
    artifacts.load_weights(model, weights)
    return model
