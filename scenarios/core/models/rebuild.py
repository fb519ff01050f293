"""A Keras 3 model rebuilt layer by layer in tf_keras, which tfmot needs; proved by its outputs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bench.results.errors import Unsupported
from scenarios.core.artifacts import LOOKING_UP
from scenarios.core.data.drawing import samples
from scenarios.core.models import keras_models
from scenarios.core.models.masks import Masks

TOLERANCE = 1e-5
"""Largest difference of outputs, relative to the largest; 5e-7 was seen for real networks."""
WRAPPERS = ("Bidirectional", "TimeDistributed")
NESTED = ("Functional", "Sequential", "Model")
MERGING = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")
"""Operations on two tensors that are layers too."""
UNROLLED = ("GRU", "SimpleRNN")
EXAMPLES = 2


def in_tf_keras(model: Any, unrolled: int = 0) -> Any:
    """The same network in tf_keras with the same weights; models inside it are flattened.

    Args:
        model: Of Keras 3.
        unrolled: GRU and SimpleRNN layers of at most so many steps become no loop.

    Raises:
        Unsupported: A layer has no like in tf_keras, or outputs differ; names the layer and its
            class.
    """
    good, reason = copyable(model)
    half = keras_models.in_half(model)
    if half or not good:
        raise Unsupported(half or reason)
    copied = Rebuilding(unrolled).model(model)
    _same_outputs(model, copied)
    return copied


def copyable(model: Any) -> tuple[bool, str]:
    """Whether a model can be copied layer by layer, and if not, why and what to do."""
    if keras_models.structure(model) is None:
        return False, (
            f"model {model.name!r} ({type(model).__name__}) is a subclass without a graph of "
            "layers: build it with the functional API to have it copied"
        )
    for layer in _all_layers(model):
        kind = type(layer).__name__
        if kind == "Lambda":
            return False, (
                f"layer {layer.name!r} (Lambda) cannot be copied: write a layer with get_config "
                "instead of a Python lambda"
            )
        if not _has_config(layer):
            return False, (
                f"layer {layer.name!r} ({kind}) has no get_config, so that it cannot be copied: "
                "give it one that returns its arguments"
            )
    return True, ""


def _has_config(layer: Any) -> bool:
    """Whether a layer says what it was made with.

    Where it has no get_config of its own Keras guesses one, which holds for numbers and words:
    an array among the arguments comes back as a list.
    """
    try:
        config = layer.get_config()
    except Exception:
        return False
    writer = next(each for each in type(layer).__mro__ if "get_config" in vars(each))
    guessed = writer.__name__ in ("Layer", "Operation")
    own = {name: value for name, value in config.items() if name not in ("name", "dtype")}
    return not (guessed and any(isinstance(each, (list, tuple, dict)) for each in own.values()))


class Rebuilding:
    """One model on its way into tf_keras."""

    def __init__(self, unrolled: int = 0) -> None:
        self._unrolled = unrolled
        self._layers: dict[int, Any] = {}
        self._names: set[str] = set()
        self._made: list[tuple[Any, Any]] = []

    def model(self, model: Any) -> Any:
        """The rebuilt model, its weights set."""
        import tf_keras

        symbols = keras_models.inputs(model)
        made = {
            name: tf_keras.Input(
                tuple(tensor.shape[1:]), dtype=_plain_dtype(tensor.dtype), name=name
            )
            for name, tensor in symbols.items()
        }
        known = {id(symbols[name]): made[name] for name in symbols}
        outputs = self._run(model, known)
        structure = keras_models.structure(model)
        inputs: Any = made if isinstance(structure, Mapping) else list(made.values())
        if len(made) == 1 and isinstance(inputs, list):
            (inputs,) = inputs
        copied = tf_keras.Model(inputs, outputs, name=model.name)
        for old, new in self._made:
            _set_weights(old, new)
        return copied

    def _run(self, model: Any, known: dict[int, Any]) -> Any:
        """The model's outputs as tf_keras tensors, its inputs being known."""
        import keras

        functional = getattr(model, "_functional", None) or model
        nodes, masks = functional._nodes_by_depth, Masks(functional)
        for depth in sorted(nodes, reverse=True):
            for node in nodes[depth]:
                made = all(id(t) in known for t in node.outputs)
                if node.is_input or made or masks.only(node):
                    continue
                args, kwargs = keras.tree.map_structure(
                    lambda x: known[id(x)] if isinstance(x, keras.KerasTensor) else x,
                    (node.arguments.args, masks.left_out(node.arguments.kwargs)),
                )
                found = keras.tree.flatten(self._called(node.operation, args, kwargs))
                for symbol, tensor in zip(node.outputs, found, strict=True):
                    known[id(symbol)] = tensor
        return keras.tree.map_structure(lambda t: known[id(t)], functional._outputs_struct)

    def _called(self, layer: Any, args: Any, kwargs: Any) -> Any:
        """The layer's like, called; a model inside is walked through."""
        import keras

        kind = type(layer).__name__
        if kind in MERGING and not isinstance(layer, keras.layers.Layer) and _both_given(args):
            return self._merged(layer, kind)(list(args))
        if kind in NESTED and keras_models.structure(layer) is not None:
            inner = keras.tree.flatten(keras_models.structure(layer))
            given = keras.tree.flatten(args[0])
            return self._run(layer, {id(t): g for t, g in zip(inner, given, strict=True)})
        return self._like(layer)(*args, **kwargs)

    def _merged(self, operation: Any, kind: str) -> Any:
        """The layer of tf_keras for an operation on two tensors, such as `a + b`."""
        import tf_keras

        if id(operation) not in self._layers:
            self._layers[id(operation)] = getattr(tf_keras.layers, kind)(name=operation.name)
            self._names.add(operation.name)
        return self._layers[id(operation)]

    def _like(self, layer: Any) -> Any:
        if id(layer) not in self._layers:
            new = _copied(layer, _steps(layer) <= self._unrolled)
            if new.name in self._names:
                new._name = f"{new.name}_{len(self._names)}"
            self._names.add(new.name)
            self._layers[id(layer)] = new
            self._made.append((layer, new))
        return self._layers[id(layer)]


