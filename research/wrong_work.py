"""`python -m research.wrong_work MODEL …`: which wrong trainings the comparison of losses finds.

Each mistake is built into the plain step of one of the zoo's models (`cnn`: the default),
and its first losses are judged as a path's are: by the fixed limits alone, and with what one
rounding of the initial weights makes of the training allowed besides (`bench.results.tolerance`),
for several factors. The mistakes that only the fixed limits find are what the allowance hides.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.results import tolerance
from bench.results.values import WorkloadSpec
from bench.sweep.executing import DISTURBANCES
from research.zoo.models import MODELS

FACTORS = (0.0, 1.0, 2.0, tolerance.FURTHER, 8.0)
PRECISIONS = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Mistake:
    """What is wrong about a training; the defaults are right."""

    rate: float = 1.0
    """Factor of the learning rate."""
    loss: float = 1.0
    """Factor of the loss that is reported and trained on."""
    frozen: bool = False
    """The last variable is left out."""
    inference: bool = False
    """Layers behave as when they answer: batch normalisation by its stored averages."""
    skipped: int = 0
    """The batch of this number is left out."""
    swapped: bool = False
    """The second and third batch change places."""
    descent: bool = False
    """Plain gradient descent instead of the workload's optimizer."""
    twice: bool = False
    """Gradients of the fifth batch are applied twice."""
    shifted: bool = False
    """Targets belong to the example before."""


MISTAKES: Mapping[str, Mistake] = {
    "learning rate 5 % higher": Mistake(rate=1.05),
    "learning rate 20 % higher": Mistake(rate=1.2),
    "learning rate doubled": Mistake(rate=2.0),
    "loss 1 % larger": Mistake(loss=1.01),
    "loss 5 % larger": Mistake(loss=1.05),
    "loss halved": Mistake(loss=0.5),
    "last variable not trained": Mistake(frozen=True),
    "layers as in inference": Mistake(inference=True),
    "third batch left out": Mistake(skipped=2),
    "tenth batch left out": Mistake(skipped=9),
    "two batches swapped": Mistake(swapped=True),
    "gradient descent for Adam": Mistake(descent=True),
    "one update twice": Mistake(twice=True),
    "targets of the neighbour": Mistake(shifted=True),
}


def spec_of(name: str, cache: str) -> tuple[WorkloadSpec, Mapping[str, str]]:
    """The workload of that name, and the variables that it needs."""
    plain = WorkloadSpec(cache=cache, comparable=True)
    if name == "cnn":
        return plain, {}
    model = next(each for each in MODELS if each.name == name)
    _, file, _, data, *flags = model.given(Path(cache))
    batch = int(flags[flags.index("--batch") + 1]) if "--batch" in flags else plain.batch
    return replace(plain, model=file, data=data, batch=batch), model.environment


def losses(spec: WorkloadSpec, mistake: Mistake) -> list[float]:
    """First losses of the plain step of a workload with a mistake in it."""
    import tensorflow as tf

    from scenarios.core import Workload

    workload = Workload(spec, threads=os.cpu_count() or 1)
    model = workload.model()
    optimizer = workload.optimizer(model)
    if mistake.descent:
        optimizer = tf.keras.optimizers.SGD(1e-3)
        optimizer.build(model.trainable_variables)
    optimizer.learning_rate.assign(optimizer.learning_rate * mistake.rate)
    variables = model.trainable_variables

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = model(x, training=not mistake.inference)
            loss = (workload.loss(y, outputs) + sum(model.losses)) * mistake.loss
        gradients = tape.gradient(loss, variables)
        if mistake.frozen:
            gradients[-1] = tf.zeros_like(gradients[-1])
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    step = tf.function(step)
    batches: list[tuple[Any, Any]] = list(
        itertools.islice(workload.batches(), tolerance.FIRST_LOSSES + 1)
    )
    if mistake.skipped:
        del batches[mistake.skipped]
    if mistake.swapped:
        batches[1], batches[2] = batches[2], batches[1]
    found = []
    for number, (x, y) in enumerate(batches[: tolerance.FIRST_LOSSES]):
        if mistake.shifted:
            y = tf.nest.map_structure(lambda each: tf.roll(each, 1, axis=0), y)
        found.append(float(step(x, y)))
        if mistake.twice and number == 4:
            step(x, y)
    return found


def found_by(
    wrong: Mapping[str, Sequence[float]],
    right: Sequence[float],
    moved: Callable[[float], Sequence[float]],
    precision: str,
) -> dict[float, list[str]]:
    """The mistakes that are found, by the factor of the allowance."""
    return {
        factor: [
            name
            for name, own in wrong.items()
            if tolerance.losses_differ(own, right, precision, moved(factor)) is not None
        ]
        for factor in FACTORS
    }


def main() -> None:
    """Print a table a model and precision."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--cache", default=tempfile.gettempdir() + "/tfbench-wrong-work")
    given = parser.parse_args()
    for name in given.models:
        spec, environment = spec_of(name, given.cache)
        os.environ.update(environment)
        right = losses(spec, Mistake())
        wrong = {each: losses(spec, mistake) for each, mistake in MISTAKES.items()}
        for precision in PRECISIONS:
            others = [
                losses(replace(spec, disturbed=precision, disturbance=number), Mistake())
                for number in range(DISTURBANCES)
            ]
            largest = tolerance.moved_by(others, right)

            def moved(factor: float, largest: Sequence[float] = largest) -> list[float]:
                return [factor / tolerance.FURTHER * each for each in largest]

            counted = found_by(wrong, right, moved, precision)
            hidden = [each for each in counted[0.0] if each not in counted[tolerance.FURTHER]]
            shown = ", ".join(f"{len(each)} at {factor:g}×" for factor, each in counted.items())
            print(
                f"{name}, {precision}: of {len(MISTAKES)} mistakes {shown}; trainings may part by "
                f"{largest[-1] if largest else 0:.2g}; hidden: {', '.join(hidden) or 'none'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
