"""Which layers of a model tfmot wraps: those that it knows; the others stay as they are.

tfmot's own functions for whole models refuse a model for one layer that they do not know, though
they have nothing to do there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core.artifacts import settled

FOLDED = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense", "SeparableConv2D",
          "SeparableConv1D")  # fmt: skip
"""Layers that tfmot folds a batch normalisation behind them into."""
SPLIT = ("SeparableConv1D", "SeparableConv2D")
"""Layers that tfmot makes a depthwise and a 1×1 convolution of, and then knows."""
SPLIT_INTO = {
    "depthwise_conv2d": lambda: tf.keras.layers.DepthwiseConv2D(1),
    "conv2d": lambda: tf.keras.layers.Conv2D(1, 1),
}
"""Names that Keras gives to those two, and what takes the next of them."""
OUTPUT_ALONE = "Default8BitOutputQuantizeConfig"
"""How tfmot names the rounding of outputs of a layer that is computed in float."""


def wrapped(model: Any, wrap: Callable[[Any], Any], knows: Callable[[Any], bool]) -> Any:
    """A copy of a Keras 2 model with `wrap(layer)` for each layer that `knows` it.

    Args:
        model: Functional or Sequential; models inside it are walked through.
        wrap: Makes the layer's wrapper.
        knows: Whether there is one.
    """

    def each(layer: Any) -> Any:
        if hasattr(layer, "layers"):
            return tf.keras.models.clone_model(layer, clone_function=each)
        return wrap(layer) if knows(layer) else layer

    return tf.keras.models.clone_model(model, clone_function=each)


def known_to_pruning(layer: Any) -> bool:
    """Whether tfmot prunes a layer, or knows that there is nothing to prune in it."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prune_registry

    return bool(prune_registry.PruneRegistry.supports(layer)) or hasattr(
        layer, "get_prunable_weights"
    )


def known_to_clustering(layer: Any) -> bool:
    """Whether tfmot clusters a layer, or knows that there is nothing to cluster in it."""
    from tensorflow_model_optimization.python.core.clustering.keras import clustering_registry

    return bool(clustering_registry.ClusteringRegistry.supports(layer)) or hasattr(
        layer, "get_clusterable_weights"
    )


def annotated(model: Any) -> Any:
    """A model whose layers are marked for quantization-aware training.

    A layer that tfmot cannot quantize is computed in float, and its outputs are rounded to 8 bits
    for the layers behind it.

    Raises:
        Unsupported: There is no convolution or dense layer that tfmot could quantize.
    """
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_configs as configs,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as registries,
    )

    quantization, registry = tfmot.quantization.keras, registries.Default8BitQuantizeRegistry()

    def each(layer: Any) -> Any:
        if hasattr(layer, "layers"):
            raise ValueError("tfmot quantizes no model inside another one")
        if _known(registry, layer):
            return quantization.quantize_annotate_layer(layer)
        if _one_float_in_and_out(layer):
            alone = configs.Default8BitOutputQuantizeConfig()
            return quantization.quantize_annotate_layer(layer, alone)
        return layer

    if not any(_has_kernel(registry, x) or hasattr(x, "layers") for x in model.layers):
        raise Unsupported(
            "tfmot quantizes Conv2D, DepthwiseConv2D, Conv2DTranspose, separable and Dense layers, "
            f"and model {model.name!r} has none: infer/litert-int8 quantizes after training"
        )
    return tf.keras.models.clone_model(model, clone_function=each)


def quantized(annotations: Any, scheme: Any = None) -> Any:
    """The model of `annotated` with simulated 8-bit arithmetic.

    Inputs that only float layers read stay in float: one scale for the columns of a raw table,
    say, would leave most of them a single value.

    Args:
        annotations: What `annotated` returned.
        scheme: Of tfmot; default: its 8 bits.
    """
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_scheme as schemes,
    )

    _step_over_names(annotations)
    scheme = scheme or schemes.Default8BitQuantizeScheme()
    layout = scheme.get_layout_transformer
    scheme.get_layout_transformer = lambda: _FloatInputs(layout())
    with tfmot.quantization.keras.quantize_scope():
        return settled(tfmot.quantization.keras.quantize_apply(annotations, scheme))


def _step_over_names(model: Any) -> None:
    """Let the next names that Keras gives be none of the model's.

    tfmot makes two layers of a separable convolution and leaves their names to Keras; a second
    `conv2d_2` would be taken for the first.
    """
    names = [getattr(layer, "layer", layer).name for layer in model.layers]  # what is annotated
    for kind, make in SPLIT_INTO.items():
        numbers = [re.fullmatch(rf"{kind}_(\d+)", name) for name in names]
        most = max((int(found[1]) for found in numbers if found), default=0)
        while int(make().name.removeprefix(kind).removeprefix("_") or 0) < most:
            pass


class _FloatInputs:
    """A layout transformer of tfmot that rounds no input which only float layers read."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def apply(self, model: Any, layer_quantize_map: dict[str, Any]) -> Any:
        """The transformed model, and what is to be quantized of it."""
        for given in model._input_layers:
            readers = [node.outbound_layer.name for node in given._outbound_nodes]
            found = [layer_quantize_map.get(name, {}).get("quantize_config") for name in readers]
            if all(type(config).__name__ == OUTPUT_ALONE for config in found):
                layer_quantize_map.pop(given.name, None)
        return self._inner.apply(model, layer_quantize_map)


def _known(registry: Any, layer: Any) -> bool:
    if type(layer).__name__ == "BatchNormalization":
        return _follows(layer) in FOLDED
    if type(layer).__name__ in SPLIT:
        return True
    if not registry.supports(layer):
        return False
    try:  # an Activation is known by its kind, and refused by its function
        registry.get_quantize_config(layer).get_output_quantizers(layer)
    except (ValueError, RuntimeError):
        return False
    return True


def _has_kernel(registry: Any, layer: Any) -> bool:
    if type(layer).__name__ in SPLIT:
        return True
    return _known(registry, layer) and any(
        name in dir(layer) for name in ("kernel", "depthwise_kernel")
    )


def _follows(layer: Any) -> str:
    """The class of the layer in front of one that has one input."""
    before = layer._inbound_nodes[-1].inbound_layers if layer._inbound_nodes else None
    return type(before).__name__


def _one_float_in_and_out(layer: Any) -> bool:
    """Whether a layer takes one tensor and gives one of real numbers, as tfmot's wrapper does."""
    if not layer._inbound_nodes or type(layer).__name__.endswith(("OpLambda", "InputLayer")):
        return False
    node = layer._inbound_nodes[-1]  # a layer that is in copies of the model has several
    ends = (*node.call_args, node.outputs)
    return len(node.call_args) == 1 and all(
        hasattr(each, "dtype") and each.dtype.is_floating for each in ends
    )
