"""Run in a process with TensorFlow: graphs and models of shapes that tools once took for others.

Prints a JSON object of what each check saw; test_shapes.py judges it. `2` as argument: what needs
Keras 2 (TF_USE_LEGACY_KERAS=1).
"""

import json
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import onnx as reading
import tensorflow as tf

from bench.results.errors import Unsupported, UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import Workload
from scenarios.core.data import Data, Part, nests
from scenarios.core.lookup import split
from scenarios.core.models import keras_models
from scenarios.core.tasks import Compiled, Task, losses
from scenarios.core.training import prepare
from scenarios.infer import combined, execution
from scenarios.infer.tools import onnx, precision, ranges, wrapping
from scenarios.infer.tools import tfmot as tools
from scenarios.train.tools import blocks

KINDS = str(Path(__file__).resolve().with_name("kinds.py"))


def workload(scratch, data, model):
    """Of the functions of kinds.py, trained for an epoch."""
    made = Workload(
        WorkloadSpec(data=f"{KINDS}:{data}", model=f"{KINDS}:{model}", cache=scratch, epochs=1)
    )
    prepare(made)
    return made


def error(found, wanted):
    """The largest difference of two nests, by name."""
    found, wanted = nests.named(found, "output"), nests.named(wanted, "output")
    return max(float(np.abs(np.asarray(found[k]) - wanted[k]).max()) for k in wanted)


def bound(scratch):
    """A frozen graph of two inputs, given in another order than that of the alphabet."""
    made = workload(scratch, "two_data", "two")
    path = execution.frozen(made)
    return {
        "order": list(made.data.test.inputs),
        "error": error(path.predict(made.data.test.inputs), made.reference()),
        "proved": sorted(path.proof()),
    }


def captured(scratch):
    """Statistics of a Normalization, frozen and exported."""
    made = workload(scratch, "wide_data", "normalised")
    path = execution.frozen(made)
    file = onnx.exported(made)
    return {
        "error": error(path.predict(made.data.test.inputs), made.reference()),
        "onnx_inputs": len(reading.load(file).graph.input),
    }


def open_size(scratch):
    """A file that takes inputs of any width by its signature, and of 48 in truth."""
    of, floats = reading.helper, reading.TensorProto.FLOAT
    weights = of.make_tensor("weights", floats, [48, 2], np.ones(96, np.float32))
    ends = [[of.make_tensor_value_info("x", floats, ["n", 3, "height", "width"])],
            [of.make_tensor_value_info("y", floats, ["n", 3, "height", 2])]]  # fmt: skip
    node = of.make_node("MatMul", ["x", "weights"], ["y"])
    graph = of.make_graph([node], "wide", *ends, [weights])
    file = Path(scratch) / "wide.onnx"
    reading.save(of.make_model(graph, opset_imports=[of.make_opsetid("", 17)], ir_version=8), file)
    said = []
    for data in ("samples", "synthetic:3x48x48"):
        try:
            said.append(Workload(WorkloadSpec(data=data, model=str(file), cache=scratch)).task.kind)
        except UsageError as error:
            said.append(str(error))
    return said


def replaced(scratch):
    """Convolutions of a model with two inputs and outputs, and of one inside another."""
    made = workload(scratch, "two_data", "two")
    model = made.model(blocks.separable(made))
    image = tf.keras.Input((8, 8, 1))
    backbone = tf.keras.Model(image, tf.keras.layers.Conv2D(4, 3)(image))
    nested = tf.keras.Sequential([tf.keras.Input((8, 8, 1)), backbone])
    cloned = blocks._cloned(lambda *_: nested, replace=blocks.separable_layer)((), 1)
    return {
        "outputs": sorted(keras_models.outputs(model)),
        "layers": [type(layer).__name__ for layer in model.layers],
        "inside": [type(layer).__name__ for layer in cloned._flatten_layers()],
    }


def masks():
    """The loss of masks, with the last axis and as Keras's `fit` squeezes it."""
    task = Task("segmentation", "", form="sigmoid")
    outputs = np.random.default_rng(0).random((2, 4, 6, 1)).astype(np.float32)
    targets = (outputs[..., 0] > 0.4).astype(np.float32)
    return [float(losses.loss(task, targets, x)) for x in (outputs, outputs[..., 0])]


