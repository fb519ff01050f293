"""The part of a model behind its look-up of words: what converters take, which know no strings."""

from __future__ import annotations

import copy
import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core.data import Spec, looked_up, nests
from scenarios.core.models import keras_models
from scenarios.core.workload import Workload


def behind(workload: Workload) -> Workload:
    """The workload with numbers for inputs: itself, or what is behind its look-up of words.

    Raises:
        Unsupported: It takes strings, and is no functional Keras model whose first layers look
            them up.
    """
    if not any(spec.takes_strings for spec in workload.facts.signature.values()):
        return workload
    if "model:keras" not in workload.facts.provides:
        raise Unsupported(
            "converters take no strings: save the network behind the look-up of words as a "
            "signature of its own, and name it by --signature"
        )
    model = workload.trained_model()
    head, tail = split(model)
    made = copy.copy(workload)
    made.lookup = _calling(head)
    layers = ", ".join(repr(layer) for layer in _looking_up(model))
    made.data = looked_up(workload.data, made.lookup, f"the look-up of words ({layers})")
    arrays = nests.named(made.data.test.inputs, next(iter(keras_models.inputs(tail))))
    made.facts = dataclasses.replace(
        workload.facts,
        structure="dict" if len(arrays) > 1 else "one",
        signature={name: Spec(array.shape[1:], str(array.dtype)) for name, array in arrays.items()},
    )
    made.tail = tail
    return made


def split(model: Any) -> tuple[Any, Any]:
    """A functional Keras model up to where strings became numbers, and from there on.

    Raises:
        Unsupported: It is no functional model, or a layer wants strings all the way.
    """
    functional = getattr(model, "_functional", None) or model
    if not hasattr(functional, "_nodes_by_depth"):
        raise Unsupported(
            f"converters take no strings, and model {model.name!r} cannot be split behind its "
            "look-up of words: build it with the functional API"
        )
    frontier = {
        name: tensor
        for given, symbol in keras_models.inputs(model).items()
        for name, tensor in _numbers(functional, given, symbol)
    }
    kind = _keras_of(model)
    head = kind.Model(keras_models.structure(model), frontier)
    if keras_models.version(model) == 2:  # it copies the layers' graph from these tensors on
        given = frontier if len(frontier) > 1 else next(iter(frontier.values()))
        return head, kind.Model(given, functional._nested_outputs, name=model.name)
    inputs = {
        name: kind.Input(tuple(tensor.shape[1:]), dtype=tensor.dtype, name=name)
        for name, tensor in frontier.items()
    }
    inside = kind.Model(list(frontier.values()), model.outputs)
    flat = kind.tree.flatten(inside(list(inputs.values())))
    packed = kind.tree.pack_sequence_as(functional._outputs_struct, flat)
    only = next(iter(inputs.values()))
    tail = kind.Model(inputs if len(inputs) > 1 else only, packed, name=model.name)
    tail.output_names = list(model.output_names)
    return head, tail


def _keras_of(model: Any) -> Any:
    """The package that a model is of."""
    return importlib.import_module("tf_keras" if keras_models.version(model) == 2 else "keras")


def _numbers(functional: Any, name: str, symbol: Any) -> Iterator[tuple[str, Any]]:
    """The tensors that an input's strings become first; an input of numbers itself."""
    if symbol.dtype != "string":
        yield name, symbol
        return
    for node in _readers(functional, symbol):
        for tensor in tf.nest.flatten(node.outputs):
            yield from _numbers(functional, f"{name}_{_reader(node)}", tensor)


def _readers(functional: Any, symbol: Any) -> Iterator[Any]:
    for nodes in functional._nodes_by_depth.values():
        for node in nodes:
            if not node.is_input and any(each is symbol for each in _read(node)):
                yield node


def _read(node: Any) -> list[Any]:
    """The symbolic tensors that a node of Keras 3 or 2 takes."""
    if hasattr(node, "keras_inputs"):
        return list(node.keras_inputs)
    import keras

    found: list[Any] = keras.tree.flatten(node.arguments.args)
    return found


def _reader(node: Any) -> str:
    """The name of a node's layer."""
    return str((getattr(node, "operation", None) or node.layer).name)


def _looking_up(model: Any) -> list[str]:
    functional = getattr(model, "_functional", None) or model
    return [
        _reader(node)
        for symbol in keras_models.inputs(model).values()
        if symbol.dtype == "string"
        for node in _readers(functional, symbol)
    ]


def _calling(head: Any) -> Any:
    structure = keras_models.structure(head)

    def lookup(inputs: Any) -> Any:
        given = keras_models.fed(structure, nests.mapped(tf.constant, inputs))
        found = {name: np.asarray(each) for name, each in head(given, training=False).items()}
        return found if len(found) > 1 else next(iter(found.values()))

    return lookup
