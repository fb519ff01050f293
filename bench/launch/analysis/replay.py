"""A step's matrix products alone, on other tensors of the same shapes; or each of them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from bench.launch.analysis import counting

AGAIN = "_done_again"


@dataclass(frozen=True)
class Replay:
    """What a step's graph holds, and its products as a call of their own."""

    call: Callable[[], Any] | None
    """Runs the products once; None where there are none."""
    operations: int
    """Number of products."""
    flops: int
    other_bytes: int
    """Read and written by the operations that are not products (counting's estimate)."""


def of(graph: Any) -> Replay:
    """The products of a FuncGraph and the functions it calls, and the bytes of the rest.

    Raises:
        NotCountable: A shape is known only when it runs.
    """
    products, other = [], 0
    flops = 0
    for op in _all_operations(graph):
        if op.type in counting.MULTIPLY_ADDS:
            products.append(op)
            flops += 2 * counting.MULTIPLY_ADDS[op.type](op)
        elif op.type not in counting.VIEWS and not _calls(op):
            other += counting.moved_bytes(op)
    return Replay(_replay(products) if products else None, len(products), flops, other)


def doubled(function: Any, batch: Any) -> Callable[[], Any] | None:
    """The step with each of its matrix products done twice, the second time for one number.

    A copy runs on what the original runs on, but for its smallest tensor, in whose place it has one
    of its own: TensorFlow would merge equal operations into one.

    Args:
        function: A ConcreteFunction.
        batch: The tensors that it is called with.

    Returns:
        A call of the step; None where products cannot be doubled: there are none, they lie in
        functions that the step calls, they are of integers, or XLA compiles the step.

    Raises:
        NotCountable: A shape is known only when it runs.
    """
    graph = function.graph
    roots = [*(tensor.op for tensor in graph.outputs), *graph.control_outputs]
    products = [op for op in counting.operations_behind(roots) if op.type in counting.MULTIPLY_ADDS]
    compiled = function.function_def.attr["_XlaMustCompile"].b
    if compiled or not products or len(products) != of(graph).operations:
        return None
    definition = graph.as_graph_def()
    holes = [tensor.name for tensor in graph.inputs]
    fed = [*tf.nest.flatten(batch), *(outside for outside, _ in graph.captures)]
    for op in products:
        again = definition.node.add()
        again.CopyFrom(op.node_def)
        again.name = op.name + AGAIN
        real = [place for place, tensor in enumerate(op.inputs) if tensor.dtype.is_floating]
        if not real:
            return None
        place = min(real, key=lambda place: op.inputs[place].shape.num_elements())
        again.input[place] = f"{again.name}_on"
        _hole(definition, again.input[place], op.inputs[place])
        holes.append(f"{again.input[place]}:0")
        fed.append(_random(op.inputs[place]))
    results = [tensor.name for tensor in graph.outputs]
    copies = [f"{op.name}{AGAIN}:0" for op in products]
    effects = [op.name for op in graph.control_outputs]

    def step() -> Any:
        capture = tf.compat.v1.get_default_graph().capture
        found = tf.graph_util.import_graph_def(
            definition,
            input_map=dict(zip(holes, map(capture, fed), strict=True)),
            return_elements=results + copies + effects,
            name="",
        )
        made, again = found[: len(results)], found[len(results) : len(results) + len(copies)]
        with tf.control_dependencies(found[len(results) + len(copies) :]):
            return [*map(tf.identity, made), _one_of_each(again)]

    call: Callable[[], Any] = tf.function(step, autograph=False)
    return call


def _all_operations(graph: Any) -> Iterator[Any]:
    """Those that run: what no output and no effect needs, TensorFlow leaves out."""
    roots = [*(tensor.op for tensor in graph.outputs), *graph.control_outputs]
    for op in counting.operations_behind(roots):
        yield op
        if _calls(op):
            yield from _all_operations(counting.body(graph, op))


def _calls(op: Any) -> bool:
    return op.type in ("PartitionedCall", "StatefulPartitionedCall")


def _replay(products: list[Any]) -> Callable[[], Any]:
    """A function of these operations alone, fed with random tensors.

    It outputs one number that needs all results: fetching them whole would add the cost of fresh
    memory and of copies, which was as much again as the products themselves.
    """
    definition = tf.compat.v1.GraphDef(versions=products[0].graph.as_graph_def().versions)
    feeds, tensors, fetches = [], [], []
    for number, op in enumerate(products):
        node = definition.node.add()
        node.CopyFrom(op.node_def)
        node.name = f"product_{number}"
        node.device = ""
        del node.input[:]
        for place, source in enumerate(op.inputs):
            name = f"input_{number}_{place}"
            node.input.append(name)
            constant = _sizes(op, source)
            if constant is not None:
                kept = definition.node.add(name=name, op="Const")
                kept.attr["dtype"].type = source.dtype.as_datatype_enum
                kept.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(constant))
                continue
            _hole(definition, name, source)
            feeds.append(f"{name}:0")
            # Each product has tensors of its own, or TensorFlow would merge equal ones into one.
            tensors.append(_random(source))
        fetches.append(f"product_{number}:0")

    def imported() -> Any:
        results = tf.graph_util.import_graph_def(definition, name="", return_elements=fetches)
        return _one_of_each(results)

    wrapped = tf.compat.v1.wrap_function(imported, [])
    run = wrapped.prune(
        [wrapped.graph.as_graph_element(name) for name in feeds], wrapped.graph.outputs[0]
    )
    # Called from Python, a pruned function took ten times as long as the same inside a tf.function.
    call: Callable[[], Any] = tf.function(lambda: run(*tensors), autograph=False)
    return call


def _hole(definition: Any, name: str, like: Any) -> None:
    """Add a place for a tensor of this dtype and shape."""
    hole = definition.node.add(name=name, op="Placeholder")
    hole.attr["dtype"].type = like.dtype.as_datatype_enum
    hole.attr["shape"].shape.CopyFrom(like.shape.as_proto())


def _random(like: Any) -> Any:
    return tf.cast(tf.random.uniform(like.shape), like.dtype)


def _one_of_each(results: list[Any]) -> Any:
    """A number that needs all of these tensors."""
    return tf.add_n([tf.cast(tf.reshape(r, [-1])[0], tf.float32) for r in results])


def _sizes(op: Any, source: Any) -> Any:
    """The shape that a convolution's gradient is given; None for other inputs.

    Random numbers in its place would make an empty result.
    """
    if "Backprop" not in op.type or source.dtype not in (tf.int32, tf.int64):
        return None
    return np.array(counting.shape_of(op.outputs[0]), source.dtype.as_numpy_dtype)
