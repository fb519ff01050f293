"""Counting the arithmetic and the bytes of a path's model, from its graph.

A multiply-add is one term of a matrix product or convolution; padding counts as data. Element-wise
work (normalisation, activations, pooling) is not arithmetic here but shows in the bytes. Bytes are
an estimate: every operation reads its inputs and writes its outputs once, nothing is fused and no
cache keeps anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from bench.launch.analysis.counting_tflite import count_tflite

VIEWS = frozenset(
    {
        *("Const", "Placeholder", "NoOp", "Identity", "IdentityN", "StopGradient"),
        *("PreventGradient", "VarHandleOp", "ReadVariableOp"),
        *("Reshape", "Shape", "ShapeN", "Squeeze", "ExpandDims"),
    }
)
"""Operations that move no data."""


class NotCountable(Exception):
    """A shape is unknown until the model runs, or a loop has no fixed number of rounds."""


@dataclass(frozen=True)
class Work:
    """Work of one run of a graph."""

    multiply_adds: int = 0
    bytes: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(self.multiply_adds + other.multiply_adds, self.bytes + other.bytes)


def count(path: Any) -> dict[str, int]:
    """Parameters, arithmetic and bytes of a path, from `path.model` or a .tflite `path.artifact`.

    Training counts the forward pass and the gradients that reach a trainable variable, each from
    the graph that TensorFlow differentiates: no factor is assumed. The first layer has no gradient
    of its input, so a training step costs a little less than three forward passes.

    Args:
        path: A path as scenarios return it (`model`, `artifact`, `examples`, `step` or `infer`).

    Returns:
        `parameters`; `multiply_adds` of one example's forward pass; `flops_per_step`, twice the
        multiply-adds of a step; `bytes_per_step`. A key is missing where it cannot be counted.
    """
    artifact = getattr(path, "artifact", None)
    if artifact is not None and Path(artifact).suffix == ".tflite":
        return count_tflite(Path(artifact), path.examples)
    model = getattr(path, "model", None)
    if model is None:
        return {}
    shapes = [weight.shape for weight in model.weights if hasattr(weight, "shape")]  # no look-ups
    facts = {"parameters": int(sum(map(math.prod, shapes)))}
    if hasattr(path, "job"):
        return facts | _forward_only(model)
    try:
        return facts | count_model(model, path.examples, training=hasattr(path, "step"))
    except (NotCountable, TypeError, ValueError, AttributeError, tf.errors.OpError):
        return facts


def _forward_only(model: Any) -> dict[str, int]:
    try:
        return {"multiply_adds": count_model(model, 1, training=False)["multiply_adds"]}
    except (NotCountable, TypeError, ValueError, AttributeError, tf.errors.OpError):
        return {}


def count_model(model: Any, examples: int, training: bool) -> dict[str, int]:
    """Arithmetic and bytes of one step on `examples` examples of a built Keras model (2 or 3).

    Raises:
        NotCountable: A shape is unknown until the model runs, or it holds a loop.
    """
    specs = [
        tf.TensorSpec([examples, *tensor.shape[1:]], tensor.dtype)
        for tensor in tf.nest.flatten(model.inputs)
    ]
    weights = model.trainable_variables if training else []

    def step(*inputs: Any) -> Any:
        packed = tf.nest.pack_sequence_as(model.inputs, inputs)
        packed = packed[0] if isinstance(packed, (list, tuple)) and len(packed) == 1 else packed
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(model(packed, training=training))
            loss = sum(tf.reduce_sum(tf.cast(o, tf.float32)) for o in outputs)
        return outputs, [g for g in tape.gradient(loss, weights) if g is not None]

    graph = tf.function(step, autograph=False).get_concrete_function(*specs).graph
    outputs, gradients = graph.structured_outputs
    forward = graph_work(graph, tf.nest.flatten(outputs))
    whole = graph_work(graph, tf.nest.flatten((outputs, gradients), expand_composites=True))
    return {
        "multiply_adds": forward.multiply_adds // examples,
        "flops_per_step": 2 * whole.multiply_adds,
        "bytes_per_step": whole.bytes,
    }


# --- graphs -----------------------------------------------------------------------------------


def graph_work(graph: Any, targets: Iterable[Any]) -> Work:
    """Work of the operations of a FuncGraph that `targets` (tensors of it) depend on."""
    return sum((_operation_work(graph, op) for op in operations_before(targets)), Work())


def operations_before(targets: Iterable[Any]) -> list[Any]:
    """The operations that these tensors depend on, each once."""
    return operations_behind(tensor.op for tensor in targets)


def operations_behind(operations: Iterable[Any]) -> list[Any]:
    """These operations and all that they depend on, each once."""
    seen: dict[Any, None] = {}
    waiting = list(operations)
    while waiting:
        op = waiting.pop()
        if op not in seen:
            seen[op] = None
            waiting.extend(tensor.op for tensor in op.inputs)
            waiting.extend(op.control_inputs)
    return list(seen)


def _operation_work(graph: Any, op: Any) -> Work:
    if op.type in ("While", "StatelessWhile"):
        raise NotCountable(f"{op.name} is a loop")
    if op.type in ("PartitionedCall", "StatefulPartitionedCall"):
        return _called(graph, op)
    if op.type in VIEWS:
        return Work()
    macs = MULTIPLY_ADDS[op.type](op) if op.type in MULTIPLY_ADDS else 0
    return Work(macs, moved_bytes(op))


def _called(graph: Any, op: Any) -> Work:
    inner = body(graph, op)
    return graph_work(inner, inner.outputs)


def body(graph: Any, op: Any) -> Any:
    """The FuncGraph that a calling operation of `graph` runs; raises NotCountable without it."""
    name = op.get_attr("f").name
    found = next((f for f in _functions(graph) if tf.compat.as_str(f.name) == name), None)
    if found is None:
        raise NotCountable(f"the body of {name} is not at hand")
    return found.graph


def moved_bytes(op: Any) -> int:
    """Bytes an operation reads and writes, its tensors of known shape counted once each."""
    return sum(_bytes(tensor) for tensor in (*op.inputs, *op.outputs))


def _functions(graph: Any) -> list[Any]:
    return list(getattr(graph, "_functions", {}).values())


def _bytes(tensor: Any) -> int:
    """0 where the shape is known only when it runs (gradients of broadcasts, reserved space)."""
    if tensor.dtype in (tf.resource, tf.variant, tf.string):
        return 0
    return (tensor.shape.num_elements() or 0) * int(tensor.dtype.size)


def shape_of(tensor: Any) -> list[int]:
    """Sizes of a tensor; raises NotCountable where one is known only when it runs."""
    if tensor.shape.rank is None or None in tensor.shape.as_list():
        raise NotCountable(f"the shape of {tensor.name} is known only when it runs")
    return [int(n) for n in tensor.shape.as_list()]


def _elements(tensor: Any) -> int:
    return math.prod(shape_of(tensor))


def _convolution(op: Any) -> int:
    """Conv2D and Conv3D: outputs × kernel elements of one output channel."""
    return _elements(op.outputs[0]) * math.prod(shape_of(op.inputs[1])[:-1])


def _input_gradient(op: Any) -> int:
    """Of a convolution with kernel `inputs[1]`, from the gradient `inputs[2]` of its output."""
    return _elements(op.inputs[2]) * math.prod(shape_of(op.inputs[1])[:-1])


def _kernel_gradient(op: Any) -> int:
    """Of a convolution whose kernel has the shape of `outputs[0]`."""
    return _elements(op.inputs[2]) * math.prod(shape_of(op.outputs[0])[:-1])


def _depthwise(op: Any) -> int:
    return _elements(op.outputs[0]) * math.prod(shape_of(op.inputs[1])[:2])


def _depthwise_input_gradient(op: Any) -> int:
    return _elements(op.inputs[2]) * math.prod(shape_of(op.inputs[1])[:2])


def _depthwise_kernel_gradient(op: Any) -> int:
    return _elements(op.inputs[2]) * math.prod(shape_of(op.outputs[0])[:2])


def _matmul(op: Any) -> int:
    attribute = "transpose_a" if op.type == "MatMul" else "adj_x"
    left = shape_of(op.inputs[0])
    return _elements(op.outputs[0]) * left[-2 if op.get_attr(attribute) else -1]


def _einsum(op: Any) -> int:
    """The product of the sizes of all indices of an equation of two operands."""
    terms = op.get_attr("equation").decode().split("->")[0].split(",")
    if len(terms) != 2:
        return 0
    sizes: dict[str, int] = {}
    batch = 1
    for term, tensor in zip(terms, op.inputs, strict=True):
        shape = shape_of(tensor)
        before, dots, after = term.partition("...")
        hidden = len(shape) - len(before) - len(after)
        if dots:
            batch = max(batch, math.prod(shape[len(before) : len(before) + hidden]))
        sizes.update(zip(before, shape, strict=False))
        sizes.update(zip(reversed(after), reversed(shape), strict=False))
    return batch * math.prod(sizes.values())


MULTIPLY_ADDS: Mapping[str, Callable[[Any], int]] = {
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "Conv2DBackpropInput": _input_gradient,
    "Conv2DBackpropFilter": _kernel_gradient,
    "Conv3DBackpropInputV2": _input_gradient,
    "Conv3DBackpropFilterV2": _kernel_gradient,
    "DepthwiseConv2dNative": _depthwise,
    "DepthwiseConv2dNativeBackpropInput": _depthwise_input_gradient,
    "DepthwiseConv2dNativeBackpropFilter": _depthwise_kernel_gradient,
    "MatMul": _matmul,
    "BatchMatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "BatchMatMulV3": _matmul,
    "Einsum": _einsum,
}
