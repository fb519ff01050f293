"""Searching hyperparameters."""

from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import JobPath, Workload, scenario

MOST_EPOCHS = 4


@scenario(
    baseline="train/tuner-random",
    needs=(
        "data:images",
        "data:labels",
        "data:train",
        "task:classification",
        "keras:3",
        "package:keras_tuner",
        "package:tensorboard",
    ),
    unit="job",
    suite="full",
    variants={
        "": {"search": "Hyperband"},
        "random": {"search": "RandomSearch", "scenario": {"baseline": None}},
    },
)
def tuner(workload: Workload, search: str = "Hyperband") -> JobPath:
    """Keras Tuner on val_accuracy, filters 32 to 128 by 32: Hyperband, or as many full trials."""
    import keras_tuner

    layers = tf.keras.layers
    found: dict[str, Any] = {}

    def build(hp):
        filters = hp.Int("filters", 32, 128, step=32)
        dense = hp.Int("units", 32, 128, step=32)
        model = tf.keras.Sequential(
            [
                layers.Input(workload.data.input_shape),
                layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
                # A momentum of 0.99 would need hundreds of steps, more than a short trial has.
                layers.BatchNormalization(momentum=0.9),
                layers.ReLU(),
                layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False),
                layers.BatchNormalization(momentum=0.9),
                layers.ReLU(),
                layers.GlobalAveragePooling2D(),
                layers.Dense(dense, activation="relu"),
                layers.Dense(workload.data.classes, activation="softmax"),
            ]
        )
        model.compile(
            tf.keras.optimizers.Adam(3e-3),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=False,
        )
        return model

    options = {"objective": "val_accuracy", "seed": workload.spec.seed, "overwrite": True}
    held_out = max(workload.data.classes, len(workload.data.x_train) // 5)
    x, y = workload.data.x_train, workload.data.y_train

    def job():
        with TemporaryDirectory() as folder:
            if search == "Hyperband":
                tuner = keras_tuner.Hyperband(
                    build, max_epochs=MOST_EPOCHS, factor=3, directory=folder, **options
                )
            else:
                tuner = keras_tuner.RandomSearch(build, max_trials=6, directory=folder, **options)
            tuner.search(
                x[held_out:],
                y[held_out:],
                validation_data=(x[:held_out], y[:held_out]),
                epochs=MOST_EPOCHS,
                batch_size=workload.batch_size,
                verbose=0,
            )
            trials = tuner.oracle.get_best_trials(num_trials=1000)
        best = trials[0]
        found.update(
            trials=len(trials),
            epochs=sorted(
                {t.hyperparameters.values.get("tuner/epochs", MOST_EPOCHS) for t in trials}
            ),
            filters=best.hyperparameters.get("filters"),
            units=best.hyperparameters.get("units"),
            val_accuracy=float(best.score),
        )
        return np.float64(best.score)

    def proof():
        if found["trials"] < 2 or (search == "Hyperband" and len(found["epochs"]) < 2):
            raise NotEngaged(f"the search ran {found['trials']} trials of {found['epochs']} epochs")
        return dict(found)

    return JobPath(job, proof=proof, accuracy=lambda: found["val_accuracy"])
