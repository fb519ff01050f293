"""Slimmer and richer building blocks: for the default CNN, and put into a user's own model.

Each of `separable`, `residual`, `squeeze_excitation` and `attention` takes a workload and returns
a builder for `workload.model(build)`. The default CNN is rebuilt from the block; any other
functional or Sequential model is cloned with its spatial convolutions (larger than 1×1) replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from bench.results.errors import Unsupported
from scenarios.core import models
from scenarios.core.comparable import all_layers
from scenarios.core.models import normalised
from scenarios.core.workload import Builder, Workload

layers = tf.keras.layers
SQUEEZE_RATIO = 16  # the reference guide's C/16
Call = Callable[..., Any]


def separable(workload: Workload) -> Builder:
    """The workload's model with depthwise separable convolutions."""
    if workload.spec.model == "cnn":
        return partial(models.cnn, block=separable_block)
    return _cloned(workload.build, replace=separable_layer)


def residual(workload: Workload) -> Builder:
    """The workload's model with a residual block for each spatial convolution."""
    if workload.spec.model == "cnn":
        return partial(models.cnn, block=residual_block)
    return _cloned(workload.build, call=residual_call)


def squeeze_excitation(workload: Workload) -> Builder:
    """The workload's model with a squeeze-and-excitation gate behind each spatial convolution."""
    if workload.spec.model == "cnn":
        return partial(models.cnn, block=squeeze_excitation_block)
    return _cloned(workload.build, call=lambda conv, x: gated(conv(x), conv.name))


def attention(workload: Workload) -> Builder:
    """The workload's model with self-attention over the places of its last feature map."""
    return _cloned(workload.build, call=attend_before_pooling, where=_pools)


# --- blocks of the default CNN: block(x, filters, name) → features -----------------------------


def separable_block(x: Any, filters: int, name: str) -> Any:
    """3×3 depthwise, then 1×1 convolution, batch normalisation, relu."""
    x = layers.DepthwiseConv2D(
        3,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"depthwise_{name}",
    )(x)
    x = layers.Conv2D(
        filters, 1, use_bias=False, kernel_initializer="he_normal", name=f"pointwise_{name}"
    )(x)
    return normalised(x, name)


def residual_block(x: Any, filters: int, name: str) -> Any:
    """conv, bn, relu, conv, bn, added to the input (1×1 where channels differ), relu."""
    convolve = partial(
        layers.Conv2D,
        filters,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )
    shortcut = x
    if x.shape[-1] != filters:
        shortcut = convolve(kernel_size=1, name=f"shortcut_{name}")(x)
    x = normalised(convolve(kernel_size=3, name=f"conv2d_{name}a")(x), f"{name}a")
    x = normalised(convolve(kernel_size=3, name=f"conv2d_{name}b")(x), f"{name}b", relu=False)
    return layers.ReLU(name=f"relu_{name}b")(layers.Add(name=f"add_{name}")([x, shortcut]))


def squeeze_excitation_block(x: Any, filters: int, name: str) -> Any:
    """3×3 convolution, batch normalisation, relu, then a gate for each channel."""
    return gated(models.convolution(x, filters, name), name)


