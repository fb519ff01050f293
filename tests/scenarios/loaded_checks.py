"""Run in one process with TensorFlow: functions that load trained weights, and others.

Prints a JSON object of what each check saw; test_loaded.py judges it.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import facts, models
from scenarios.core.models import keras_models
from scenarios.core.models.loaded import comes_trained

NET = """
import keras
from parts import Twice

def load():
    return keras.models.load_model(FILE)

def new(classes):
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(classes)])
"""
PARTS = """
import keras

@keras.saving.register_keras_serializable("mine")
class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""
FULL = """
import keras

def load():
    model = keras.models.load_model(FILE)
    for layer in model.layers:
        layer.dtype_policy = "float32"
    return model
"""
TWO = """
import keras
import tensorflow as tf

class Two(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])
    def encode(self, x):
        return {"code": 2 * x}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "code")])
    def decode(self, code):
        return {"y": code - 1}

def both():
    return Two()

def plain():
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
"""
RAISES = """
import keras

class Odd(keras.Model):
    def call(self, x):
        raise KeyError("rain")

def odd():
    return Odd()
"""
layers = tf.keras.layers


def build(kernel=lambda: "glorot_uniform"):
    return tf.keras.Sequential(
        [layers.Input((4,)), *(layers.Dense(n, kernel_initializer=kernel()) for n in (3, 2))]
    )


def made(scratch):
    """Whether the models of each function came trained."""
    model = build()
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4)), np.ones((8, 2)), epochs=2, verbose=0)
    file, weights = scratch / "trained.keras", scratch / "trained.weights.h5"
    model.save(file)
    model.save_weights(weights)

    def with_weights():
        own = build()
        own.load_weights(weights)
        return own

    def with_numbers():
        own = build()
        own.set_weights([np.full(w.shape, 0.5) for w in own.get_weights()])
        return own

    def with_a_new_head():
        body = tf.keras.models.load_model(file, compile=False).layers[0]
        return tf.keras.Sequential([layers.Input((4,)), body, layers.Dense(5)])

    def seeded(set_seed):
        set_seed(42)
        return build()

    functions = {
        "file": lambda: tf.keras.models.load_model(file),
        "file, not compiled": lambda: tf.keras.models.load_model(file, compile=False),
        "weights": with_weights,
        "numbers": with_numbers,
        "new head": with_a_new_head,
        "new": build,
        "zeros": lambda: build(lambda: "zeros"),
        "seeded kernels": lambda: build(lambda: tf.keras.initializers.GlorotUniform(seed=7)),
        "seeded by tf": lambda: seeded(tf.random.set_seed),
        "seeded by Keras": lambda: seeded(tf.keras.utils.set_random_seed),
    }
    return {name: comes_trained(function) for name, function in functions.items()}


def own_class(scratch):
    """What is said of a file with a class of the user's, and of the function that loads it."""
    file, net = scratch / "net.keras", scratch / "net.py"
    (scratch / "parts.py").write_text(PARTS)
    net.write_text(NET.replace("FILE", repr(str(file))))
    sys.path.append(str(scratch))
    import keras
    from parts import Twice

    keras.Sequential([layers.Input((4,)), Twice(), layers.Dense(2)]).save(file)
    registered = dict(keras.saving.get_custom_objects())
    keras.saving.get_custom_objects().clear()
    try:
        models.find(WorkloadSpec(model=str(file)), (), 0)
    except UsageError as error:
        refused = str(error).replace(str(scratch), "FOLDER")
    keras.saving.get_custom_objects().update(registered)
    sources = {
        name: facts.of_source(models.find(WorkloadSpec(model=f"{net}:{name}"), (4,), 2))
        for name in ("load", "new")
    }
    return {"refused": refused} | {
        name: [found.trained, list(found.notes)] for name, found in sources.items()
    }


def in_half(scratch):
    """What is said of a file that was saved under mixed_float16, and what its float32 twin."""
    net = scratch / "half.py"
    model = tf.keras.Sequential(
        [layers.Input((4,)), layers.Dense(3, dtype="mixed_float16"), layers.Dense(2)]
    )
    model.save(scratch / "half.keras")
    net.write_text(FULL.replace("FILE", repr(str(scratch / "half.keras"))))
    names = (str(scratch / "half.keras"), f"{net}:load")
    found = [models.find(WorkloadSpec(model=name), (4,), 2).keras() for name in names]
    return [keras_models.in_half(model) for model in found]


def own_loss(scratch):
    """What is said of files that were compiled with a known loss and with one of the user's."""

    def focal(y_true, y_pred):
        return tf.reduce_mean(y_true * (1 - y_pred))

    found = {}
    for name, loss in (("known", "mse"), ("own", focal)):
        model = build()
        model.compile("sgd", loss)
        for ending in (".keras", ".h5"):
            file = scratch / f"{name}{ending}"
            model.save(file)
            source = models.find(WorkloadSpec(model=str(file)), (), 0)
            notes = [each.replace(str(scratch), "FOLDER") for each in source.notes]
            found[name + ending] = [notes, source.compiled.loss is not None]
    return found


def signatures(scratch):
    """The inputs and answers of named functions of a tf.Module and its SavedModel, or a refusal."""
    file, folder = scratch / "two.py", scratch / "two"
    file.write_text(TWO)
    namespace = {}
    exec(compile(TWO, str(file), "exec"), namespace)
    two = namespace["both"]()
    tf.saved_model.save(two, str(folder), signatures={"encode": two.encode, "decode": two.decode})
    found = {}
    for name in (str(folder), f"{file}:both", f"{file}:plain"):
        for signature in ("", "encode", "decode", "other"):
            try:
                source = models.find(WorkloadSpec(model=name, signature=signature), (), 0)
                seen = list(source.signature)
                if signature:
                    answer = source.network()(tf.ones((1, *source.signature[seen[0]].shape)))
                    seen += np.unique(answer).tolist()
            except UsageError as error:
                seen = str(error).replace(str(scratch), "FOLDER")
            found[f"{Path(name).name} {signature}"] = seen
    return found


def raising(scratch):
    """What is said of a subclass whose `call` raises when it is looked at."""
    file = scratch / "odd.py"
    file.write_text(RAISES)
    try:
        models.find(WorkloadSpec(model=f"{file}:odd"), (3,), 0)
    except UsageError as error:
        return str(error).replace(str(scratch), "FOLDER")


def architectures(scratch):
    """An architecture by its name: with random weights, a file's, and a file's that do not fit."""
    import keras

    given = keras.applications.MobileNet(weights=None, classes=3)
    weights = scratch / "three.weights.h5"
    given.save_weights(weights)
    name = "applications:MobileNet"
    drawn = facts.of_source(models.find(WorkloadSpec(model=name), (), 3))
    source = models.find(WorkloadSpec(model=name, weights=str(weights)), (), 3)
    same = zip(source.keras().get_weights(), given.get_weights(), strict=True)
    try:
        models.find(WorkloadSpec(model=name, weights=str(weights)), (), 0)
    except UsageError as error:
        refused = str(error).replace(str(scratch), "FOLDER")
    return {
        "random": list(drawn.notes),
        "loaded": [facts.of_source(source).trained, list(source.notes)],
        "same": all(np.array_equal(one, other) for one, other in same),
        "refused": refused,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        seen = {"made": made(place), "own": own_class(place), "half": in_half(place)}
        seen |= {"loss": own_loss(place), "signatures": signatures(place)}
        seen |= {"raises": raising(place), "architectures": architectures(place)}
        print(json.dumps(seen))
