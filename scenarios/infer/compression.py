"""The trained model pruned or clustered by tfmot, run as before by a tf.function."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.paths import Proof
from scenarios.infer.tools import tfmot as tools
from scenarios.infer.tools.deploy import exported, keras_path
from scenarios.infer.tools.stored import enough_zeros


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization", "model:keras", "model:copyable", "trainable"),
    deployment=("retraining",),
    first=True,
)
def pruned(workload: Workload) -> InferencePath:
    """Magnitude pruning 50 → 80 % (PolynomialDecay), zeros removed from no kernel."""
    model = tools.pruned_model(workload)
    saved = exported(workload, "pruned_model", lambda: model)
    return _path(workload, model, saved, lambda: sparsity(saved, at_least=0.79))


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization", "model:keras", "model:copyable", "trainable"),
    deployment=("retraining",),
    suite="full",
)
def pruned_2_4(workload: Workload) -> InferencePath:
    """Structural pruning: two of every four values along the input channels are zero."""
    model = tools.changed_model(workload, "pruned_2_4", prune_2_4)
    saved = exported(workload, "pruned_2_4_model", lambda: model)
    return _path(workload, model, saved, lambda: two_of_four(saved))


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization", "model:keras", "model:copyable", "trainable"),
    deployment=("retraining",),
    suite="full",
)
def clustered(workload: Workload) -> InferencePath:
    """Weight clustering: 16 distinct values in each kernel."""
    model = tools.clustered_model(workload)
    saved = exported(workload, "clustered_model", lambda: model)
    return _path(workload, model, saved, lambda: distinct_values(saved))


def _path(workload: Workload, model, saved: Path, proof: Proof) -> InferencePath:
    def facts():
        return proof() | tools.extra_training(workload)

    return keras_path(workload, model, artifact=saved, proof=facts)


def prune_2_4(workload: Workload, model: Any) -> Any:
    """The model with two of every four values along a kernel's input channels at zero."""
    import tensorflow_model_optimization as tfmot

    schedule = tfmot.sparsity.keras.ConstantSparsity(0.5, begin_step=0, frequency=10)
    return tools.pruned_by(
        workload, model, tools.fine_tune, pruning_schedule=schedule, sparsity_m_by_n=(2, 4)
    )


# --- proofs on the exported SavedModel's stored weights -------------------------------------------


def stored_kernels(saved_model: Path) -> dict[str, np.ndarray]:
    """The kernels (two or more axes) in a SavedModel's variables, read from the stored file.

    Depthwise kernels are left out: tfmot neither prunes nor clusters them.
    """
    reader = tf.train.load_checkpoint(str(saved_model / "variables" / "variables"))
    stored = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    shapes = reader.get_variable_to_shape_map()
    kept = {
        attribute.checkpoint_key
        for node in stored.nodes
        for attribute in node.attributes
        if "depthwise_kernel" not in attribute.full_name
        and len(shapes[attribute.checkpoint_key]) > 1
    }
    return {key: reader.get_tensor(key) for key in sorted(kept)}


def sparsity(saved_model: Path, at_least: float) -> dict[str, Any]:
    """Share of zeros in a SavedModel's stored kernels.

    Raises:
        NotEngaged: Fewer than `at_least`.
    """
    kernels = stored_kernels(saved_model).values()
    found = sum(int(np.count_nonzero(k == 0)) for k in kernels)
    return enough_zeros(found, sum(k.size for k in kernels), at_least)


def two_of_four(saved_model: Path) -> dict[str, Any]:
    """How many kernels have at most two of any four values along the input channels set.

    Raises:
        NotEngaged: None has, or none of those that it applies to.
    """
    kernels = [k for k in stored_kernels(saved_model).values() if k.shape[-2] % 4 == 0]
    held = 0
    for kernel in kernels:
        groups = np.moveaxis(kernel, -2, -1).reshape(-1, 4)
        held += bool(np.count_nonzero(groups, axis=1).max() <= 2)
    if not held:
        raise NotEngaged(f"none of {len(kernels)} kernels has two zeros in every four values")
    return {"kernels_2_of_4": held, "kernels": len(stored_kernels(saved_model))}


def distinct_values(saved_model: Path, at_most: int = tools.CLUSTERS) -> dict[str, Any]:
    """The most distinct values in any stored kernel, and the weights of all kernels.

    Raises:
        NotEngaged: More than `at_most`.
    """
    kernels = list(stored_kernels(saved_model).values())
    most = max(np.unique(kernel).size for kernel in kernels)
    if most > at_most:
        raise NotEngaged(f"a kernel holds {most} distinct values, at most {at_most} were asked for")
    return {
        "distinct_values_a_kernel": most,
        "kernel_weights": sum(kernel.size for kernel in kernels),
    }
