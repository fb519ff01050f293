"""Run in one process with TensorFlow: proofs that must fail, and pieces of the shared core.

Prints a JSON object of what each check saw; test_train_proofs.py judges it.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from bench.results.errors import LaunchError, UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import Workload, data
from scenarios.core.comparable import without_chance
from scenarios.core.graphs import compiled_by_xla, traced_once
from scenarios.input.tools.pipelines import same_examples
from scenarios.train.accumulation import updates_of
from scenarios.train.compilation import auto_clusters
from scenarios.train.distribution import replicas
from scenarios.train.keras_fit import compiled_in_fit, fitted
from scenarios.train.keras_versions import keras_version
from scenarios.train.precision import dtypes
from scenarios.train.tools import blocks, fit
from scenarios.train.tools.cluster import Cluster, WorkerFailed

LAYERS = tf.keras.layers


def said(call, *arguments):
    """What a call said when it refused, or None."""
    try:
        call(*arguments)
    except (LaunchError, UsageError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def failing_proofs():
    """Each proof on a path that does without the technique."""
    model = tf.keras.Sequential([LAYERS.Input((2,)), LAYERS.Dense(1)])
    optimizer = tf.keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    calls = tf.Variable(0)

    @tf.function
    def plain(x):
        calls.assign_add(1)
        return model(x)

    x = tf.ones([4, 2])
    plain(x)
    # Before fit: TensorFlow cannot collect graphs beside the functions of a tf.data pipeline.
    clusters = said(auto_clusters, plain, (x,))
    twice = tf.function(lambda x: x + 1)
    twice(tf.ones([1]))
    twice(tf.ones([2]))
    model.compile(optimizer, "mse", jit_compile=False)
    model.fit(x, tf.ones([4, 1]), verbose=0)
    pairs = tf.data.Dataset.from_tensors((x, tf.zeros([4], tf.int64)))
    return {
        "xla": said(compiled_by_xla, plain, x),
        "fit_xla": said(compiled_in_fit, model),
        "traced": said(traced_once, twice),
        "clusters": clusters,
        "dtypes": said(dtypes, model, "float16"),
        "updates": said(updates_of, optimizer, plain, (x,), 1),
        "keras": said(keras_version, model, 2),
        "replicas": said(replicas, tf.distribute.get_strategy(), model),
        "examples": said(same_examples, pairs, (x + 0.5, np.zeros(4)), 0.1),
        "labels": said(same_examples, pairs, (x, np.ones(4)), 0.1),
        "right_examples": said(same_examples, pairs, (x, np.zeros(4)), 0.1),
    }


def own_model(input_shape, classes):
    """A user's model: Sequential, no batch normalisation."""
    return tf.keras.Sequential(
        [
            LAYERS.Input(input_shape),
            LAYERS.Conv2D(8, 3, padding="same", activation="relu"),
            LAYERS.Conv2D(8, 1, activation="relu"),
            LAYERS.Conv2D(16, 3, padding="same", activation="relu"),
            LAYERS.Dropout(0.3),
            LAYERS.Flatten(),
            LAYERS.Dense(classes, activation="softmax"),
        ]
    )


def conversions(workload):
    """Layers of the variants of a user's model and of the default CNN."""
    found = {}
    workload.spec = dataclasses.replace(workload.spec, model="own.py:model")
    for name in ("separable", "residual", "squeeze_excitation", "attention"):
        convert = getattr(blocks, name)
        workload.build = own_model
        own = workload.model(convert(workload))
        found[name] = sorted({type(layer).__name__ for layer in own.layers})
        assert own(workload.data.x_test[:2]).shape == (2, workload.data.classes)
    workload.build = lambda shape, classes: tf.keras.Sequential(
        [LAYERS.Input(shape), LAYERS.Flatten(), LAYERS.Dense(classes, activation="softmax")]
    )
    found["dense"] = said(lambda: workload.model(blocks.separable(workload)))
    return found


def chancy_model():
    """A model that draws random numbers in many ways, most of them in a model inside the model."""
    inner = tf.keras.Sequential(
        [
            LAYERS.Input((8, 8, 3)),
            LAYERS.RandomFlip(),
            LAYERS.RandomContrast(0.5),
            LAYERS.GaussianNoise(0.5),
            LAYERS.SpatialDropout2D(0.5),
            LAYERS.AlphaDropout(0.5),
            LAYERS.Reshape((64, 3)),
            LAYERS.Dropout(0.5),
            LAYERS.Bidirectional(LAYERS.LSTM(4, dropout=0.5, recurrent_dropout=0.5)),
        ]
    )
    inputs = LAYERS.Input((8, 8, 3))
    places = LAYERS.Reshape((64, 3))(inputs)
    attended = LAYERS.MultiHeadAttention(1, 3, dropout=0.5)(places, places)
    joined = LAYERS.Concatenate()([inner(inputs), LAYERS.Flatten()(attended)])
    return tf.keras.Model(inputs, LAYERS.Dense(10)(joined))


