"""Run in a process with TensorFlow: graphs and models of shapes that tools once took for others.

Prints a JSON object of what each check saw; test_shapes.py judges it. `2` as argument: what needs
Keras 2 (TF_USE_LEGACY_KERAS=1).
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx as reading
import tensorflow as tf

from bench.results.errors import Unsupported
from bench.results.values import WorkloadSpec
from scenarios.core import Workload
from scenarios.core.data import nests
from scenarios.core.models import keras_models
from scenarios.core.tasks import Task, losses
from scenarios.core.training import prepare
from scenarios.infer import execution
from scenarios.infer.tools import onnx, wrapping
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
    tf.keras.mixed_precision.set_global_policy("float32")
    return {
        "dtypes": [*found, model(np.ones((1, 3))).dtype.name],
        "variance": np.asarray(normal.variance).ravel().tolist(),
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


if __name__ == "__main__":
    if sys.argv[1:] == ["2"]:
        print(json.dumps({"wrapped": wrapped()}))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            print(
                json.dumps(
                    {
                        "bound": bound(scratch),
                        "captured": captured(scratch),
                        "replaced": replaced(scratch),
                        "masks": masks(),
                        "ends": ends(),
                    }
                )
            )
