"""Reading and storing TensorFlow graphs: what XLA compiled, and graphs with frozen variables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bench.results.errors import NotEngaged


def compiled_by_xla(function: Any, *inputs: Any) -> dict[str, Any]:
    """What XLA made of a tf.function called with `inputs`.

    Returns:
        The number of clusters, and of fusions and library calls in the optimized program.

    Raises:
        NotEngaged: The function is not compiled as a whole.
    """
    concrete = function.get_concrete_function(*inputs)
    if not concrete.function_def.attr["_XlaMustCompile"].b:
        raise NotEngaged("the tf.function does not ask for XLA (jit_compile=True)")
    program = function.experimental_get_compiler_ir(*inputs)(stage="optimized_hlo")
    return {
        "xla_clusters": program.count("\nENTRY "),
        "xla_fusions": program.count(" fusion("),
        "xla_library_calls": program.count(" custom-call("),
    }


def freeze(function: Any, file: Path) -> None:
    """Write a tf.function of one fixed signature to `file`, its variables turned to constants."""
    frozen = convert_variables_to_constants_v2(function.get_concrete_function())
    file.write_bytes(frozen.graph.as_graph_def().SerializeToString())


def load_frozen(file: Path, source: str, target: str = "Identity:0") -> Any:
    """The function from tensor `source` to tensor `target` of a frozen graph."""
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())

    def imported() -> None:
        tf.graph_util.import_graph_def(graph, name="")

    wrapped = tf.compat.v1.wrap_function(imported, [])
    inside = wrapped.graph.as_graph_element
    return wrapped.prune(inside(source), inside(target))


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
