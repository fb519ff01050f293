"""The trained network as a deployed path: exported, and run by a tf.function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

from scenarios.core import artifacts
from scenarios.core.data import nests
from scenarios.core.graphs import traced_once
from scenarios.core.models import Network
from scenarios.core.paths import InferencePath, Proof, nothing_to_prove
from scenarios.core.quality import block_of, in_blocks
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


def has_keras(workload: Workload) -> bool:
    """Whether the workload's network is a Keras model."""
    return "model:keras" in workload.facts.provides


def counted_on(workload: Workload) -> Any:
    """The trained Keras model for counting, made when it is needed; None where there is none."""
    return Later(workload.trained_model) if has_keras(workload) else None


def trained_network(workload: Workload) -> tuple[Network, Any]:
    """The trained network, and its Keras model where it is one."""
    if not has_keras(workload):
        return workload.network(), None
    model = workload.trained_model()
    return workload.network(model), model


# --- exporting ------------------------------------------------------------------------------------


def module(workload: Workload, model: Any = None, batch: int | None = None) -> tf.Module:
    """What is saved or converted: `serve`, a tf.function of the inputs, and its variables.

    Args:
        workload: Its inputs' names, shapes and dtypes; open dimensions get the data's sizes.
        model: A Keras model of these inputs; default: the workload's trained network.
        batch: Examples a call; None: any number.
    """
    kept = tf.Module()
    if model is None and not has_keras(workload):
        network = workload.network()
        kept.holder = workload.source.serving()
    else:
        model = workload.trained_model() if model is None else model
        network = workload.network(model)
        # Of Keras 3 the variables inside its own: they are stored once.
        # What a look-up lists among its weights is none: its table is kept below.
        variables = [v if isinstance(v, tf.Variable) else getattr(v, "value", None)
                     for v in model.variables]  # fmt: skip
        kept.weights = [each for each in variables if each is not None]
        kept.tables = list(_tables(model))
    specs = nests.named(workload.signature(batch), "input")

    def serve(*tensors: Any) -> Any:
        given = dict(zip(specs, tensors, strict=True))
        return network(given if len(given) > 1 else tensors[0])

    kept.serve = tf.function(serve, input_signature=list(specs.values()))
    return kept


def has_loop(made: tf.Module) -> bool:
    """Whether the graph of a module's `serve` holds a loop, as recurrent layers do."""
    graph = made.serve.get_concrete_function().graph.as_graph_def()
    inner = (node for body in graph.library.function for node in body.node_def)
    return any(node.op in ("While", "StatelessWhile") for node in (*graph.node, *inner))


def serving(workload: Workload, batch: int | None = None) -> Any:
    """The concrete function of the trained network; its module keeps the variables alive."""
    made = module(workload, batch=batch)
    concrete = made.serve.get_concrete_function()
    concrete.holder = made
    return concrete


def export(workload: Workload, path: Path, model: Any = None, batch: int | None = None) -> None:
    """Write the network as a SavedModel (`module`), in Keras 2 and 3 alike.

    Keras's own `export` is not used: Keras 3's stores every weight twice, Keras 2's once, so that
    a Keras 2 model would look half as large as its baseline.
    """
    made = module(workload, model, batch)
    tf.saved_model.save(made, str(path), signatures=made.serve)


def exported(workload: Workload, name: str, model: Callable[[], Any] | None = None) -> Path:
    """The folder `name` in the cache with the SavedModel of `model()`, made once.

    Args:
        workload: Owns the cache.
        name: Names the folder.
        model: Makes the Keras model; default: the trained network in whatever form it is.
    """
    batch = workload.facts.fixed_batch
    return workload.artifact(
        name, lambda path: export(workload, path, model() if model else None, batch)
    )


def saved_model(workload: Workload, model: Any = None) -> Path:
    """The SavedModel that would be shipped: the given folder, or one exported once.

    Args:
        workload: Owns the cache.
        model: Its trained Keras model, where that is at hand.
    """
    given = Path(workload.spec.model)
    if given.is_dir():
        return given
    return exported(workload, "saved_model", None if model is None else lambda: model)


def by_name(workload: Workload, call: Callable[..., Any]) -> Network:
    """A network of a nest from one that takes the inputs as `module(...).serve` does."""
    names = list(nests.named(workload.signature(), "input"))
    if len(names) == 1:
        return call
    return lambda given: call(*[given[name] for name in names])


def _tables(model: Any) -> Iterator[Any]:
    """Look-up tables of a model's layers: a SavedModel must hold them too."""
    for layer in model._flatten_layers():
        for each in (getattr(layer, "lookup_table", None), getattr(layer, "_lookup_layer", None)):
            if each is not None:
                yield getattr(each, "lookup_table", each)


# --- running --------------------------------------------------------------------------------------


def keras_path(
    workload: Workload,
    model: Any,
    artifact: Path,
    batch: int = 1,
    proof: Proof = nothing_to_prove,
) -> InferencePath:
    """A Keras model run as `infer/function` runs the baseline: one tf.function, fixed signature."""
    network = workload.network(model)

    @tf.function(input_signature=[workload.signature(workload.batch_of(batch))])
    def infer(x: Any) -> Any:
        return network(x)

    def facts() -> dict[str, Any]:
        return {**traced_once(infer), **proof()}

    return graph_path(workload, infer, batch, model=model, artifact=artifact, proof=facts)


def graph_path(
    workload: Workload, infer: Any, batch: int = 1, block: int | None = None, **facts: Any
) -> InferencePath:
    """Inference by TensorFlow of a nest of inputs [batch, ...].

    Args:
        workload: Its test inputs.
        infer: Takes a nest of tensors.
        batch: Examples a call.
        block: Examples a call when it predicts, where `infer` takes any number; default: `batch`.
        **facts: Those of `InferencePath`.
    """
    size = workload.batch_of(batch)

    def predict(x: Any) -> Any:
        at_once = size if block is None else workload.batch_of(block_of(x, block))
        return in_blocks(lambda given: infer(nests.mapped(tf.constant, given)), x, at_once)

    return InferencePath(
        infer=infer,
        inputs=[nests.mapped(tf.constant, x) for x in workload.inputs(size)],
        examples=size,
        predict=predict,
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
