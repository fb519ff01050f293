"""Run in one process with TensorFlow and one Keras: users' functions, and losses of tasks.

Prints a JSON object of what each check saw; test_data_functions.py judges it.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from scenarios.core import tasks
from scenarios.core.data import fit, load
from scenarios.core.data.assembly import assembled
from scenarios.core.data.values import Part

SOURCE = """
import numpy as np
import tensorflow as tf

X = np.arange(40, dtype=np.float32).reshape(40, 1) * np.ones((1, 3), np.float32)
Y = np.arange(40) % 2
slices = tf.data.Dataset.from_tensor_slices

def array(): return X
def pair(): return X, Y
def lists(): return X.tolist(), Y.tolist()
def weighted(): return X, Y, np.ones(40)
def weighted_batches(): return slices((X, Y, np.ones(40))).batch(7)
def two(): return (X[:30], Y[:30]), (X[30:], Y[30:])
def parts(): return {"train": (X[:30], Y[:30]), "test": (X[30:], Y[30:])}
def keras_names(): return {"x_train": X[:30], "y_train": Y[:30], "x_test": X[30:], "y_test": Y[30:]}
def inputs(): return {"a": X[:, :1], "b": X[:, 1:]}, Y
def nested(): return {"a": X[:, :1], "more": {"b": X[:, 1:]}}, {"y": Y}
def listed(): return [X[:, :1], X[:, 1:]], Y
def batched(): return slices((X, Y)).batch(7)
def unbatched(): return slices((X, Y))
def dropping(): return slices((X, Y)).batch(8, drop_remainder=True).prefetch(1)
def endless(): return slices((X, Y)).repeat()
def hidden(): return slices((X, Y)).repeat().filter(lambda x, y: y < 2).batch(8)
def filtered(): return slices((X, Y)).repeat().filter(lambda x, y: y < 2).take(40).batch(8)
def empty(): return slices((X, Y)).take(0)
def named(): return slices(({"a": X[:, :1], "b": X[:, 1:]}, Y)).batch(8)
def two_datasets(): return slices((X[:30], Y[:30])).batch(8), slices((X[30:], Y[30:])).batch(8)
def ragged():
    rows = tf.ragged.constant([[1] * (1 + i % 5) for i in range(40)])
    return rows, Y
def words(): return np.array(["one two", "two"] * 20), Y
def frame():
    import pandas
    return pandas.DataFrame({"a": X[:, 0], "kind": ["p", "q"] * 20, "y": Y})
class Batches(tf.keras.utils.PyDataset if hasattr(tf.keras.utils, "PyDataset") else
              tf.keras.utils.Sequence):
    def __len__(self): return 5
    def __getitem__(self, i): return X[8 * i:8 * i + 8], Y[8 * i:8 * i + 8]
def batches(): return Batches()
def seeded(seed): return X + seed, Y
def broken(): return X @ X, Y
def nothing(): return None
def text(): return "no data"
def uneven(): return X, Y[:30]
"""


def seen_of(file, name, **spec):
    """What loading one function gave, or said."""
    try:
        data = load(WorkloadSpec(data=f"{file}:{name}", **spec))
    except UsageError as error:
        return str(error)
    inputs = data.test.inputs
    shapes = ({k: list(v.shape[1:]) for k, v in inputs.items()} if isinstance(inputs, dict)
              else list(inputs.shape[1:]))  # fmt: skip
    first = next(iter(inputs.values())) if isinstance(inputs, dict) else inputs
    matched = None
    if data.test.targets is not None and first.dtype.kind == "f":
        matched = bool((first[:, 0] % 2 == data.y_test).all())
    return [shapes, len(data.train), len(data.test), data.classes, data.kind, matched]


def losses():
    """Losses of each kind of task beside those written out."""
    rng = np.random.default_rng(0)
    x = rng.random((60, 4)).astype(np.float32)

    def of(y, outputs, compiled=None):
        data = fit(assembled("d", Part(x, y), None, WorkloadSpec(), "table"))
        test = outputs(data.x_test)
        task = tasks.infer(WorkloadSpec(), data, test, compiled)
        data = task.fitted(data)
        return task, data.y_test, test, float(task.loss(data.y_test, tf.constant(test)))

    def softmax(z):
        return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)

    found = {}
    labels = (x[:, 0] * 3).astype(int)
    for name, y, compiled in (
        ("numbers", labels, None),
        ("one-hot", np.eye(3)[labels], None),
        ("compiled", np.eye(3)[labels], tasks.Compiled("categorical_crossentropy")),
    ):
        _, known, out, loss = of(y, lambda x: softmax(4 * x[:, :3]), compiled)
        found[name] = [loss, float(-np.log(out[np.arange(len(out)), known]).mean())]
    _, known, out, loss = of(labels, lambda x: 4 * x[:, :3] - 1)
    found["logits"] = [loss, float(-np.log(softmax(out)[np.arange(len(out)), known]).mean())]
    _, known, out, loss = of(labels > 0, lambda x: x[:, :1])
    cross = -np.log(np.where(known == 1, out[:, 0], 1 - out[:, 0])).mean()
    found["binary"] = [loss, float(cross)]
    _, known, out, loss = of(x[:, 1] * 9, lambda x: 8 * x[:, :1])
    found["regression"] = [loss, float(np.square(out[:, 0] - known).mean())]
    _, known, out, loss = of(x[:, 1] * 9, lambda x: 8 * x[:, :1],
                                tasks.Compiled(tf.keras.losses.MeanAbsoluteError()))  # fmt: skip
    found["own"] = [loss, float(np.abs(out[:, 0] - known).mean())]
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "mine.py"
        file.write_text(SOURCE)
        names = [line.split("(")[0][4:] for line in SOURCE.splitlines() if line.startswith("def ")]
        seen = {name: seen_of(file, name) for name in names}
        seen["notes"] = {
            name: list(load(WorkloadSpec(data=f"{file}:{name}")).notes)
            for name in ("pair", "batched", "batches", "weighted", "weighted_batches")
        }
        seen["endless, taken"] = seen_of(file, "endless", take=24)
        seen["batched, taken"] = seen_of(file, "batched", take=24)
    json.dump(
        {"functions": seen, "losses": losses(), "keras": tf.keras.Model.__module__}, sys.stdout
    )
