"""Models of users' kinds, each asked what it is and what scenarios make of it."""

from __future__ import annotations

import pytest

from bench.results.tolerance import outputs_differ
from tests.cases.asking import Ask, Asked, builder, slow

pytestmark = pytest.mark.launches


# --- a nested backbone, its first block frozen --------------------------------------------------


@pytest.fixture(scope="module")
def nested(ask: Ask) -> Asked:
    return ask(model=builder("nested_backbone"))


@pytest.mark.parametrize("id", ["infer/pruned", slow("infer/clustered")])
def test_pruning_and_clustering_reach_the_kernels_of_an_inner_model(nested: Asked, id: str) -> None:
    proof = nested.ok(id).proof
    inner, head = 3 * 3 * 3 * 16 + 3 * 3 * 16 * 32, 32 * 10
    assert proof["kernel_weights"] == inner + head


def test_an_inner_model_that_cannot_be_quantized_is_named_with_the_way_out(nested: Asked) -> None:
    assert "backbone.output" in nested.refused("infer/qat-int8")


@pytest.mark.slow
def test_the_way_out_of_an_inner_model_is_one(ask: Ask) -> None:
    assert ask(model=builder("nested_backbone", "build_flat")).ok("infer/qat-int8").proof


# --- a softmax that no last layer shows -----------------------------------------------------------

SPELLINGS = ("build", "build_function", "build_logits")


def test_spellings_of_one_classifier_have_one_task_and_one_loss(ask: Ask) -> None:
    asked = [ask(model=builder("hidden_softmax", each)) for each in SPELLINGS]
    assert {each.facts["task"] for each in asked} == {"classification"}
    losses = [each.ok("train/function").losses for each in asked]
    for other in losses[1:]:
        assert other == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.slow
def test_spellings_of_one_classifier_teach_one_student(ask: Ask) -> None:
    students = [
        ask(model=builder("hidden_softmax", each)).ok("infer/distilled") for each in SPELLINGS
    ]
    for other in students[1:]:
        assert other.outputs == pytest.approx(students[0].outputs, abs=0.05)


# --- augmentation within the model ----------------------------------------------------------------


@pytest.fixture(scope="module")
def augmented(ask: Ask) -> Asked:
    return ask(model=builder("augmentation_inside"))


@pytest.mark.parametrize("id", ["infer/litert-int8", slow("infer/onnxruntime")])
def test_no_random_operation_is_deployed(augmented: Asked, id: str) -> None:
    assert augmented.ok(id).accuracy is not None


def test_a_rotation_is_named_where_xla_has_no_kernel(augmented: Asked) -> None:
    reason = augmented.refused("train/xla")
    assert "otation" in reason
    assert "tf.data" in reason


@pytest.mark.slow
def test_a_flip_alone_is_compiled(ask: Ask) -> None:
    asked = ask(model=builder("augmentation_inside", "build_flip_only"))
    assert asked.ok("train/xla").losses


@pytest.mark.slow
def test_random_draws_are_no_fault_of_a_path(augmented: Asked) -> None:
    plain, other = (augmented.ok(id).losses for id in ("train/function", "train/fit"))
    assert other == pytest.approx(plain, rel=1e-3)


# --- recurrent layers -----------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["build", slow("build_stacked")])
def test_recurrent_layers_run_in_litert(ask: Ask, function: str) -> None:
    asked = ask(model=builder("recurrent_rows", function))
    plain, lite = (asked.ok(id).outputs for id in ("infer/function", "infer/litert-float32"))
    assert not outputs_differ(plain, lite, "float32")
    assert asked.ok("infer/litert-int8").proof


@pytest.mark.slow
@pytest.mark.parametrize("function", ["build", "build_stacked"])
def test_recurrent_layers_are_compiled_by_xla_on_cpus(ask: Ask, function: str) -> None:
    assert ask(model=builder("recurrent_rows", function)).ok("train/xla").losses


# --- what cannot be copied ------------------------------------------------------------------------

UNCOPIED = {
    ("build_lambda", "infer/qat-int8"): "centre",
    ("build_bare_layer", "infer/pruned"): "blur",
    ("build_bare_layer", "infer/qat-int8"): "blur",
    ("build_subclass", "infer/pruned"): "scaled",
    ("build_subclass", "infer/qat-int8"): "scaled",
}
RUNS = ("infer/function", "infer/litert-int8", "infer/onnxruntime", "train/function")


@pytest.mark.parametrize(("function", "id"), UNCOPIED)
def test_what_must_copy_a_model_names_the_layer(ask: Ask, function: str, id: str) -> None:
    asked = ask(model=builder("not_copied", function))
    assert UNCOPIED[function, id] in asked.refused(id).lower()
    assert "cannot be built" not in asked.said


@pytest.mark.parametrize("id", RUNS)
@pytest.mark.parametrize(
    "function", [slow("build_lambda"), slow("build_bare_layer"), "build_subclass"]
)
def test_what_needs_no_copy_is_measured(ask: Ask, function: str, id: str) -> None:
    assert ask(model=builder("not_copied", function)).ok(id).artifact_bytes != 0


def test_a_weight_of_the_models_own_is_kept_with_the_trained_ones(ask: Ask) -> None:
    asked = ask(model=builder("not_copied", "build_subclass"))
    plain, loaded = (asked.ok(id).outputs for id in ("infer/function", "infer/savedmodel"))
    assert not outputs_differ(plain, loaded, "float32")
