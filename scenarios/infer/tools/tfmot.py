"""Pruning and clustering of a trained model by tfmot (Keras 2), and the fine-tuning that follows.

Importing tfmot costs seconds, so only the functions that make a file import it: a launch that
finds the file in the cache does without.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import Unsupported
from scenarios.core import artifacts
from scenarios.core.comparable import all_layers
from scenarios.core.models import rebuild
from scenarios.core.training import train
from scenarios.core.workload import Workload
from scenarios.infer.tools import wrapping
from scenarios.infer.tools.refusing import first_sentence

Learn = Callable[..., Any]
FINE_TUNE_SHARE = 3  # fine-tuning gets a third of the baseline's epochs, on top of them
INITIAL_SPARSITY, FINAL_SPARSITY = 0.5, 0.8  # the reference guide's PolynomialDecay
CLUSTERS = 16


def fine_tune_epochs(workload: Workload) -> int:
    """Epochs of fine-tuning: a third of the baseline's."""
    return math.ceil(workload.epochs / FINE_TUNE_SHARE)


def extra_training(workload: Workload, times: int = 1) -> dict[str, Any]:
    """How much longer than its baseline a model that was just fine-tuned `times` times trained."""
    made = workload.trainings[-times:]
    share = sum(each.updates / each.wanted for each in made) if made else float(times)
    epochs = share * fine_tune_epochs(workload)
    return {
        "epochs": workload.epochs if workload.learns else 0,
        "extra_epochs": round(epochs) if epochs == round(epochs) else round(epochs, 2),
        "extra_updates": sum(each.updates for each in made),
    }


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
        learn: Fine-tunes: `learn(workload, model, callbacks=[...], plan=...)`; it tells the plan
            how many updates there will be.
        **options: Of `prune_low_magnitude`: `block_size`, `pruning_policy`, ...
    """
    import tensorflow_model_optimization as tfmot

    schedule = tfmot.sparsity.keras.PolynomialDecay(
        initial_sparsity=INITIAL_SPARSITY if final > INITIAL_SPARSITY else 0.0,
        final_sparsity=final,
        begin_step=0,
        end_step=1,
    )

    def plan(updates: int) -> None:
        schedule.end_step = max(1, updates // 2)  # the other half, and of the rate, recover
        schedule.frequency = max(1, updates // 50)  # the default, 100, skips a short schedule's end

    return pruned_by(workload, model, learn, plan, pruning_schedule=schedule, **options)


def pruned_by(
    workload: Workload,
    model: Any,
    learn: Learn,
    plan: Callable[[int], None] | None = None,
    **options: Any,
) -> Any:
    """The model wrapped by `prune_low_magnitude(**options)`, fine-tuned, and unwrapped.

    `plan` gets the number of updates before they are made.
    """
    import tensorflow_model_optimization as tfmot

    def prune_low_magnitude(whole: Any) -> Any:
        wrap = tfmot.sparsity.keras.prune_low_magnitude
        if "pruning_policy" in options:  # it chooses the layers
            return wrap(whole, **options)
        return wrapping.wrapped(
            whole, lambda layer: wrap(layer, **options), wrapping.known_to_pruning
        )

    wrapped = taken(prune_low_magnitude, model)
    learn(workload, wrapped, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()], plan=plan)
    return tfmot.sparsity.keras.strip_pruning(wrapped)


def cluster(workload: Workload, model: Any, preserve_sparsity: bool = False) -> Any:
    """The model with at most 16 distinct values in each kernel; zeros may be kept."""
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.clustering.keras.experimental import (
        cluster as experimental,
    )

    options = {
        "cluster_centroids_init": tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
        "preserve_sparsity": preserve_sparsity,
    }
    frozen = {layer.name for layer in all_layers(model) if not layer.trainable}
    _set_trainable(model, frozen, True)  # tfmot finds no weights in frozen layers

    def cluster_weights(whole: Any) -> Any:
        return wrapping.wrapped(
            whole,
            lambda layer: experimental.cluster_weights(
                layer, number_of_clusters=clusters_of(layer, preserve_sparsity), **options
            ),
            wrapping.known_to_clustering,
        )

    wrapped = taken(cluster_weights, model)
    _set_trainable(wrapped, frozen, False)
    fine_tune(workload, wrapped)
    clustered = taken(tfmot.clustering.keras.strip_clustering, wrapped)
    _set_trainable(clustered, frozen, False)
    return clustered


def clusters_of(layer: Any, preserve_sparsity: bool = False) -> int:
    """Values that a layer's kernels are clustered to: no more than they have to choose from.

    Where zeros are kept they are one of the values, and the others are found among the rest.
    """
    kernels = [array for array in layer.get_weights() if array.ndim > 1]
    if preserve_sparsity:
        choice = [1 + int(np.count_nonzero(kernel)) for kernel in kernels]
    else:
        choice = [kernel.size for kernel in kernels]
    return max(2, min([CLUSTERS, *choice]))


def _set_trainable(model: Any, names: set[str], trainable: bool) -> None:
    """Freeze or free the layers of these names, wrapped or not."""
    for layer in all_layers(model):
        if layer.name.removeprefix("cluster_") in names:
            layer.trainable = trainable


def taken(function: Callable[[Any], Any], model: Any) -> Any:
    """What one of tfmot's functions makes of the model.

    Raises:
        Unsupported: It cannot take this model.
    """
    good, why_not = rebuild.copyable(model)
    if not good:
        raise Unsupported(f"tfmot copies the model: {why_not}")
    inner = next((layer for layer in model.layers if hasattr(layer, "layers")), None)
    try:
        return function(model)
    except (ValueError, RuntimeError, TypeError, AttributeError, NotImplementedError) as error:
        if inner is not None and "quantize" in getattr(function, "__name__", ""):
            raise Unsupported(
                f"tfmot cannot quantize the model {inner.name!r} inside model {model.name!r}: put "
                f"the head on {inner.name}.output, so that it is one model"
            ) from None
        raise Unsupported(
            f"tfmot cannot take model {model.name!r}: {first_sentence(error)}; it takes functional "
            "and Sequential models of Keras's own layers"
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