def _both_given(args: Any) -> bool:
    """Whether an operation's two operands are tensors of one rank, as merging layers take them."""
    ranks = [len(each.shape) if hasattr(each, "shape") else -1 for each in args]
    return len(ranks) == 2 and ranks[0] == ranks[1] > 0


def _copied(layer: Any, unroll: bool = False) -> Any:
    """A layer of tf_keras with the configuration of one of Keras 3; recurrent ones unrolled."""
    import tf_keras

    kind = type(layer).__name__
    own = getattr(tf_keras.layers, kind, None)
    if not hasattr(layer, "get_weights"):
        raise Unsupported(
            f"operation {layer.name!r} ({kind} of keras.ops) has no like in tf_keras, which tfmot "
            "needs: replace it by a layer"
        )
    if own is None or not type(layer).__module__.startswith("keras."):
        raise Unsupported(
            f"layer {layer.name!r} ({kind}) has no like in tf_keras, which tfmot needs: replace it "
            "by layers that both have"
        )
    config = _translated(layer.get_config())
    if kind in WRAPPERS:
        inner = getattr(layer, "forward_layer", None) or layer.layer
        config = {k: v for k, v in config.items() if k in ("name", "merge_mode", "trainable")}
        return own(_copied(inner, unroll), **config)
    if kind == "Normalization" and getattr(layer, "mean", None) is not None:
        config |= {"mean": np.asarray(layer.mean).ravel(),
                   "variance": np.asarray(layer.variance).ravel()}  # fmt: skip
    if kind in LOOKING_UP:
        config["vocabulary"] = layer.get_vocabulary(include_special_tokens=False)
    if unroll and kind in UNROLLED:
        config["unroll"] = True
    taken = _taken_by(own)
    new = own(**{key: value for key, value in config.items() if key in taken})
    new.trainable = layer.trainable
    return new


def _steps(layer: Any) -> float:
    """Steps of a recurrent layer's input; no number where they are open or it has none."""
    shape: Any = getattr(getattr(layer, "input", None), "shape", ()) or ()
    return shape[1] if len(shape) == 3 and shape[1] else math.inf


def _translated(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without initializers, dtype policies as names, objects as tf_keras writes."""
    found = {}
    for key, value in config.items():
        if key.endswith("_initializer") or key in ("registered_name", "build_config"):
            continue
        if key == "dtype" and isinstance(value, Mapping):
            value = value["config"]["name"]
        elif isinstance(value, Mapping) and "class_name" in value and "config" in value:
            value = {"class_name": value["class_name"], "config": value["config"]}
            if key == "activation" and isinstance(value["config"], str):
                value = value["config"]
        found[key] = value
    return found


def _taken_by(kind: type) -> set[str]:
    taken = {"name", "trainable", "dtype"}
    for each in kind.__mro__:
        if each.__name__ in ("Layer", "Module", "object"):
            break
        taken |= set(inspect.signature(each).parameters)
    return taken - {"self", "kwargs", "args"}


def _set_weights(old: Any, new: Any) -> None:
    weights = [np.asarray(w) for w in old.get_weights()]
    if len(weights) == len(new.get_weights()):
        new.set_weights(weights)
    elif type(old).__name__ not in ("Normalization", *LOOKING_UP):  # they got theirs when made
        raise Unsupported(
            f"layer {old.name!r} ({type(old).__name__}) has {len(weights)} weights in Keras 3, "
            f"{len(new.get_weights())} in tf_keras: it cannot be rebuilt for tfmot"
        )


def _same_outputs(model: Any, copied: Any) -> None:
    """Raise Unsupported unless both answer alike on inputs drawn from the signature."""
    data = samples(keras_models.signature(model), count=8)
    inputs = _named(data.test.inputs, model)
    given = {k: _masked(v[:EXAMPLES], place) for place, (k, v) in enumerate(inputs.items())}
    one = next(iter(given.values())) if len(given) == 1 else given
    wanted, found = (keras_models.answering(m)(one) for m in (model, copied))
    for a, b in zip(_arrays(wanted), _arrays(found), strict=True):
        scale = float(np.abs(a).max()) or 1.0
        error = float(np.abs(a - b).max()) / scale
        if not error <= TOLERANCE:
            raise Unsupported(
                f"model {model.name!r} rebuilt in tf_keras, which tfmot needs, answers otherwise "
                f"(by {error:.1e} of its largest output): build it with tf_keras yourself"
            )


def _masked(array: np.ndarray, place: int) -> np.ndarray:
    """Sequences of whole numbers with zeros at the end and between, for each input elsewhere.

    What a mask leaves out shows only there.
    """
    if array.ndim == 2 and array.dtype.kind in "iu":
        array[0, (array.shape[1] + place + 1) // 2 :] = 0
        array[1:, place % 3 :: 3] = 0
    return array


def _named(nest: Any, model: Any) -> dict[str, Any]:
    if isinstance(nest, Mapping):
        return dict(nest)
    return {next(iter(keras_models.inputs(model))): nest}


def _arrays(outputs: Any) -> Iterator[np.ndarray]:
    for each in outputs.values() if isinstance(outputs, Mapping) else (outputs,):
        yield np.asarray(each, dtype=np.float64)


def _all_layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers") and keras_models.structure(layer) is not None:
            yield from _all_layers(layer)
        else:
            yield layer


def _plain_dtype(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))
