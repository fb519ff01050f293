"""The same loop on Keras 2 and on Keras 3."""

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once
from scenarios.core.models import keras_models
from scenarios.core.training import compiled_step


def plain_loop(workload: Workload, version: int) -> TrainingPath:
    """The compiled step of either version."""
    model = workload.model()
    step = compiled_step(workload, model, workload.optimizer(model))

    return TrainingPath(
        model,
        step,
        workload.batch_size,
        batches=workload.batches(),
        proof=lambda: traced_once(step) | keras_version(model, version),
    )


@scenario(needs=("keras:3", "trainable"), suite="full")
def keras3(workload: Workload) -> TrainingPath:
    """The compiled step with a model and optimizer of Keras 3."""
    return plain_loop(workload, version=3)


@scenario(
    baseline="train/keras3",
    needs=("model:copyable", "trainable"),
    keras=2,
    follows="float32",
    suite="full",
)
def keras2(workload: Workload) -> TrainingPath:
    """The compiled step with a model and optimizer of Keras 2 (tf_keras)."""
    return plain_loop(workload, version=2)


def keras_version(model, version: int) -> dict[str, object]:
    """Proof that a model belongs to Keras 2 (tf_keras) or 3.

    Raises:
        NotEngaged: It belongs to the other.
    """
    found = keras_models.version(model)  # of a subclass too, whose module is its user's
    if found != version:
        raise NotEngaged(f"the model is of Keras {found}, not of Keras {version}")
    return {"keras": version, "package": {2: "tf_keras", 3: "keras"}[version]}
