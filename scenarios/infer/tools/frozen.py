"""Graphs whose variables are constants: one file, run without variables or the model's code."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bench.results.errors import NotEngaged, Unsupported
from scenarios.infer.tools.refusing import first_sentence


def freeze(function: Any, path: Path) -> None:
    """Write the graph of a concrete function with all that it captures as constants.

    Raises:
        Unsupported: It holds something else than variables and arrays, a look-up table say.
    """
    try:
        constant = convert_variables_to_constants_v2(function)
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise Unsupported(
            f"the graph cannot be frozen: {first_sentence(error)}; infer/savedmodel keeps its state"
        ) from None
    if any(tensor.dtype == tf.resource for tensor in constant.inputs):
        raise Unsupported(
            "the graph reads a look-up table, which cannot become a constant: look words up before "
            "the model; infer/savedmodel keeps the table"
        )
    graph = constant.graph.as_graph_def()
    _set_arrays(graph, {inner.op.name: array for array, inner in arrays_captured(function)})
    path.write_bytes(graph.SerializeToString())


def arrays_captured(function: Any) -> list[tuple[Any, Any]]:
    """Arrays that a concrete function reads from outside, with the tensors they are inside.

    The statistics of a Normalization are such: no variables, and so no constants when frozen.
    """
    return [
        (outside, inside)
        for outside, inside in function.graph.captures
        if outside.dtype not in (tf.resource, tf.variant)
    ]


def without_captures(function: Any, specs: Sequence[Any], outputs: Sequence[str]) -> Any:
    """The same as a tf.function of the specs that reads nothing from outside.

    Args:
        function: Concrete.
        specs: Of its inputs.
        outputs: Names in the order of the alphabet.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frozen.pb"
        freeze(function, file)
        inner = load(file, [spec.name for spec in specs], outputs)
    return tf.function(lambda *tensors: inner(*tensors), input_signature=list(specs))


def _set_arrays(graph: Any, arrays: Mapping[str, Any]) -> None:
    """Put arrays in the place of a graph's inputs of these names."""
    for node in graph.node:
        if node.name in arrays and node.op == "Placeholder":
            array = arrays[node.name].numpy()
            node.op = "Const"
            node.attr.clear()
            node.attr["dtype"].type = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))


def load(file: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Any:
    """The function of a frozen graph's inputs, one after the other.

    Args:
        file: A graph as `freeze` wrote it.
        inputs: Names of their specs.
        outputs: Names in the order of the alphabet, as TensorFlow lays dicts flat.
    """
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())

    def imported() -> None:
        tf.graph_util.import_graph_def(graph, name="")

    wrapped = tf.compat.v1.wrap_function(imported, [])
    inside = wrapped.graph.as_graph_element
    sources = [inside(f"{name}:0") for name in inputs]
    ends = ["Identity", *(f"Identity_{i}" for i in range(1, len(outputs)))]
    targets = {name: inside(f"{end}:0") for name, end in zip(outputs, ends, strict=True)}
    only = next(iter(targets.values())) if len(targets) == 1 else None
    return wrapped.prune(sources, targets if only is None else only)


def only_constants(function: Any) -> dict[str, Any]:
    """Proof that a graph holds its weights as constants.

    Raises:
        NotEngaged: It still reads variables.
    """
    operations = Counter(op.type for op in function.graph.get_operations())
    variables = sum(
        n for name, n in operations.items() if "Variable" in name or "VarHandle" in name
    )
    if variables or function.captured_inputs:
        raise NotEngaged(f"the frozen graph still reads {variables} variables")
    return {"variables": 0, "constants": operations["Const"], "operations": operations.total()}