def comparable(scratch):
    """What a comparable workload does to its models, its epochs and the loss of `fit`."""
    model, other = without_chance(chancy_model()), chancy_model()
    x = tf.random.stateless_uniform([4, 8, 8, 3], [0, 1])
    different = [
        float(tf.reduce_max(tf.abs(each(x, training=True) - each(x, training=True))))
        for each in (model, other)
    ]
    spec = WorkloadSpec(data="synthetic:8x8x3", cache=scratch, comparable=True, batch=256)
    workload = Workload(spec)
    own = tf.keras.Sequential([LAYERS.Input((8, 8, 3)), LAYERS.Flatten(), LAYERS.Dense(10)])
    workload.task = dataclasses.replace(workload.task, form="reals")
    x, y = next(workload.batches())
    first = float(workload.loss(y, own(x)))
    own.compile("sgd", workload.fit_loss(own), jit_compile=False, steps_per_execution=5)
    own.fit(workload.dataset(), steps_per_epoch=5, verbose=0)
    plain = Workload(WorkloadSpec(data="synthetic:8x8x3", cache=scratch, batch=256))

    def weights(**changes):
        return Workload(dataclasses.replace(spec, **changes)).model().get_weights()[0]

    start = weights()
    rounded = [
        weights(disturbed=precision, disturbance=number)
        for precision, number in (("float16", 0), ("float16", 0), ("float16", 1), ("bfloat16", 0))
    ]
    return {
        "different": different,
        "moved": [float(np.abs(each / start - 1).max()) for each in rounded],
        "alike": [bool((each == rounded[0]).all()) for each in rounded],
        "rates": [layer.rate for layer in workload.model().layers if hasattr(layer, "rate")],
        "first": first,
        "recorded": workload.recorded.losses(),
        "plain": (len(plain.epoch()), plain.fit_loss(own) == plain.loss, plain.recorded is None),
        "batches": len(workload.epoch()),
    }


def trainings(scratch):
    """What repeated trainings start from: weights and first batch, and the data they share."""
    found = []
    for training in (0, 1, 1):
        spec = WorkloadSpec(data="synthetic:8x8x3", cache=scratch, training=training)
        workload = Workload(spec)
        weights = workload.model().get_weights()
        x, _ = workload.epoch()[0]
        test = workload.data.x_test
        shown = (weights[0], x, test)
        found.append([float(np.float64(a).sum()) for a in shown] + [str(workload.folder)])
    return found


def records(folder):
    """TFRecords that load, and those that do not."""

    def write(name, images, labels=None):
        with tf.io.TFRecordWriter(f"{folder}/{name}") as writer:
            for i, image in enumerate(images):
                values = {"image": tf.train.BytesList(value=[tf.io.encode_png(image).numpy()])}
                features = {"image": tf.train.Feature(bytes_list=values["image"])}
                if labels is not None:
                    number = tf.train.Int64List(value=[labels[i]])
                    features["label"] = tf.train.Feature(int64_list=number)
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())

    images = np.random.default_rng(0).integers(0, 256, (8, 6, 5, 3), dtype=np.uint8)
    write("good.tfrecord", images, [0, 1] * 4)
    write("unlabelled.tfrecord", images)
    write("mixed.tfrecord", [*images[:7], images[7][:4]], [0, 1] * 4)
    write("empty.tfrecord", [])
    Path(f"{folder}/torn.tfrecord").write_bytes(b"not a record at all")

    def load(name):
        return data.load(WorkloadSpec(data=f"tfrecord:{folder}/{name}.tfrecord"))

    good = load("good")
    mixed = load("mixed")
    bad = ("unlabelled", "empty", "torn")
    return {
        "mixed": [list(mixed.input_shape), *mixed.notes],
        "good": [list(good.input_shape), good.classes, len(good.x_train) + len(good.x_test)],
        **{
            name: said(data.load, WorkloadSpec(data=f"tfrecord:{folder}/{name}.tfrecord"))
            for name in bad
        },
    }


def long_epochs(scratch):
    """`fit` on an epoch that takes too long for a turn, and on all of it."""
    spec = WorkloadSpec(data="synthetic:8x8x3", batch=4, cache=scratch)
    found = {}
    for name, limit_s in (("whole", 1e6), ("cut", 1e-9)):
        fit.CALL_S = limit_s
        workload = Workload(spec)
        path = fitted(workload, lambda model: {}, jit_compile=False)
        weights = [variable.numpy() for variable in path.model.variables]
        path.step()
        found[name] = {
            "updates": path.updates, "examples": path.examples, "said": workload.remarks,
            "steps": int(path.model.optimizer.iterations), "epoch": len(workload.epoch()),
        }  # fmt: skip
        found.setdefault("weights", []).append(weights)
    one, other = found.pop("weights")
    found["same start"] = all(map(np.array_equal, one, other))
    return found


class Failing:
    """A worker that fails and one that dies, by order; needs no TensorFlow."""

    def __init__(self, _):
        pass

    def echo(self, word):
        """The word."""
        return word

    def fail(self):
        """An error."""
        raise ValueError("broken on purpose")


def workers():
    """One worker process that answers, fails, and is killed."""
    cluster = Cluster("tests.scenarios.train_checks:Failing", WorkloadSpec(), 1, [{}])
    try:
        answers = {"echo": cluster.call("echo", word="héllo\n"), "fail": said(cluster.call, "fail")}
        answers["killed"] = cluster.kill(0)
        try:
            cluster.call("echo", word="")
        except WorkerFailed as error:
            answers["after"] = str(error)
        return answers
    finally:
        cluster.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        workload = Workload(WorkloadSpec(data="synthetic:8x8x3", cache=scratch))
        seen = {
            "proofs": failing_proofs(),
            "comparable": comparable(scratch),
            "conversions": conversions(workload),
            "records": records(scratch),
            "trainings": trainings(scratch),
            "long epochs": long_epochs(scratch),
            "workers": workers(),
        }
    json.dump(seen, sys.stdout)
