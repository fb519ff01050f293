"""Keras models of either version: inputs and outputs by name, and how they were compiled."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core.data.nests import Nest
from scenarios.core.data.signature import Signature, Spec
from scenarios.core.tasks.values import Compiled

PASSED_THROUGH = ("InputLayer", "RandomFlip", "RandomRotation", "RandomZoom", "RandomCrop",
                  "RandomContrast", "RandomBrightness", "RandomTranslation", "Resizing",
                  "CenterCrop", "GaussianNoise", "Sequential", "Functional", "Reshape",
                  "ZeroPadding2D", "Identity", "Activation")  # fmt: skip
"""Layers that keep the range of values (or whose insides do): one looks behind them."""
SATURATING = ("softmax", "sigmoid")
SPREAD = 3.0
"""Standard deviations on either side of a Normalization's mean that its inputs are drawn from."""


def is_keras(model: Any) -> bool:
    """Whether it is a model of Keras 3 or of tf_keras."""
    return version(model) in (2, 3)


def version(model: Any) -> int:
    """3 for Keras, 2 for tf_keras, 0 for anything else."""
    import keras

    if isinstance(model, keras.Model):
        return 3
    try:
        import tf_keras
    except ImportError:
        return 0
    return 2 if isinstance(model, tf_keras.Model) else 0


def structure(model: Any) -> Any:
    """The nest of symbolic inputs that it is called with; None of a subclassed model."""
    for name in ("_inputs_struct", "_nested_inputs"):
        functional = getattr(model, "_functional", None) or model
        found = getattr(functional, name, None)
        if found is not None:
            return found
    return None


def inputs(model: Any) -> dict[str, Any]:
    """Its symbolic inputs by name: a dict's keys, or the names of its Input layers."""
    nest = structure(model)
    if isinstance(nest, Mapping):
        return dict(nest)
    flat = tf.nest.flatten(nest) if nest is not None else []
    return {_name(tensor, i, len(flat)): tensor for i, tensor in enumerate(flat)}


def signature(model: Any) -> Signature:
    """Each input's shape without the batch axis, dtype, and the values its first layers expect."""
    return {name: _spec(tensor) for name, tensor in inputs(model).items()}


def outputs(model: Any) -> dict[str, Spec]:
    """Its outputs by name, as `answering` gives them; empty where a subclass does not tell."""
    found = _outputs_nest(model)
    if found is None:
        return {}
    return {
        name: Spec(tuple(tensor.shape[1:]), _dtype(tensor))
        for name, tensor in _named_outputs(model, found).items()
    }


def answering(model: Any) -> Callable[[Nest], Any]:
    """The model in inference mode: inputs by name in, one tensor or outputs by name out."""
    nest = structure(model)
    if hasattr(nest, "shape") and hasattr(_outputs_nest(model), "shape"):
        # One in, one out: nothing to bind. AutoGraph passes a partial, but converts a lambda.
        return partial(model, training=False)

    def network(given: Nest) -> Any:
        return named(model, model(fed(nest, given), training=False))

    return network


def fed(nest: Any, given: Nest) -> Any:
    """Inputs in the structure that the model takes: a list, a dict or a single tensor."""
    if not isinstance(given, Mapping):
        if isinstance(nest, Mapping):
            return {next(iter(nest)): given}
        return [given] if isinstance(nest, (list, tuple)) and len(nest) == 1 else given
    if nest is None or isinstance(nest, Mapping):
        return dict(given)
    flat = tf.nest.flatten(nest)
    return [given[_name(tensor, i, len(flat))] for i, tensor in enumerate(flat)]


def named(model: Any, found: Any) -> Any:
    """What the model returned as one array, or as outputs by name."""
    each = _named_outputs(model, found)
    return next(iter(each.values())) if len(each) == 1 else each


