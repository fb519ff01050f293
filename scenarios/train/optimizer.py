"""Other optimizers and learning rates: cost of a step, and time to a target accuracy."""

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import JobPath, TrainingPath, Workload, quality, scenario
from scenarios.core.training import compiled_path, compiled_step
from scenarios.core.workload import LEARNING_RATE

ACCURACY_BELOW_BASELINE = 0.01


@scenario(baseline="train/function", needs=("trainable",), suite="full")
def adamw(workload: Workload) -> TrainingPath:
    """AdamW at the reference guide's rate and weight decay (1e-4, 1e-5)."""
    model = workload.model()
    optimizer = tf.keras.optimizers.AdamW(1e-4, weight_decay=1e-5)
    optimizer.build(model.trainable_variables)

    def proof():
        # One that holds no zeros only, as biases do at first.
        weight = max(model.trainable_variables, key=lambda v: float(np.abs(v.numpy()).sum()))
        before = weight.numpy()
        optimizer.learning_rate = 1.0
        optimizer._apply_weight_decay([weight])
        optimizer.learning_rate = 1e-4
        shrunk = 1 - float(np.abs(weight.numpy()).sum() / np.abs(before).sum())
        if not shrunk > 0:
            raise NotEngaged("weights do not decay")
        return {"weight_decay": shrunk}

    return compiled_path(workload, model, optimizer, proof=proof)


@scenario(baseline="train/function", needs=("trainable",), suite="full")
def cosine_decay(workload: Workload) -> TrainingPath:
    """Cosine decay of the learning rate, 1e-3 to 0 over the reference guide's 10,000 steps."""
    model = workload.model()
    optimizer = tf.keras.optimizers.Adam(tf.keras.optimizers.schedules.CosineDecay(1e-3, 10_000))
    optimizer.build(model.trainable_variables)

    def proof():
        rate = float(optimizer.learning_rate)
        if not rate < 1e-3:
            raise NotEngaged("the rate has not decayed")
        return {"learning_rate": rate, "updates": int(optimizer.iterations)}

    return compiled_path(workload, model, optimizer, proof=proof)


@scenario(
    baseline="train/time-to-accuracy",
    needs=("data:labels", "task:classification", "trainable", "model:trained"),
    unit="job",
    suite="full",
    variants={
        "": {"decay": False, "scenario": {"baseline": None}},
        "cosine": {"decay": True},
    },
)
def time_to_accuracy(workload: Workload, decay: bool = False) -> JobPath:
    """Training until it classifies the test half as well as the baseline, less 1 point."""
    goal = quality.predict(workload.trained_model(), workload.data.x_test)
    target = quality.accuracy(goal, workload.data.y_test) - ACCURACY_BELOW_BASELINE
    total = workload.epochs * workload.steps_per_epoch
    reached: dict[str, float] = {}

    def job():
        model = workload.model()
        schedule = tf.keras.optimizers.schedules.CosineDecay(LEARNING_RATE, total)
        optimizer = tf.keras.optimizers.Adam(schedule if decay else LEARNING_RATE)
        optimizer.build(model.trainable_variables)
        step = compiled_step(workload, model, optimizer)
        batches = workload.batches()
        for epoch in range(1, workload.epochs + 1):
            for _ in range(workload.steps_per_epoch):
                step(*next(batches))
            accuracy = quality.accuracy(
                quality.predict(model, workload.data.x_test), workload.data.y_test
            )
            reached.update(epochs=epoch, accuracy=accuracy, target=target)
            if accuracy >= target:
                break
        return accuracy

    def proof():
        if reached["accuracy"] < target:
            raise NotEngaged(
                f"{reached['accuracy']:.1%} after {reached['epochs']} epochs: the target of "
                f"{target:.1%} was not reached"
            )
        return dict(reached)

    return JobPath(job, proof=proof, accuracy=lambda: reached["accuracy"])
