"""Saves models in one process with TensorFlow: FOLDER TRACED CHANGES, a JSON object by name.

Prints a JSON object of their canonical and exact digests; test_canonical.py judges them.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf

from bench.launch.analysis import canonical, files


def save(path, weight=1.0, activation=tf.nn.relu, swap=False, entry="serve", traced=0):
    for _ in range(traced):  # functions and names are counted on
        tf.function(lambda x: x * 2).get_concrete_function(tf.TensorSpec([1]))
    tf.keras.utils.set_random_seed(0)
    layers = [
        tf.keras.layers.Dense(4, activation=activation, kernel_initializer="ones"),
        tf.keras.layers.LSTM(3, kernel_initializer="ones", recurrent_initializer="ones"),
        tf.keras.layers.Dense(3, kernel_initializer="ones"),
    ]
    model = tf.keras.Sequential([tf.keras.Input((5, 2)), *layers])
    kernel = layers[2].kernel
    kernel.assign(kernel * weight)
    module = tf.Module()
    module.weights = [
        getattr(v, "value", v) if not isinstance(v, tf.Variable) else v for v in model.variables
    ]

    def call(image):
        first, second = model(image), tf.exp(image[:, 0, :1])
        return second - first if swap else first - second

    function = tf.function(call, input_signature=[tf.TensorSpec([None, 5, 2], name="image")])
    setattr(module, entry, function)
    tf.saved_model.save(module, str(path), signatures=function)


def freeze(path, factor=2.0):
    function = tf.function(lambda x: tf.tanh(x) * factor)
    graph = function.get_concrete_function(tf.TensorSpec([3])).graph.as_graph_def()
    path.write_bytes(graph.SerializeToString())


if __name__ == "__main__":
    folder, traced = Path(sys.argv[1]), int(sys.argv[2])
    changes = json.loads(sys.argv[3])
    for name, change in changes.items():
        if "activation" in change:
            change["activation"] = getattr(tf.nn, change["activation"])
        save(folder / name, traced=traced, **change)
    freeze(folder / "frozen.pb")
    freeze(folder / "other.pb", 3.0)
    names = [*changes, "frozen.pb", "other.pb"]
    print(
        json.dumps(
            {n: [canonical.digest(folder / n), files.content_digest(folder / n)] for n in names}
        )
    )
