"""Other architectures, trained in place of the workload's model for as many epochs."""

from bench.results.errors import NotEngaged
from scenarios.core import InferencePath, Workload, scenario
from scenarios.core.comparable import all_layers
from scenarios.core.workload import Builder
from scenarios.infer.tools.deploy import exported, keras_path, trained_variant
from scenarios.train.tools import blocks


@scenario(
    baseline="infer/function",
    needs=("architecture:free", "model:copyable", "trainable"),
    first=True,
)
def separable(workload: Workload) -> InferencePath:
    """Depthwise separable convolutions in place of the 3×3 convolutions."""

    def proof(model):
        kinds = [type(layer).__name__ for layer in all_layers(model)]
        depthwise = sum(kind in ("DepthwiseConv2D", "SeparableConv2D") for kind in kinds)
        if not depthwise:
            raise NotEngaged("the model has no depthwise convolution")
        return {"depthwise_convolutions": depthwise, "plain_convolutions": _spatial(model)}

    return _variant(workload, "separable", blocks.separable(workload), proof)


@scenario(
    baseline="infer/function",
    needs=("architecture:free", "model:copyable", "trainable"),
    suite="full",
)
def residual(workload: Workload) -> InferencePath:
    """A residual block in place of each 3×3 convolution."""

    def proof(model):
        return _layers(model, "Add", "residual connections")

    return _variant(workload, "residual", blocks.residual(workload), proof)


@scenario(
    baseline="infer/function",
    needs=("architecture:free", "model:copyable", "trainable"),
    suite="full",
)
def squeeze_excitation(workload: Workload) -> InferencePath:
    """A squeeze-and-excitation gate behind each 3×3 convolution."""

    def proof(model):
        return _layers(model, "Multiply", "gates")

    return _variant(workload, "squeeze_excitation", blocks.squeeze_excitation(workload), proof)


def _variant(workload: Workload, name: str, build: Builder, proof) -> InferencePath:
    model = trained_variant(workload, name, build)

    saved = exported(workload, f"{name}_model", lambda: model)

    def facts():
        return proof(model) | {"epochs": workload.epochs, "extra_epochs": 0}

    return keras_path(workload, model, artifact=saved, proof=facts)


def _layers(model, kind: str, what: str) -> dict[str, int]:
    found = sum(type(layer).__name__ == kind for layer in all_layers(model))
    if not found:
        raise NotEngaged(f"the model has no {what}")
    return {what.replace(" ", "_"): found}


def _spatial(model) -> int:
    return sum(blocks.is_spatial(layer) for layer in all_layers(model))