def classes():
    """The loss of a model that was compiled for one-hot rows: by class numbers, with and without
    the last axis that Keras 2's `fit` gives them, and by Keras itself."""
    task = Task("classification", "", compiled=Compiled("categorical_crossentropy"))
    outputs = np.float32([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]])
    numbers = np.array([0, 2])
    found = [float(losses.loss(task, x, outputs)) for x in (numbers, numbers[:, None])]
    rows = tf.keras.losses.categorical_crossentropy(np.eye(3)[numbers], outputs)
    return [*found, float(np.mean(rows))]


def ends():
    """Precisions of layers under a policy whose last activation is to stay in float32."""
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    layers = tf.keras.layers
    given = layers.Input((3,))
    normal = layers.Normalization(mean=[0.0, 1.0, 2.0], variance=[1e-6, 1e-6, 1.0])
    hidden = layers.Dense(4)(normal(given))
    model = tf.keras.Model(given, layers.Dense(1, "sigmoid")(hidden))
    keras_models.ends_in_float32(model)
    found = [layer.compute_dtype for layer in model.layers[1:]]
    raw = np.random.default_rng(1).normal(900, 600, (64, 2)).astype(np.float32)
    learned = layers.Normalization()
    learned.adapt(raw)
    x = layers.Input((2,))
    keras_models.ends_in_float32(tf.keras.Model(x, layers.Dense(2)(learned(x))))
    tf.keras.mixed_precision.set_global_policy("float32")
    return {
        "dtypes": [*found, model(np.ones((1, 3))).dtype.name],
        "variance": np.asarray(normal.variance).ravel().tolist(),
        "raw": [float(np.std(np.asarray(learned(raw))[:, i])) for i in range(2)],
    }


def wrapped():
    """Which layers tfmot's wrappers are put around."""
    layers = tf.keras.layers
    given = layers.Input((8, 8, 2))
    normal = layers.Normalization(mean=[0.0, 1.0], variance=[1.0, 2.0])
    x = layers.SeparableConv2D(4, 3)(normal(given))
    x = layers.Flatten()(layers.Activation("elu")(layers.BatchNormalization()(x)))
    model = tf.keras.Model(given, layers.Dense(2)(x))
    pruned = wrapping.wrapped(model, lambda layer: layer, wrapping.known_to_pruning)
    annotated = wrapping.annotated(model)
    by_kind = {
        type(layer.layer).__name__: type(layer.quantize_config).__name__
        for layer in annotated.layers
        if hasattr(layer, "quantize_config")
    }
    try:
        wrapping.annotated(tf.keras.Sequential([layers.Input((4, 1)), layers.LSTM(2)]))
        refused = ""
    except Unsupported as known:
        refused = str(known)
    return {
        "pruned": [type(layer).__name__ for layer in pruned.layers],
        "known": wrapping.known_to_pruning(normal),
        "configs": by_kind,
        "refused": refused,
    }


def table(rng, **options):
    """A regression of a raw table into the hundreds, which knows the columns' statistics."""
    layers = tf.keras.layers
    tf.keras.utils.set_random_seed(3)
    raw = rng.normal((900.0, 0.01), (600.0, 0.002), (200, 2)).astype(np.float32)
    learned = layers.Normalization(**options)
    learned.adapt(raw)
    given = layers.Input((2,))
    hidden = layers.Dense(16, "relu", **options)(learned(given))
    model = tf.keras.Model(given, layers.Dense(1, bias_initializer="ones", **options)(hidden))
    model.layers[-1].kernel.assign(100 * model.layers[-1].kernel)
    return raw, model


def copied():
    """A model whose layers keep float32, copied into bfloat16: what it learned of its columns."""
    raw, model = table(np.random.default_rng(4), dtype="float32")
    wanted = model(raw).numpy()
    tf.keras.mixed_precision.set_global_policy("bfloat16")
    found = precision.in_policy(lambda: model, "bfloat16")
    tf.keras.mixed_precision.set_global_policy("float32")
    return {
        "dtype": found.layers[-1].compute_dtype,
        "error": float(np.linalg.norm(found(raw).numpy() - wanted) / np.linalg.norm(wanted)),
    }


def quantized():
    """What a model of a raw table answers once it simulates eight bits, before it is trained."""
    raw, model = table(np.random.default_rng(2))
    data = Data("raw", "table", Part(raw, None), Part(raw, None))
    given = types.SimpleNamespace(data=data, spec=WorkloadSpec(), as_given=lambda x: x)
    wanted = model(raw).numpy()
    aware = wrapping.quantized(wrapping.annotated(model))
    cut_off = aware(raw).numpy()
    found = ranges.begun_at_data(given, aware)(raw).numpy()
    return {
        "error": float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted)),
        "largest": float(wanted.max()),
        "cut_off": float(cut_off.max()),
        "kept": [np.asarray(w).tolist() for w in aware.get_weights()]
        == [np.asarray(w).tolist() for w in ranges.begun_at_data(given, aware).get_weights()],
    }


