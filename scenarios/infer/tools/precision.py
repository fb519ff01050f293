"""A Keras model computed in another precision, and proof of it in its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported, UsageError
from scenarios.core.artifacts import settled
from scenarios.core.comparable import all_layers
from scenarios.core.models import keras_models
from scenarios.infer.tools.refusing import first_sentence

PRODUCTS = ("Conv2D", "Conv1D", "Conv3D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul",
            "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "XlaConvV2",
            "XlaDotV2")  # fmt: skip


def in_policy(make: Callable[[], Any], policy: str) -> Any:
    """The model with its layers in a policy of Keras, which must be the global one by now.

    Layers that are built while it holds have it; those that were read from a file have the
    precision that they were saved with, and some initializers know float32 alone: such a model is
    made in float32 and copied, weights and all.

    Args:
        make: Makes the model.
        policy: `mixed_float16` or `bfloat16`.

    Raises:
        Unsupported: Its layers cannot be copied.
    """
    try:
        model = make()
    except (UsageError, tf.errors.OpError):
        tf.keras.mixed_precision.set_global_policy("float32")
        model = make()
        tf.keras.mixed_precision.set_global_policy(policy)
    if any(_name(layer) == policy for layer in all_layers(model)):
        return _ended(model, policy)
    wanted = tf.keras.mixed_precision.Policy(policy)
    options = {"recursive": True} if hasattr(tf.keras, "ops") else {}
    try:
        copied = tf.keras.models.clone_model(
            model, clone_function=lambda layer: _copied(layer, wanted), **options
        )
        copied.set_weights(model.get_weights())
        settled(copied)
    except (ValueError, TypeError, NotImplementedError, tf.errors.OpError) as error:
        raise Unsupported(
            f"the layers of model {model.name!r} keep the precision they were saved with, and "
            f"cannot be copied into {policy}: {first_sentence(error)}; give FILE.py:function that "
            "builds the model"
        ) from None
    return _ended(copied, policy)


def _ended(model: Any, policy: str) -> Any:
    return keras_models.ends_in_float32(model) if policy.startswith("mixed") else model


def need_products(function: Any, compute: str) -> None:
    """Do nothing where the graph computes a matrix product or convolution in `compute`.

    Raises:
        Unsupported: It has none, or its layers fix their own precision.
    """
    found = list(_products(function))
    if not found:
        raise Unsupported(
            f"the model has no matrix product or convolution that {compute} could speed up"
        )
    if compute not in found:
        raise Unsupported(
            f"the model's layers fix their own dtype ({', '.join(sorted(set(found)))}), so that "
            f"none of its {len(found)} products is computed in {compute}: leave dtype to the policy"
        )


def products_in(function: Any, compute: str) -> dict[str, Any]:
    """How many products of a concrete function are computed in `compute`, loops' bodies included.

    Raises:
        NotEngaged: None.
    """
    found = list(_products(function))
    if compute not in found:
        raise NotEngaged(f"none of the {len(found)} products is computed in {compute}")
    return {f"{compute}_products": found.count(compute), "products": len(found)}


def _products(function: Any) -> Iterator[str]:
    """The dtype of each product."""
    graph = function.graph.as_graph_def()
    for node in [*graph.node, *(n for body in graph.library.function for n in body.node_def)]:
        if node.op in PRODUCTS and "T" in node.attr:
            yield tf.dtypes.as_dtype(node.attr["T"].type).name


def _copied(layer: Any, policy: Any) -> Any:
    """The layer in the policy, its weights at 0: they are set afterwards."""
    config = layer.get_config()
    if "dtype" in config and type(layer).__name__ != "InputLayer":
        config["dtype"] = policy
    config |= {key: "zeros" for key in config if key.endswith("_initializer") and config[key]}
    return type(layer).from_config(config)


def _name(layer: Any) -> str:
    policy = getattr(layer, "dtype_policy", None)
    return str(getattr(policy, "name", policy))
