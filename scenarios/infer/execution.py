"""Ways to run the trained Keras model with TensorFlow."""

from collections import Counter
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.core.quality import in_blocks
from scenarios.infer.tools.deploy import exported, graph_path


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


@scenario(baseline="infer/function", follows="float32")
def predict(workload: Workload) -> InferencePath:
    """Keras's own `model.predict`, made for whole data sets."""
    model = workload.trained_model()
    return InferencePath(
        infer=lambda x: model.predict(x, batch_size=1, verbose=0),
        inputs=workload.inputs(batch=1),
        examples=1,
        predict=lambda x: model.predict(x, batch_size=128, verbose=0),
        model=model,
    )


@scenario(
    variants={
        "": {},
        "b8": {"batch": 8, "scenario": {"suite": "full"}},
        "b32": {"batch": 32, "scenario": {"suite": "full"}},
        "b256": {"batch": 256, "scenario": {"suite": "full"}},
    }
)
def function(workload: Workload, batch: int = 1) -> InferencePath:
    """The Keras model in a tf.function with a fixed input signature."""
    model = workload.trained_model()

    @tf.function(input_signature=[tf.TensorSpec([batch, *workload.data.input_shape], tf.float32)])
    def infer(x):
        return model(x, training=False)

    saved = exported(workload, "saved_model", lambda: model)
    return graph_path(
        workload, infer, batch, model=model, artifact=saved, proof=lambda: traced_once(infer)
    )


@scenario(
    baseline="infer/function",
    follows="float32",
    variants={"": {}, "b32": {"batch": 32, "scenario": {"suite": "full"}}},
)
def xla(workload: Workload, batch: int = 1) -> InferencePath:
    """The tf.function compiled by XLA (`jit_compile=True`)."""
    model = workload.trained_model()

    @tf.function(
        input_signature=[tf.TensorSpec([batch, *workload.data.input_shape], tf.float32)],
        jit_compile=True,
    )
    def infer(x):
        return model(x, training=False)

    def proof():
        return compiled_by_xla(infer, tf.constant(workload.inputs(batch)[0]))

    return graph_path(workload, infer, batch, model=model, proof=proof)


@scenario(baseline="infer/function", follows="float32")
def savedmodel(workload: Workload) -> InferencePath:
    """The exported SavedModel, loaded back without the code of the model."""

    folder = exported(workload, "exported", workload.trained_model)
    loaded = tf.saved_model.load(folder)

    def proof():
        if isinstance(loaded, tf.keras.Model):
            raise NotEngaged("the loaded object is a Keras model, made by the model's code")
        return {"loaded_as": type(loaded).__name__, "signatures": sorted(loaded.signatures)}

    return InferencePath(
        infer=loaded.serve,
        inputs=[tf.constant(x) for x in workload.inputs(batch=1)],
        examples=1,
        predict=lambda x: in_blocks(loaded.serve, x, batch=128),
        artifact=folder,
        proof=proof,
    )


@scenario(baseline="infer/function", follows="float32")
def frozen(workload: Workload) -> InferencePath:
    """The graph with its variables frozen to constants."""

    def convert(path: Path) -> None:
        model = workload.trained_model()

        @tf.function(input_signature=[tf.TensorSpec([None, *workload.data.input_shape])])
        def infer(image):
            return model(image, training=False)

        constant = convert_variables_to_constants_v2(infer.get_concrete_function())
        path.write_bytes(constant.graph.as_graph_def().SerializeToString())

    file = workload.artifact("frozen.pb", convert)
    infer = load_frozen(file, source="image:0")
    return InferencePath(
        infer=infer,
        inputs=[tf.constant(x) for x in workload.inputs(batch=1)],
        examples=1,
        predict=lambda x: in_blocks(lambda block: infer(tf.constant(block)), x, batch=128),
        artifact=file,
        proof=lambda: only_constants(infer),
    )


def load_frozen(file: Path, source: str, target: str = "Identity:0"):
    """The function from tensor `source` to tensor `target` of a frozen graph."""
    graph = tf.compat.v1.GraphDef.FromString(file.read_bytes())

    def imported():
        tf.graph_util.import_graph_def(graph, name="")

    wrapped = tf.compat.v1.wrap_function(imported, [])
    inside = wrapped.graph.as_graph_element
    return wrapped.prune(inside(source), inside(target))


def only_constants(function):
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


@scenario(baseline="infer/function", follows="float16")
def mixed_float16(workload: Workload) -> InferencePath:
    """Keras's `mixed_float16` policy: arithmetic in float16, weights kept in float32."""
    return _in_policy(workload, "mixed_float16")


@scenario(baseline="infer/function", follows="bfloat16")
def bfloat16(workload: Workload) -> InferencePath:
    """Keras's `bfloat16` policy: arithmetic and weights in bfloat16."""
    return _in_policy(workload, "bfloat16")


def _in_policy(workload: Workload, policy: str) -> InferencePath:
    tf.keras.mixed_precision.set_global_policy(policy)
    model = workload.trained_model()
    compute = tf.keras.mixed_precision.global_policy().compute_dtype

    @tf.function(input_signature=[tf.TensorSpec([1, *workload.data.input_shape], tf.float32)])
    def infer(x):
        return tf.cast(model(x, training=False), tf.float32)

    def proof():
        arithmetic = [
            op for op in infer.get_concrete_function().graph.get_operations()
            if op.type in ("Conv2D", "DepthwiseConv2dNative", "MatMul")
        ]  # fmt: skip
        lowered = sum(op.outputs[0].dtype.name == compute for op in arithmetic)
        if not lowered:
            raise NotEngaged(f"none of the {len(arithmetic)} products is computed in {compute}")
        return {f"{compute}_products": lowered, "products": len(arithmetic)}

    saved = exported(workload, f"{policy}_model", lambda: model)
    return graph_path(workload, infer, model=model, artifact=saved, proof=proof)