def compiled(model: Any) -> Compiled:
    """What it was compiled with."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or getattr(model, "loss", None) is None:
        return Compiled()
    names = []
    for metric in _metrics(model):
        names.append(metric if isinstance(metric, str) else getattr(metric, "name", str(metric)))
    # Under mixed_float16 Keras wraps what it compiles with; the scenarios scale losses themselves.
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    config, kind = optimizer.get_config(), type(optimizer)
    weights = (getattr(model, "get_compile_config", lambda: None)() or {}).get("loss_weights")
    return Compiled(
        _by_output(model, model.loss),
        tuple(names),
        lambda: kind.from_config(config),
        _by_output(model, weights) or {},
    )


def _by_output(model: Any, given: Any) -> Any:
    """What `compile` got for each output, by its name; one for all of them as it is."""
    names = list(outputs(model))
    if isinstance(given, (list, tuple)) and len(given) == len(names) > 1:
        return dict(zip(names, given, strict=True))
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def optimizer(given: Any) -> Any:
    """An optimizer of the Keras behind `tf.keras`, with the settings of one of the other Keras."""
    own = tf.keras.optimizers
    if isinstance(given, own.Optimizer):
        return given
    kind, config = getattr(own, type(given).__name__, None), given.get_config()
    if kind is None:
        raise Unsupported(
            f"optimizer {type(given).__name__} is of the other Keras: give one that both have"
        )
    taken = inspect.signature(kind.__init__).parameters
    return kind.from_config({name: value for name, value in config.items() if name in taken})


def in_half(model: Any) -> str:
    """Why a model whose layers compute in 16 bits cannot be converted, and the way out; or ""."""
    for layer in model._flatten_layers():
        if getattr(layer, "compute_dtype", "") in ("float16", "bfloat16") and layer.weights:
            return (
                f"layer {layer.name!r} computes in {layer.compute_dtype}, by the policy it was "
                "saved with, which neither LiteRT's converter nor tfmot takes: give "
                "FILE.py:function that loads the model, sets layer.dtype_policy = 'float32' for "
                "each of its layers, and returns it"
            )
    return ""


def ends_in_float32(model: Any) -> Any:
    """The model, whose normalisation and last activation are in float32 though others are in half.

    In float16 a variance of 1e-6 has two digits, and a probability near 1 is 1: mixed precision
    wants both ends in full, and a model that is not written for it does not say so.
    """
    for layer in model._flatten_layers():
        half = getattr(layer, "compute_dtype", "") in ("float16", "bfloat16")
        if type(layer).__name__ == "Normalization" and version(model) == 3 and half:
            layer.dtype_policy = "float32"
            if layer.input_mean is None:  # its statistics were cast when it was built
                layer.finalize_state()
            else:
                layer.build(layer.input.shape)
    for layer in _last_layers(model):
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        saturates = activation in SATURATING or type(layer).__name__ == "Softmax"
        if saturates and layer.compute_dtype in ("float16", "bfloat16"):
            if version(model) == 3:
                layer.dtype_policy = "float32"
            else:
                layer._set_dtype_policy("float32")
    return model


def _last_layers(model: Any) -> Iterator[Any]:
    for tensor in tf.nest.flatten(getattr(model, "outputs", None) or ()):
        layer = _layer_of(tensor)
        if hasattr(layer, "layers"):
            yield from _last_layers(layer)
        elif layer is not None:
            yield layer


def first_layers(tensor: Any) -> Iterator[Any]:
    """The layers that an input reaches first, behind those that keep the range of values."""
    seen: set[int] = set()
    waiting = [_layer_of(tensor)]
    while waiting:
        layer = waiting.pop(0)
        if layer is None or id(layer) in seen:
            continue
        seen.add(id(layer))
        kind = type(layer).__name__
        if kind not in PASSED_THROUGH:
            yield layer
            continue
        if kind in ("Sequential", "Functional"):
            waiting += [_layer_of(inner) for inner in tf.nest.flatten(structure(layer))]
        waiting += [getattr(node, "operation", None) or getattr(node, "layer", None)
                    for node in getattr(layer, "_outbound_nodes", ())]  # fmt: skip


def _spec(tensor: Any) -> Spec:
    shape, dtype = tuple(tensor.shape[1:]), _dtype(tensor)
    for layer in first_layers(tensor):
        kind = type(layer).__name__
        if kind == "Rescaling":
            return Spec(shape, dtype, *_rescaled(layer))
        if kind == "Normalization" and getattr(layer, "mean", None) is not None:
            mean, deviation = np.asarray(layer.mean), np.sqrt(np.asarray(layer.variance))
            low, high = (
                float((mean - SPREAD * deviation).min()),
                float((mean + SPREAD * deviation).max()),
            )
            return Spec(shape, dtype, low, high, f"the model's layer {layer.name!r} (normalises)")
        if kind == "Embedding":
            return Spec(shape, dtype, 0, int(layer.input_dim) - 1)
        if kind in ("CategoryEncoding", "IntegerLookup"):
            return Spec(shape, dtype, 0, int(getattr(layer, "num_tokens", 2) or 2) - 1)
    return Spec(shape, dtype)


def _outputs_nest(model: Any) -> Any:
    functional = getattr(model, "_functional", None) or model
    return getattr(functional, "_outputs_struct", getattr(functional, "_nested_outputs", None))


def _rescaled(layer: Any) -> tuple[float | None, float | None, str]:
    """The range that a Rescaling takes to 0..1 or -1..1, where its factor is one number."""
    scale = np.asarray(layer.scale, dtype=float)
    said = f"the model's layer {layer.name!r} (× 1/{1 / float(scale.flat[0]):.4g})"
    if scale.size != 1 or not 0 < float(scale) < 0.5:
        return None, None, said
    width = 2.0 if float(np.asarray(layer.offset).flat[0]) < -0.5 else 1.0
    return 0.0, round(width / float(scale), 6), said


def _named_outputs(model: Any, found: Any) -> dict[str, Any]:
    if isinstance(found, Mapping):
        return dict(found)
    flat = tf.nest.flatten(found)
    if len(flat) == 1:
        return {"output": flat[0]}
    names = list(getattr(model, "output_names", None) or ())
    if len(set(names)) != len(flat):
        names = [f"output_{i}" for i in range(len(flat))]
    return dict(zip(names, flat, strict=True))


def _metrics(model: Any) -> list[Any]:
    config = getattr(model, "get_compile_config", lambda: None)() or {}
    found = config.get("metrics") or []
    flat = []
    for each in tf.nest.flatten(found) if not isinstance(found, Mapping) else found.values():
        inner = each.get("config", {}) if isinstance(each, Mapping) else {}
        flat.append(inner.get("name", each) if inner else each)
    return [each for each in flat if each is not None]


def _layer_of(tensor: Any) -> Any:
    history = getattr(tensor, "_keras_history", None)
    return getattr(history, "operation", None) or getattr(history, "layer", None)


def _dtype(tensor: Any) -> str:
    return str(getattr(tensor.dtype, "name", tensor.dtype))


def _name(tensor: Any, place: int, count: int) -> str:
    """The name of an input; by its place where Keras only counted it."""
    name = str(tensor.name).partition(":")[0]
    if name.startswith("keras_tensor"):
        return "input" if count == 1 else f"input_{place}"
    return name
