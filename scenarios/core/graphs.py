"""Proofs that hold for any tf.function: how often it was traced, and what XLA compiled of it."""

from __future__ import annotations

from typing import Any

from bench.results.errors import NotEngaged


def traced_once(step: Any) -> dict[str, Any]:
    """Proof that a tf.function was traced, and only once.

    Raises:
        NotEngaged: It ran eagerly or was traced again.
    """
    traces = step.experimental_get_tracing_count()
    if traces != 1:
        raise NotEngaged(f"tf.function was traced {traces} times, not once")
    return {"traces": traces}


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