def gated(x: Any, name: str) -> Any:
    """Features [N, H, W, C] times a gate in 0..1 a channel, computed from the channels' means."""
    channels = int(x.shape[-1])
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"squeeze_{name}")(x)
    gate = layers.Dense(
        max(1, channels // SQUEEZE_RATIO), activation="relu", name=f"reduce_{name}"
    )(gate)
    gate = layers.Dense(channels, activation="sigmoid", name=f"excite_{name}")(gate)
    return layers.Multiply(name=f"gate_{name}")([x, gate])


@tf.keras.utils.register_keras_serializable("tfbench")
class SelfAttention(tf.keras.layers.Layer):
    """The reference guide's custom layer: softmax(query · keyᵀ) · value, scaled by √units.

    Input [N, places, channels] → output of the same shape; the projections to query, key and
    value are its only weights.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.query = layers.Dense(units, use_bias=False)
        self.key = layers.Dense(units, use_bias=False)

    def build(self, input_shape: Any) -> None:
        """Make the projections; value has as many channels as the input."""
        self.value = layers.Dense(input_shape[-1], use_bias=False)
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        super().build(input_shape)

    def call(self, x: Any) -> Any:
        """Each place's mixture of all places' values."""
        score = tf.matmul(self.query(x), self.key(x), transpose_b=True)
        score = tf.cast(score, tf.float32) / tf.sqrt(float(self.units))
        weights = tf.cast(tf.nn.softmax(score, axis=-1), self.compute_dtype)
        return tf.matmul(weights, self.value(x))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "units": self.units}


# --- conversion of a user's model -----------------------------------------------------------------


def separable_layer(conv: Any) -> Any:
    """The depthwise separable layer in place of a spatial Conv2D, of the same output shape."""
    return layers.SeparableConv2D(
        conv.filters,
        conv.kernel_size,
        strides=conv.strides,
        padding=conv.padding,
        dilation_rate=conv.dilation_rate,
        activation=conv.activation,
        use_bias=conv.use_bias,
        depthwise_initializer="he_normal",
        pointwise_initializer="he_normal",
        name=conv.name,
    )


def residual_call(conv: Any, x: Any) -> Any:
    """conv, bn, relu, conv, bn, added to the input; the model's own activation follows."""
    convolve = partial(layers.Conv2D, conv.filters, padding="same", use_bias=False)
    y = normalised(conv(x), f"{conv.name}_a")
    y = convolve(kernel_size=conv.kernel_size, name=f"{conv.name}_b")(y)
    y = normalised(y, f"{conv.name}_b", relu=False)
    if x.shape[1:] != y.shape[1:]:
        if conv.padding != "same":
            raise Unsupported(
                f"layer {conv.name} pads {conv.padding!r}: its output is smaller than its input, "
                'so a residual connection needs padding="same"'
            )
        x = convolve(kernel_size=1, strides=conv.strides, name=f"{conv.name}_shortcut")(x)
    return layers.Add(name=f"{conv.name}_add")([y, x])


def attend_before_pooling(pool: Any, x: Any) -> Any:
    """Self-attention over the places of features [N, H, W, C], added to them, then `pool`."""
    height, width, channels = x.shape[1:]
    places = layers.Reshape((height * width, channels), name="places")(x)
    attended = SelfAttention(channels, name="attention")(places)
    places = layers.Add(name="attention_add")([places, attended])
    return pool(layers.Reshape((height, width, channels), name="features")(places))


def is_spatial(layer: Any) -> bool:
    """Whether the layer is a plain Conv2D larger than 1×1 that a separable one can replace."""
    return (
        type(layer) is layers.Conv2D
        and max(layer.kernel_size) > 1
        and layer.groups == 1
        # Keras's depthwise convolution takes one stride for both axes.
        and len(set(layer.strides)) == 1
    )


def _pools(layer: Any) -> bool:
    kinds = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
    return isinstance(layer, kinds) and len(layer.input.shape) == 4


def _cloned(
    build: Builder,
    replace: Callable[[Any], Any] | None = None,
    call: Call | None = None,
    where: Callable[[Any], bool] = is_spatial,
) -> Builder:
    """A builder of `build`'s model with new layers (`replace`) or new calls (`call`) at `where`."""

    def built(input_shape: tuple[int, ...], classes: int) -> tf.keras.Model:
        model = build(input_shape, classes)
        if not hasattr(model, "inputs") or not model.inputs:
            raise Unsupported("a subclassed model cannot be rewritten: use the functional API")
        changed = {layer.name for layer in all_layers(model) if where(layer)}
        if not changed:
            wanted = "Conv2D larger than 1×1" if where is is_spatial else "pooling of a feature map"
            raise Unsupported(f"model {model.name!r} has no {wanted} to change")
        functional = model  # several inputs or outputs keep their names
        if len(model.inputs) == len(model.outputs) == 1:
            functional = tf.keras.Model(model.inputs[0], model.outputs[0], name=model.name)
        inner = any(hasattr(layer, "layers") for layer in functional.layers)

        def cloned_layer(layer: Any) -> Any:
            if replace is not None and layer.name in changed:
                return replace(layer)
            return layer.__class__.from_config(layer.get_config())

        def cloned_call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if layer.name in changed and call is not None:
                return call(layer, *args)
            return layer(*args, **kwargs)

        options: dict[str, Any] = {"recursive": True} if inner else {}
        if call is not None:
            options["call_function"] = cloned_call
        if options and not hasattr(tf.keras, "ops"):
            raise Unsupported("rewriting calls of your own model needs Keras 3's clone_model")
        return tf.keras.models.clone_model(functional, clone_function=cloned_layer, **options)

    return built
