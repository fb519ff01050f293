"""Ways to run the trained Keras model."""

import tensorflow as tf

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.quality import in_blocks
from scenarios.core.training import traced_once


@scenario(baseline="infer/function", follows="float32")
def eager(workload: Workload) -> InferencePath:
    """The Keras model called eagerly."""
    model = workload.trained_model()
    return InferencePath(
        infer=lambda x: model(x, training=False),
        inputs=[tf.constant(x) for x in workload.inputs(batch=1)],
        examples=1,
        predict=lambda x: in_blocks(lambda block: model(block, training=False), x, batch=128),
        model=model,
    )


@scenario()
def function(workload: Workload) -> InferencePath:
    """The Keras model in a tf.function with a fixed input signature."""
    model = workload.trained_model()

    @tf.function(input_signature=[tf.TensorSpec([1, *workload.data.input_shape], tf.float32)])
    def infer(x):
        return model(x, training=False)

    return InferencePath(
        infer=infer,
        inputs=[tf.constant(x) for x in workload.inputs(batch=1)],
        examples=1,
        predict=lambda x: in_blocks(infer, x, batch=1),
        model=model,
        artifact=workload.artifact("saved_model", lambda path: model.export(path, verbose=False)),
        proof=lambda: traced_once(infer),
    )
