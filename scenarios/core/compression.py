"""Pruning, clustering and quantization-aware training of the trained model by tfmot (Keras 2).

Importing tfmot costs seconds, so only the functions that make a file import it: a launch that
finds the file in the cache does without.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged, Unsupported
from scenarios.core import artifacts
from scenarios.core.tflite import enough_zeros
from scenarios.core.training import train
from scenarios.core.workload import Workload

Learn = Callable[..., Any]
FINE_TUNE_SHARE = 3  # fine-tuning gets a third of the baseline's epochs, on top of them
INITIAL_SPARSITY, FINAL_SPARSITY = 0.5, 0.8  # the document's PolynomialDecay
CLUSTERS = 16


def fine_tune_epochs(workload: Workload) -> int:
    """Epochs of fine-tuning: a third of the baseline's."""
    return math.ceil(workload.epochs / FINE_TUNE_SHARE)


def extra_training(workload: Workload, times: int = 1) -> dict[str, Any]:
    """How much longer than its baseline a model fine-tuned `times` times was trained."""
    return {"epochs": workload.epochs, "extra_epochs": times * fine_tune_epochs(workload)}


def fine_tune(workload: Workload, model: Any, **fit: Any) -> Any:
    """Train `model` on for a third of the baseline's epochs, from its first rate to 0."""
    train(workload, model, fine_tune_epochs(workload), **fit)
    return model


def prune(
    workload: Workload,
    model: Any,
    final: float = FINAL_SPARSITY,
    learn: Learn = fine_tune,
    **options: Any,
) -> Any:
    """The model pruned from 50 % (from 0, for less) to `final` in the first half of fine-tuning.

    Args:
        workload: Its data and loss.
        model: A trained model.
        final: Share of each kernel's values that are zero in the end.
        learn: Fine-tunes: `learn(workload, model, callbacks=[...])`.
        **options: Of `prune_low_magnitude`: `block_size`, `pruning_policy`, ...
    """
    import tensorflow_model_optimization as tfmot

    updates = fine_tune_epochs(workload) * math.ceil(
        len(workload.data.x_train) / min(workload.spec.batch, len(workload.data.x_train))
    )
    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=INITIAL_SPARSITY if final > INITIAL_SPARSITY else 0.0,
        final_sparsity=final,
        begin_step=0,
        end_step=max(1, updates // 2),  # the other half of the updates, and of the rate, recover
        frequency=max(1, updates // 50),  # the default, 100, skips a short schedule's end
    )
    return _pruned(workload, model, learn, pruning_schedule=schedule, **options)


def prune_2_4(workload: Workload, model: Any) -> Any:
    """The model with two of every four values along a kernel's input channels at zero."""
    import tensorflow_model_optimization as tfmot

    schedule = tfmot.sparsity.keras.ConstantSparsity(0.5, begin_step=0, frequency=10)
    return _pruned(workload, model, fine_tune, pruning_schedule=schedule, sparsity_m_by_n=(2, 4))


def _pruned(workload: Workload, model: Any, learn: Learn, **options: Any) -> Any:
    import tensorflow_model_optimization as tfmot

    wrapped = _taken(tfmot.sparsity.keras.prune_low_magnitude, model, **options)
    learn(workload, wrapped, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()])
    return tfmot.sparsity.keras.strip_pruning(wrapped)


def cluster(workload: Workload, model: Any, preserve_sparsity: bool = False) -> Any:
    """The model with at most 16 distinct values in each kernel; zeros may be kept."""
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import (
        cluster as experimental,
    )

    options = {
        "number_of_clusters": CLUSTERS,
        "cluster_centroids_init": tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
        "preserve_sparsity": preserve_sparsity,
    }
    wrapped = _taken(experimental.cluster_weights, model, **options)
    fine_tune(workload, wrapped)
    return tfmot.clustering.keras.strip_clustering(wrapped)


def quantize_aware(workload: Workload, model: Any, scheme: str = "") -> Any:
    """The model fine-tuned with simulated 8-bit arithmetic.

    Args:
        workload: Its data and loss.
        model: A trained model.
        scheme: What it must preserve: `prune`, `cluster`, `cluster+prune`, or nothing.
    """
    import tensorflow_model_optimization as tfmot

    quantization = tfmot.quantization.keras
    combine = tfmot.experimental.combine
    if scheme:
        annotated = _taken(quantization.quantize_annotate_model, model)
        preserving = {
            "prune": combine.Default8BitPrunePreserveQuantizeScheme,
            "cluster": combine.Default8BitClusterPreserveQuantizeScheme,
            "cluster+prune": lambda: combine.Default8BitClusterPreserveQuantizeScheme(
                preserve_sparsity=True
            ),
        }[scheme]()
        aware = _taken(quantization.quantize_apply, annotated, scheme=preserving)
    else:
        aware = _taken(quantization.quantize_model, model)
    return fine_tune(workload, aware)


def _taken(function: Callable[..., Any], model: Any, **options: Any) -> Any:
    try:
        return function(model, **options)
    except (ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise Unsupported(
            f"tfmot cannot take model {model.name!r}: {reason}; it takes functional and "
            "Sequential models of Keras's own layers"
        ) from None


# --- models kept in the cache ---------------------------------------------------------------------


def changed_model(workload: Workload, name: str, change: Callable[[Workload, Any], Any]) -> Any:
    """The trained model with the weights that `change(workload, model)` gave it, made once.

    `name` names the weights in the cache and must be used for one change only.
    """

    def make(path: Path) -> None:
        artifacts.save_weights(change(workload, workload.trained_model()), path)

    weights = workload.artifact(f"{name}.npz", make)
    model = workload.trained_model()
    artifacts.load_weights(model, weights)
    return model


def pruned_model(workload: Workload) -> Any:
    """The trained model pruned to 80 % and fine-tuned."""
    return changed_model(workload, "pruned", prune)


def clustered_model(workload: Workload) -> Any:
    """The trained model clustered to 16 values a kernel and fine-tuned."""
    return changed_model(workload, "clustered", cluster)


# --- proofs on an exported SavedModel's stored weights --------------------------------------------


def stored_kernels(saved_model: Path) -> dict[str, np.ndarray]:
    """The kernels (two or more axes) in a SavedModel's variables, read from the stored file.

    Depthwise kernels, [H, W, C, 1], are left out: tfmot neither prunes nor clusters them.
    """
    reader = tf.train.load_checkpoint(str(saved_model / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name) for name, shape in sorted(shapes.items()) if len(shape) > 1
    }


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


def distinct_values(saved_model: Path, at_most: int = CLUSTERS) -> dict[str, Any]:
    """The most distinct values in any stored kernel.

    Raises:
        NotEngaged: More than `at_most`.
    """
    most = max(np.unique(kernel).size for kernel in stored_kernels(saved_model).values())
    if most > at_most:
        raise NotEngaged(f"a kernel holds {most} distinct values, at most {at_most} were asked for")
    return {"distinct_values_a_kernel": most}
