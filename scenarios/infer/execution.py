"""Ways to run the trained network with TensorFlow."""

from pathlib import Path

import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.data import nests
from scenarios.core.feeding import need_range
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.core.models import keras_models
from scenarios.infer.tools import frozen as frozen_graphs
from scenarios.infer.tools import precision
from scenarios.infer.tools.checking import follows_network
from scenarios.infer.tools.deploy import (
    by_name,
    exported,
    graph_path,
    saved_model,
    serving,
    trained_network,
)
from scenarios.infer.tools.refusing import refused_by_xla


@scenario(baseline="infer/function", needs=("model:keras",), follows="float32")
def eager(workload: Workload) -> InferencePath:
    """The Keras model called eagerly."""
    network, model = trained_network(workload)
    return graph_path(workload, network, block=128, model=model)


@scenario(baseline="infer/function", needs=("model:keras",), follows="float32")
def predict(workload: Workload) -> InferencePath:
    """Keras's own `model.predict`, made for whole data sets."""
    model = workload.trained_model()
    one, block = workload.batch_of(1), workload.batch_of(128)
    structure = keras_models.structure(model)

    def given(x):  # strings as tensors: Keras takes no arrays of them
        text = any(nests.is_text(array) for array in nests.arrays(x))
        return keras_models.fed(structure, nests.mapped(tf.constant, x) if text else x)

    def answered(x):
        found = model.predict(given(x), batch_size=block, verbose=0)
        return keras_models.named(model, found)

    return InferencePath(
        infer=lambda x: model.predict(x, batch_size=one, verbose=0),
        inputs=[given(x) for x in workload.inputs(one)],
        examples=one,
        predict=answered,
        model=model,
    )


@scenario(
    needs=("model:graph",),
    variants={
        "": {},
        "b8": {"batch": 8, "scenario": {"suite": "full", "needs": ("model:graph", "batch:free")}},
        "b32": {"batch": 32, "scenario": {"suite": "full", "needs": ("model:graph", "batch:free")}},
        "b256": {
            "batch": 256, "scenario": {"suite": "full", "needs": ("model:graph", "batch:free")},
        },
    },
)  # fmt: skip
def function(workload: Workload, batch: int = 1) -> InferencePath:
    """The trained network in a tf.function with a fixed input signature."""
    network, model = trained_network(workload)

    @tf.function(input_signature=[workload.signature(workload.batch_of(batch))])
    def infer(x):
        return network(x)

    saved = saved_model(workload, model)
    return graph_path(
        workload, infer, batch, model=model, artifact=saved, proof=lambda: traced_once(infer)
    )


@scenario(
    baseline="infer/function",
    needs=("model:graph",),
    follows="float32",
    variants={
        "": {},
        "b32": {"batch": 32, "scenario": {"suite": "full", "needs": ("model:graph", "batch:free")}},
    },
)
def xla(workload: Workload, batch: int = 1) -> InferencePath:
    """The tf.function compiled by XLA (`jit_compile=True`)."""
    network, model = trained_network(workload)

    @tf.function(
        input_signature=[workload.signature(workload.batch_of(batch))],
        jit_compile=True,
    )
    def infer(x):
        return network(x)

    def proof():
        return compiled_by_xla(infer, path.inputs[0])

    path = graph_path(workload, infer, batch, model=model, proof=proof, refused=refused_by_xla)
    return path


@scenario(baseline="infer/function", needs=("model:graph",), follows="float32")
def savedmodel(workload: Workload) -> InferencePath:
    """The exported SavedModel, loaded back without the code of the model."""

    folder = exported(workload, "exported")
    loaded = tf.saved_model.load(folder)

    def proof():
        if isinstance(loaded, tf.keras.Model):
            raise NotEngaged("the loaded object is a Keras model, made by the model's code")
        return {"loaded_as": type(loaded).__name__, "signatures": sorted(loaded.signatures)}

    infer = by_name(workload, loaded.serve)
    return graph_path(workload, infer, block=128, artifact=folder, proof=proof)


@scenario(baseline="infer/function", needs=("model:graph",), follows="float32")
def frozen(workload: Workload) -> InferencePath:
    """The graph with its variables frozen to constants."""

    def convert(path: Path) -> None:
        frozen_graphs.freeze(serving(workload, batch=workload.facts.fixed_batch), path)

    file = workload.artifact("frozen.pb", convert)
    names = [spec.name for spec in nests.named(workload.signature()).values()]
    infer = frozen_graphs.load(file, names, workload.output_names)
    path = graph_path(workload, by_name(workload, infer), block=128, artifact=file)

    def proof():
        return frozen_graphs.only_constants(infer) | follows_network(
            workload, path.predict, "float32"
        )

    path.proof = proof
    return path


@scenario(baseline="infer/function", needs=("model:keras",), follows="float16")
def mixed_float16(workload: Workload) -> InferencePath:
    """Keras's `mixed_float16` policy: arithmetic in float16, weights kept in float32."""
    return _in_policy(workload, "mixed_float16")


@scenario(baseline="infer/function", needs=("model:keras",), follows="bfloat16")
def bfloat16(workload: Workload) -> InferencePath:
    """Keras's `bfloat16` policy: arithmetic and weights in bfloat16."""
    return _in_policy(workload, "bfloat16")


def _in_policy(workload: Workload, policy: str) -> InferencePath:
    tf.keras.mixed_precision.set_global_policy(policy)
    compute = tf.keras.mixed_precision.global_policy().compute_dtype
    need_range(workload.data.test.inputs, compute)
    model = precision.in_policy(workload.trained_model, policy)
    network = workload.network(model)

    @tf.function(input_signature=[workload.signature(workload.batch_of())])
    def infer(x):
        return nests.mapped(lambda output: tf.cast(output, tf.float32), network(x))

    def proof():
        return precision.products_in(infer.get_concrete_function(), compute)

    precision.need_products(infer.get_concrete_function(), compute)
    saved = exported(workload, f"{policy}_model", lambda: model)
    return graph_path(workload, infer, model=model, artifact=saved, proof=proof)
