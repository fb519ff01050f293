"""Run in one process with TensorFlow: trainings of other workloads than images.

Prints a JSON object of what each check saw; test_kinds.py judges it.
"""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from bench.results.errors import TfbenchError
from bench.results.values import WorkloadSpec
from scenarios.core import Workload, budget, lookup, training
from scenarios.core.models import finding
from scenarios.core.training import compiled_step
from scenarios.train.compilation import xla

HERE = Path(__file__).resolve()
KINDS = str(HERE.with_name("kinds.py"))


def said(call, *arguments):
    """What a call said when it refused, or None."""
    try:
        call(*arguments)
    except TfbenchError as error:
        return f"{type(error).__name__}: {error}"
    return None


def workload(scratch, data, model="", **options):
    """Of the functions of kinds.py; without a model of one that composes it."""
    if not model:
        options["factory"] = f"{KINDS}:{data}"
        return Workload(WorkloadSpec(data="", cache=scratch, **options))
    return Workload(
        WorkloadSpec(data=f"{KINDS}:{data}", model=f"{KINDS}:{model}", cache=scratch, **options)
    )


def composed(scratch):
    """A workload that a function of the user's put together."""
    made = workload(scratch, "churn", epochs=2)
    model = made.model()
    optimizer = made.optimizer(model)
    step = compiled_step(made, model, optimizer)
    losses = [float(step(*next(made.batches()))) for _ in range(3)]
    return {
        "metric": made.task.metrics[0].name,
        "optimizer": type(optimizer).__name__,
        "rate": float(optimizer.learning_rate),
        "batch": made.batch_size,
        "losses": losses,
        "own_loss": float(made.loss(*[next(made.batches())[1]] * 2)),
        "calls": made.own.train_step.calls,
        "refused": said(made.plain_step_only, "gradients are accumulated inside the step"),
        "prepared": training.prepare(made)["quality_metric"],
        "objects": workload(scratch, "objects").task.kind,
        "nothing": said(workload, scratch, "rare_data"),
        "misspelt": said(workload, scratch, "misspelt"),
    }


def weighted(scratch):
    """Weights of outputs, and epochs that the user's own callbacks see."""
    made, plain = workload(scratch, "weighted"), workload(scratch, "two_data", "two")
    x, y = next(plain.batches())
    outputs = plain.network(plain.model())(x)
    own = made.own.callbacks.__globals__["ended"]
    training.train(made, made.model(), budget_s=0)
    alone = plain.task.loss({"kind": y["kind"]}, outputs)
    return {"epochs": len(own), "loss": float(made.loss(y, outputs)), "alone": float(alone)}


def doubted(scratch):
    """What is said of baselines of some quality, by their model's name."""
    found = {}
    for model, quality, guessing in (
        ("cnn", 0.5, None), ("cnn", 0.98, None), ("net.py:build", 0.5, None), ("cnn", 0.98, "luck"),
    ):  # fmt: skip
        asked = SimpleNamespace(
            data=SimpleNamespace(target_accuracy=0.97, test=SimpleNamespace(targets=None)),
            spec=SimpleNamespace(model=model),
            epochs=3, task=SimpleNamespace(guessing=lambda *_, said=guessing: said),
        )  # fmt: skip
        judged = SimpleNamespace(value=quality, metric=SimpleNamespace(name="accuracy"))
        found[f"{model} {quality} {guessing}"] = list(training.doubts(asked, None, judged))
    return found


def bounded(scratch):
    """A training that its budget cuts, and one with time enough."""
    found = []
    for budget_s in (1e-3, 600.0):
        made = workload(scratch, "amounts_data", "amounts", epochs=40, train_budget_s=budget_s)
        made.base.joinpath("trained.npz").unlink(missing_ok=True)
        plans = []
        training.train(made, made.model(), plan=plans.append)
        (done,) = made.trainings
        found.append([done.updates, done.wanted, plans, str(done)])
    return found


def kept(scratch):
    """Whether a longer budget makes a new artifact where a shorter one cut its training."""
    made = []

    def file(budget_s, updates):
        each = workload(scratch, "amounts_data", "amounts", epochs=1, train_budget_s=budget_s)

        def make(path):
            each.trainings.append(budget.Training(updates, 10, 1.0, budget_s))
            path.write_text(str(updates))

        path = each.artifact("tuned.txt", make)
        made.append((path.read_text(), [t.updates for t in each.trainings]))

    for budget_s, updates in ((1.0, 3), (1.0, 4), (0.5, 4), (60.0, 10), (0.0, 9)):
        file(budget_s, updates)
    return made


def errors(scratch):
    """A loss that is no number, and a bug in `call`."""
    nan = workload(scratch, "amounts_data", "logarithm")
    broken = workload(scratch, "amounts_data", "broken")
    model = broken.model()
    path = training.compiled_path(broken, model)
    turned = workload(scratch, "pictures_data", "turned")
    rotated = xla(turned)
    return {
        "nan": said(training.train, nan, nan.model()),
        "call": said(path.advance),
        "rotation": said(rotated.advance),
        "flip": said(xla(workload(scratch, "pictures_data", "flipped")).advance),
        "strings": said(xla, workload(scratch, "text_data", "text")),
    }


def behind_words(scratch):
    """What converters take of a model of strings; the workload itself stays as it is."""
    made = workload(scratch, "text_data", "text")
    training.prepare(made)
    found = lookup.behind(made)
    return {
        "dtypes": [str(spec) for each in (found, made) for spec in each.facts.signature.values()],
        "weights": [len(each.trained_model().weights) for each in (found, made)],
    }


def compiled_by_user(scratch):
    """The user's optimizer and loss are those that train."""
    made = workload(scratch, "amounts_data", "amounts")
    optimizer = made.optimizer(made.model())
    y = np.zeros((2, 1), np.float32)
    return [type(optimizer).__name__, float(optimizer.momentum), float(made.loss(y, y + 3))]


def looked_at(scratch):
    """How many models two launches make for two models each, and what these answer."""
    made, real, found = [], finding.cnn, []

    def counted(*shape):
        made.append(shape)
        return real(*shape)

    finding.cnn = counted
    x = np.ones((4, 8, 8, 3), np.float32)
    for _ in range(2):
        each = Workload(WorkloadSpec(data="synthetic:8x8x3", cache=scratch))
        before = len(made)
        answers = [float(tf.reduce_sum(each.model()(x, training=True) ** 2)) for _ in range(2)]
        found.append([len(made) - before, *answers])
    finding.cnn = real
    return found


if __name__ == "__main__":
    tf.get_logger().setLevel("ERROR")
    checks = {"composed": composed, "bounded": bounded, "kept": kept, "errors": errors,
              "behind words": behind_words, "compiled": compiled_by_user,
              "weighted": weighted, "doubted": doubted,
              "looked at": looked_at}  # fmt: skip
    seen = {}
    for name, check in checks.items():
        with tempfile.TemporaryDirectory() as scratch:
            seen[name] = check(scratch)
    json.dump(seen, sys.stdout)