def named_alike():
    """A model with separable convolutions, whose parts Keras would name as a layer of it is named,
    and one of two inputs: what they answer in simulated 8 bits, begun at data."""
    layers, rng = tf.keras.layers, np.random.default_rng(5)
    tf.keras.backend.clear_session()
    image = layers.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, name="conv2d_1")(image)
    for filters in (6, 8):
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
    mean = layers.GlobalAveragePooling2D()(x)
    amounts = layers.Input((3,))
    both = layers.Dense(2)(layers.concatenate([mean, layers.Dense(4)(amounts)]))
    images, numbers = rng.random((20, 8, 8, 2), np.float32), rng.random((20, 3), np.float32)
    two = {"image": images, "amounts": numbers}
    models = [
        (tf.keras.Model(image, mean), images, lambda x: x),
        (tf.keras.Model([image, amounts], both), two, lambda x: [x["image"], x["amounts"]]),
    ]
    errors = []
    for model, inputs, as_given in models:
        data = Data("made", "images", Part(inputs, None), Part(inputs, None))
        workload = types.SimpleNamespace(data=data, spec=WorkloadSpec(), as_given=as_given)
        aware = ranges.begun_at_data(workload, wrapping.quantized(wrapping.annotated(model)))
        wanted, found = (each(as_given(inputs)).numpy() for each in (model, aware))
        errors.append(float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted)))
    return errors


def split_behind_words():
    """A model of strings, parted by both Kerases behind its look-up."""
    layers = tf.keras.layers
    texts = np.array([["some words here"], ["other words there"], ["here"]])
    lookup = layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    lookup.adapt(texts)
    given = layers.Input((1,), dtype="string", name="text")
    x = layers.Embedding(20, 3)(lookup(given))
    x = layers.GlobalAveragePooling1D()(x + 1.0)
    model = tf.keras.Model(given, layers.Dense(2, "softmax")(x))
    head, tail = split(model)
    numbers = next(iter(head(tf.constant(texts)).values()))
    return {
        "error": float(np.abs(tail(numbers).numpy() - model(tf.constant(texts)).numpy()).max()),
        "layers": [type(layer).__name__ for layer in tail._flatten_layers()],
        "parameters": [tail.count_params(), 20 * 3 + 3 * 2 + 2],
    }


def clustered():
    """A pruned layer of few values, clustered with its zeros kept by as many as it has."""
    model = tf.keras.Sequential([tf.keras.layers.Input((24,)), tf.keras.layers.Dense(1)])
    kernel = np.zeros((24, 1), np.float32)
    kernel[:5, 0] = range(1, 6)
    model.set_weights([kernel, np.zeros(1)])
    large = tf.keras.layers.Dense(8)
    large.build((None, 30))
    numbers = [tools.clusters_of(model.layers[-1], zeros) for zeros in (True, False)]
    numbers += [tools.clusters_of(large), tools.clusters_of(tf.keras.layers.Flatten())]
    tools.fine_tune = lambda workload, wrapped: wrapped
    found = tools.cluster(None, model, preserve_sparsity=True).get_weights()[0]
    given = tf.keras.layers.Input((4, 3))
    x = tf.keras.layers.Dense(3)(given) + tf.reshape(tf.range(12.0), (4, 3))
    try:
        tools.cluster(None, tf.keras.Model(given, tf.keras.layers.Dense(2)(x)))
        refused = ""
    except Unsupported as known:
        refused = str(known)
    return {
        "values": sorted(np.unique(found).tolist()),
        "numbers": numbers,
        "refused": refused,
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["2"]:
        print(
            json.dumps(
                {
                    "wrapped": wrapped(),
                    "quantized": quantized(),
                    "named_alike": named_alike(),
                    "split": split_behind_words(),
                    "clustered": clustered(),
                }
            )
        )
    else:
        with tempfile.TemporaryDirectory() as scratch:
            print(
                json.dumps(
                    {
                        "bound": bound(scratch),
                        "captured": captured(scratch),
                        "open_size": open_size(scratch),
                        "replaced": replaced(scratch),
                        "masks": masks(),
                        "classes": classes(),
                        "views": [combined.affordable(5, n << 20) for n in (0, 200, 400, 4000)],
                        "ends": ends(),
                        "split": split_behind_words(),
                        "copied": copied(),
                    }
                )
            )
