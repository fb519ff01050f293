"""The same model saved again has the same canonical digest; a changed one has another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAVE = """
import json, sys
import tensorflow as tf
from pathlib import Path
from bench.launch.analysis import canonical, files

def save(path, weight=1.0, activation=tf.nn.relu, swap=False, entry="serve", traced=0):
    for number in range(traced):  # functions and names are counted on
        tf.function(lambda x: x * number).get_concrete_function(tf.TensorSpec([1]))
    tf.keras.utils.set_random_seed(0)
    layers = [tf.keras.layers.Dense(4, activation=activation, kernel_initializer="ones"),
              tf.keras.layers.LSTM(3, kernel_initializer="ones", recurrent_initializer="ones"),
              tf.keras.layers.Dense(3, kernel_initializer="ones")]
    model = tf.keras.Sequential([tf.keras.Input((5, 2)), *layers])
    kernel = layers[2].kernel
    kernel.assign(kernel * weight)
    module = tf.Module()
    module.weights = [getattr(v, "value", v) if not isinstance(v, tf.Variable) else v
                      for v in model.variables]
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

folder, traced = Path(sys.argv[1]), int(sys.argv[2])
changes = json.loads(sys.argv[3])
for name, change in changes.items():
    if "activation" in change:
        change["activation"] = getattr(tf.nn, change["activation"])
    save(folder / name, traced=traced, **change)
freeze(folder / "frozen.pb")
freeze(folder / "other.pb", 3.0)
names = [*changes, "frozen.pb", "other.pb"]
print(json.dumps({n: [canonical.digest(folder / n), files.content_digest(folder / n)]
                  for n in names}))
"""
CHANGES = {
    "weight": {"weight": 1.5},
    "operation": {"activation": "tanh"},
    "order": {"swap": True},
    "entry": {"entry": "other"},
}


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], ...]:
    """Canonical and exact digests of what two processes saved."""
    found = []
    for traced, changes in (
        (0, {"same": {}}),
        (7, {"before": {"weight": 2.0}, "same": {}, **CHANGES}),
    ):
        folder = tmp_path_factory.mktemp("saved")
        command = [sys.executable, "-c", SAVE, str(folder), str(traced), json.dumps(changes)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return tuple(found)


def test_saved_again_it_is_the_same(digests: tuple[dict[str, list[str]], ...]) -> None:
    one, again = digests
    assert one["same"][1] != again["same"][1]  # counters and random numbers differ
    assert one["same"][0] == again["same"][0]
    assert one["frozen.pb"][0] == again["frozen.pb"][0]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(digests: tuple[dict[str, list[str]], ...], change: str) -> None:
    _, again = digests
    assert again[change][0] != again["same"][0]


def test_a_frozen_graph_of_another_constant_is_another(
    digests: tuple[dict[str, list[str]], ...],
) -> None:
    one, _ = digests
    assert one["frozen.pb"][0] != one["other.pb"][0]


def test_other_files_are_their_contents(tmp_path: Path) -> None:
    from bench.launch.analysis import canonical, files

    file = tmp_path / "model.tflite"
    file.write_bytes(b"TFL3")
    assert canonical.digest(file) == files.content_digest(file)
