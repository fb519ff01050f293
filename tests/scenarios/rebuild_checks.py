"""Run in one process of tf_keras: models of Keras 3 that are rebuilt there.

Prints a JSON object: of each model how far its copy's outputs are off, or why there is none;
test_rebuild.py judges it.
"""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np

from bench.results.errors import Unsupported
from scenarios.core.models import rebuild

layers = keras.layers
RNG = np.random.default_rng(0)


def tokens(name):
    return layers.Input((9,), dtype="int32", name=name)


def recurrent():
    return keras.Sequential([
        tokens("words"), layers.Embedding(50, 6, mask_zero=True),
        layers.Bidirectional(layers.GRU(4)), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip


def attention():
    words = tokens("words")
    x = layers.Embedding(50, 6, mask_zero=True)(words)
    x = x + layers.MultiHeadAttention(2, 4)(x, x)
    return keras.Model(words, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))


def joined():
    """Keras 2 joins masks otherwise: a copy answers otherwise where one input alone is masked."""
    one, other = tokens("one"), tokens("other")
    embedding = layers.Embedding(50, 6, mask_zero=True)
    x = layers.Concatenate()([embedding(one), embedding(other)])
    return keras.Model([one, other], layers.Dense(2)(layers.LSTM(4)(x)))


def given():
    words = tokens("words")
    x = layers.Embedding(50, 6)(words)
    return keras.Model(words, layers.LSTM(4)(x, mask=keras.ops.not_equal(words, 3)))


def scaled():
    x = layers.Input((4,))
    return keras.Model(x, layers.Dense(2)(x * 2.0))


def compared(model):
    try:
        copied = rebuild.in_tf_keras(model)
    except Unsupported as error:
        return str(error)
    x = RNG.integers(0, 3, (16, 9)).astype("int32")
    return float(np.abs(np.asarray(model(x)) - np.asarray(copied(x))).max())


if __name__ == "__main__":
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        for make in (recurrent, attention, joined, given, scaled):
            model, file = make(), Path(folder) / "net.keras"
            model.save(file)
            seen[make.__name__] = [compared(model), compared(keras.models.load_model(file))]
    print(json.dumps(seen))
