"""The same loop on Keras 2 and on Keras 3."""

from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.engagement import keras_version
from scenarios.core.loops import compiled_step
from scenarios.core.same_work import first_losses, without_dropout
from scenarios.core.training import traced_once


def plain_loop(workload: Workload, version: int) -> TrainingPath:
    """The compiled step; compared losses are without dropout, whose masks each version draws."""
    model = workload.model()
    step = compiled_step(workload, model, workload.optimizer(model))

    def losses(count):
        model = without_dropout(workload.model())
        return first_losses(
            compiled_step(workload, model, workload.optimizer(model)), workload, count
        )

    return TrainingPath(
        model,
        step,
        workload.spec.batch,
        batches=workload.batches(),
        losses=losses,
        proof=lambda: traced_once(step) | keras_version(model, version),
    )


@scenario(suite="full")
def keras3(workload: Workload) -> TrainingPath:
    """The compiled step with a model and optimizer of Keras 3."""
    return plain_loop(workload, version=3)


@scenario(baseline="train/keras3", keras=2, follows="float32", suite="full")
def keras2(workload: Workload) -> TrainingPath:
    """The compiled step with a model and optimizer of Keras 2 (tf_keras)."""
    return plain_loop(workload, version=2)
