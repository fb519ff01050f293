"""The reference guide's small regressions and dense classifier: where overhead is all."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bench.results.errors import NotEngaged
from scenarios.core import TrainingPath, Workload, scenario
from scenarios.core.graphs import traced_once
from scenarios.core.training import compiled_path
from scenarios.train.tools.fit import fit_function

EXAMPLES, BATCH = 1024, 32


@scenario(suite="full")
def linear(workload: Workload) -> TrainingPath:
    """The line y = 3x + 2 by a custom loop: a tf.Module with two variables, Adam, batches of 32."""
    batches = curve(lambda x: 3 * x + 2, workload.spec.seed)

    class Line(tf.Module):
        def __init__(self):
            super().__init__()
            self.slope = tf.Variable(0.0)
            self.offset = tf.Variable(0.0)

        def __call__(self, x):
            return self.slope * x + self.offset

    line = Line()
    variables = [line.slope, line.offset]
    optimizer = tf.keras.optimizers.Adam(0.1)
    optimizer.build(variables)

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(line(x) - y))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    return TrainingPath(
        None,
        train_step,
        examples=32,
        batches=itertools.cycle(batches),
        proof=lambda: (
            traced_once(train_step) | {"slope": float(line.slope), "offset": float(line.offset)}
        ),
    )


@scenario(baseline="train/linear", follows="float32", suite="full")
def linear_fit(workload: Workload) -> TrainingPath:
    """The line y = 3x + 2 by Keras `fit`: one dense unit, Adam, batches of 32."""
    layers = tf.keras.layers

    def model():
        stack = [layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")]
        return tf.keras.Sequential(stack)

    batches = curve(lambda x: 3 * x + 2, workload.spec.seed)
    return fitted_curve(workload, model, lambda: tf.keras.optimizers.Adam(0.1), batches)


@scenario(suite="full")
def quadratic(workload: Workload) -> TrainingPath:
    """The parabola x² + 2x - 5 by a tf.Module and gradient descent written by hand, rate 0.01."""
    batches = curve(lambda x: x**2 + 2 * x - 5, workload.spec.seed)

    class Parabola(tf.Module):
        def __init__(self):
            super().__init__()
            self.square = tf.Variable(0.0)
            self.slope = tf.Variable(0.0)
            self.offset = tf.Variable(0.0)

        def __call__(self, x):
            return self.square * x**2 + self.slope * x + self.offset

    parabola = Parabola()

    @tf.function
    def train_step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(parabola(x) - y))
        variables = parabola.trainable_variables
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(0.01 * gradient)
        return loss

    return TrainingPath(
        None,
        train_step,
        examples=32,
        batches=itertools.cycle(batches),
        proof=lambda: (
            traced_once(train_step)
            | {"weights": [float(v) for v in (parabola.square, parabola.slope, parabola.offset)]}
        ),
    )


@scenario(baseline="train/quadratic", follows="float32", suite="full")
def quadratic_fit(workload: Workload) -> TrainingPath:
    """The parabola x² + 2x - 5 by Keras `fit`: a Lambda layer, a dense unit, SGD 0.01."""
    layers = tf.keras.layers

    def model():
        powers = layers.Lambda(lambda x: tf.concat([x, x**2], axis=1), output_shape=(2,))
        dense = layers.Dense(1, kernel_initializer="zeros")
        return tf.keras.Sequential([layers.Input((1,)), powers, dense])

    batches = curve(lambda x: x**2 + 2 * x - 5, workload.spec.seed)
    return fitted_curve(workload, model, lambda: tf.keras.optimizers.SGD(0.01), batches)


@scenario(
    baseline="train/function",
    needs=("data:images", "data:labels", "task:classification", "trainable"),
    suite="full",
)
def dense(workload: Workload) -> TrainingPath:
    """The 784-128-10 classifier, on the images in grey at 28×28."""

    def flat(x):
        grey = tf.reduce_mean(x, axis=-1, keepdims=True)
        return tf.reshape(tf.image.resize(grey, (28, 28)), [-1, 784])

    def classifier(_, classes):
        layers = tf.keras.layers
        stack = [
            layers.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax" if workload.gives_probabilities else None),
        ]
        return tf.keras.Sequential(stack, name="dense")

    model = workload.model(classifier)
    path = compiled_path(
        workload, model, proof=lambda: {"parameters": expected_parameters(model, workload)}
    )
    path.batches = itertools.cycle([(flat(x), tf.constant(y)) for x, y in workload.epoch()])
    path.predict = lambda x: np.asarray(model(flat(x), training=False))
    return path


def expected_parameters(model, workload):
    """Number of parameters of 784-128-classes, which the model must have."""
    expected = 784 * 128 + 128 + 129 * workload.data.classes
    if model.count_params() != expected:
        raise NotEngaged(f"{model.count_params()} parameters, not {expected}")
    return expected


def curve(f: Callable[[np.ndarray], np.ndarray], seed: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Batches (x [32, 1], y [32, 1]) of y = f(x) with noise of deviation 0.1, x in -2..2."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (EXAMPLES, 1)).astype(np.float32)
    y = (f(x) + rng.normal(0, 0.1, x.shape)).astype(np.float32)
    pairs = zip(np.split(x, EXAMPLES // BATCH), np.split(y, EXAMPLES // BATCH), strict=True)
    return [(tf.constant(x), tf.constant(y)) for x, y in pairs]


def fitted_curve(
    workload: Workload,
    make_model: Callable[[], Any],
    make_optimizer: Callable[[], Any],
    batches: list[tuple[tf.Tensor, tf.Tensor]],
) -> TrainingPath:
    """A path whose step is an epoch of `fit` on a curve, without XLA."""
    x, y = (tf.stack(parts) for parts in zip(*batches, strict=True))
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).repeat()

    model = make_model()
    squares = tf.keras.losses.MeanSquaredError()
    model.compile(make_optimizer(), workload.fit_loss(model, squares), jit_compile=False)

    def epoch() -> float:
        history = model.fit(dataset, steps_per_epoch=len(batches), verbose=0)
        return float(history.history["loss"][-1])

    def proof() -> dict[str, Any]:
        epoch()
        traces = fit_function(model).experimental_get_tracing_count()
        return {"traces": traces, "weights": [w.numpy().ravel().tolist() for w in model.weights]}

    return TrainingPath(
        None,
        epoch,
        examples=EXAMPLES,
        updates=len(batches),
        proof=proof,
    )
