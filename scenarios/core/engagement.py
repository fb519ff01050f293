"""Proofs that a training technique took effect; each raises NotEngaged where it did not."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

from bench.results.errors import NotEngaged
from scenarios.core.graphs import compiled_by_xla
from scenarios.core.training import traced_once

XLA_LAUNCHES = ("XlaLaunch", "XlaLaunchV2", "_XlaCompile")


def compiled_step_facts(step: Any, batch: Sequence[Any]) -> dict[str, Any]:
    """Proof that a step traced once is compiled by XLA as a whole."""
    return traced_once(step) | compiled_by_xla(step, *batch)


def auto_clusters(step: Any, batch: Sequence[Any]) -> dict[str, Any]:
    """Proof that TensorFlow's automatic clustering gave parts of `step` to XLA.

    The graphs that really run are collected while the step runs inside a new function; that
    makes one more update.

    Raises:
        NotEngaged: No cluster was made.
    """
    traces = traced_once(step)
    clusters = Counter(op for op in run_operations(step, batch) if op in XLA_LAUNCHES)
    if not clusters:
        raise NotEngaged(
            "automatic clustering made no XLA cluster; on a CPU it needs "
            "TF_XLA_FLAGS=--tf_xla_cpu_global_jit before TensorFlow is imported"
        )
    return traces | {"xla_clusters": sum(clusters.values())}


def run_operations(step: Any, batch: Sequence[Any]) -> Iterator[str]:
    """Operations in the optimized graphs of `step`, called once more with `batch`."""
    context.enable_run_metadata()
    try:
        tf.function(lambda *inputs: step(*inputs))(*batch)
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    for graphs in metadata.function_graphs:
        for graph in graphs.partition_graphs:
            yield from (node.op for node in graph.node)
            for function in graph.library.function:
                yield from (node.op for node in function.node_def)


def fit_function(model: Any) -> Any:
    """The tf.function that Keras 3's `fit` made of a compiled model's step.

    Raises:
        NotEngaged: `fit` runs eagerly.
    """
    inner = inspect.getclosurevars(model.train_function).nonlocals.get("multi_step_on_iterator")
    if not hasattr(inner, "experimental_get_tracing_count"):
        raise NotEngaged("fit runs its step eagerly")
    return inner


def compiled_in_fit(model: Any) -> dict[str, Any]:
    """Proof that XLA compiles the step inside Keras 3's `fit`.

    Raises:
        NotEngaged: No function in the graph of `fit` must be compiled.
    """
    concrete = fit_function(model)._list_all_concrete_functions()
    must = [
        function.signature.name
        for each in concrete
        for function in each.graph.as_graph_def().library.function
        if function.attr["_XlaMustCompile"].b
    ]
    if not must:
        raise NotEngaged("fit's step is not compiled by XLA")
    return {"xla_functions": len(must), "traces": len(concrete)}


def dtypes(model: Any, compute: str, variables: str = "float32") -> dict[str, Any]:
    """Proof of the precision that layers compute in and variables are kept in.

    Raises:
        NotEngaged: A layer with weights computes in, or keeps them in, another.
    """
    layers = [layer for layer in model.layers if layer.weights]
    computing = Counter(str(layer.compute_dtype) for layer in layers)
    keeping = Counter(tf.as_dtype(weight.dtype).name for weight in model.trainable_variables)
    if set(keeping) != {variables} or computing[compute] == 0:
        raise NotEngaged(f"layers compute in {dict(computing)} on variables of {dict(keeping)}")
    return {
        "compute_dtypes": dict(computing),
        "variable_dtypes": dict(keeping),
        "output_dtype": tf.as_dtype(model.output.dtype).name,
    }


def updates_of(optimizer: Any, step: Any, batch: Sequence[Any], expected: int) -> dict[str, Any]:
    """Proof that one step makes `expected` optimizer updates.

    Raises:
        NotEngaged: It makes more or fewer.
    """
    before = int(optimizer.iterations.numpy())
    step(*batch)
    made = int(optimizer.iterations.numpy()) - before
    if made != expected:
        raise NotEngaged(f"a step makes {made} optimizer updates, not {expected}")
    return {"updates_per_step": made}


def keras_version(model: Any, version: int) -> dict[str, Any]:
    """Proof that a model belongs to Keras 2 (tf_keras) or 3.

    Raises:
        NotEngaged: It belongs to the other.
    """
    package = type(model).__module__.partition(".")[0]
    if package != {2: "tf_keras", 3: "keras"}[version]:
        raise NotEngaged(f"the model is of {package}, not of Keras {version}")
    return {"keras": version, "package": package}
