"""The trained model pruned or clustered by tfmot, run as before by a tf.function."""

from pathlib import Path

from scenarios.core import InferencePath, Workload, scenario
from scenarios.core import compression as tools
from scenarios.core.deploy import export, keras_path


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization",),
    deployment=("retraining",),
)
def pruned(workload: Workload) -> InferencePath:
    """Magnitude pruning 50 → 80 % (PolynomialDecay), zeros removed from no kernel."""
    model = tools.pruned_model(workload)

    def save(path: Path) -> None:
        export(model, path)

    saved = workload.artifact("pruned_model", save)

    def proof():
        return tools.sparsity(saved, at_least=0.79) | tools.extra_training(workload)

    return keras_path(workload, model, artifact=saved, proof=proof)


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization",),
    deployment=("retraining",),
    suite="full",
)
def pruned_2_4(workload: Workload) -> InferencePath:
    """Structural pruning: two of every four values along the input channels are zero."""
    model = tools.changed_model(workload, "pruned_2_4", tools.prune_2_4)

    def save(path: Path) -> None:
        export(model, path)

    saved = workload.artifact("pruned_2_4_model", save)

    def proof():
        return tools.two_of_four(saved) | tools.extra_training(workload)

    return keras_path(workload, model, artifact=saved, proof=proof)


@scenario(
    baseline="infer/function",
    keras=2,
    needs=("package:tensorflow_model_optimization",),
    deployment=("retraining",),
    suite="full",
)
def clustered(workload: Workload) -> InferencePath:
    """Weight clustering: 16 distinct values in each kernel."""
    model = tools.clustered_model(workload)

    def save(path: Path) -> None:
        export(model, path)

    saved = workload.artifact("clustered_model", save)

    def proof():
        return tools.distinct_values(saved) | tools.extra_training(workload)

    return keras_path(workload, model, artifact=saved, proof=proof)
