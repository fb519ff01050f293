"""Graphs and models of shapes that tools once took for others."""

import pytest

from tests.checks import saw

pytestmark = pytest.mark.launches


@pytest.fixture(scope="module")
def seen(pool):
    return saw(pool, "tests.scenarios.shapes_checks")


@pytest.fixture(scope="module")
def keras_2(pool):
    return saw(pool, "tests.scenarios.shapes_checks", "2", keras=2)


@pytest.fixture
def wrapped(keras_2):
    return keras_2["wrapped"]


def test_a_frozen_graphs_inputs_are_bound_by_name(seen):
    found = seen["bound"]
    assert found["order"] != sorted(found["order"])
    assert found["error"] < 1e-5
    assert "relative_error" in found["proved"]


def test_captured_arrays_are_no_inputs_of_a_frozen_or_exported_graph(seen):
    assert seen["captured"]["error"] < 1e-4
    assert seen["captured"]["onnx_inputs"] == 1


def test_a_file_that_does_not_answer_what_was_drawn_for_it_says_how_to_name_a_size(seen):
    refused, given = seen["open_size"]
    assert "takes inputs of other sizes than were drawn (x 3×224×224 for 3×?×?)" in refused
    assert "name a size as in --data synthetic:3x48x320" in refused
    assert given == "other"


def test_convolutions_are_replaced_in_models_of_several_inputs_and_inside_others(seen):
    assert seen["replaced"]["outputs"] == ["kind", "level"]
    assert "SeparableConv2D" in seen["replaced"]["layers"]
    assert "SeparableConv2D" in seen["replaced"]["inside"]


def test_a_mask_has_one_loss_with_and_without_its_last_axis(seen):
    with_axis, squeezed = seen["masks"]
    assert with_axis == pytest.approx(squeezed, rel=1e-5)


def test_class_numbers_have_one_loss_with_and_without_a_last_axis(seen):
    plain, raised, wanted = seen["classes"]
    assert plain == pytest.approx(wanted)
    assert raised == pytest.approx(wanted)


def test_large_images_are_seen_from_fewer_sides(seen):
    assert seen["views"] == [5, 5, 2, 1]


def test_mixed_precision_begins_and_ends_in_float32(seen):
    assert seen["ends"]["dtypes"] == ["float32", "float16", "float32", "float32"]
    assert seen["ends"]["variance"] == pytest.approx([1e-6, 1e-6, 1.0], rel=1e-5)
    # Of a raw table: a variance of 360,000 is beyond float16, and its column would become 0.
    assert seen["ends"]["raw"] == pytest.approx([1.0, 1.0], rel=1e-3)


def test_what_tfmot_does_not_know_is_left_as_it_is(wrapped):
    assert not wrapped["known"]
    assert "Normalization" in wrapped["pruned"]


def test_layers_that_cannot_be_quantized_have_their_outputs_rounded(wrapped):
    alone = "Default8BitOutputQuantizeConfig"
    assert wrapped["configs"]["Activation"] == alone
    assert wrapped["configs"]["BatchNormalization"] == "NoneType"  # folded into what it follows
    assert {wrapped["configs"][name] for name in ("SeparableConv2D", "Dense")} == {"NoneType"}


def test_a_model_without_a_layer_to_quantize_is_refused(wrapped):
    assert "has none: infer/litert-int8" in wrapped["refused"]


def test_a_quantized_copy_keeps_what_the_model_learned_of_its_columns(keras_2):
    assert keras_2["quantized"]["error"] < 0.1  # without: off by its own size


def test_a_copy_in_bfloat16_keeps_what_the_model_learned_of_its_columns(seen):
    assert seen["copied"]["dtype"] == "bfloat16"
    assert seen["copied"]["error"] < 0.05


def test_ranges_begin_at_what_examples_need_and_weights_stay(keras_2):
    found = keras_2["quantized"]
    assert found["cut_off"] < 6.1 < found["largest"]  # tfmot's own beginning
    assert found["kept"]


def test_parts_of_separable_convolutions_and_several_inputs_are_quantized(keras_2):
    separable, several = keras_2["named_alike"]
    assert 0 < separable < 0.1
    assert 0 < several < 0.1


def test_a_model_is_split_behind_its_words_in_both_kerases(seen, keras_2):
    for found in (seen["split"], keras_2["split"]):
        assert found["error"] < 1e-6
        assert "TextVectorization" not in found["layers"]
        assert found["parameters"][0] == found["parameters"][1]
    assert "Functional" not in keras_2["split"]["layers"][1:]  # tfmot takes no model in another


def test_a_layer_of_few_values_is_clustered_to_as_many_as_it_has(keras_2):
    assert keras_2["clustered"]["numbers"] == [6, 16, 16, 16]
    assert keras_2["clustered"]["values"] == pytest.approx([0, 1, 2, 3, 4, 5], abs=1e-6)


def test_a_model_that_tfmot_cannot_unwrap_is_refused(keras_2):
    assert "tfmot cannot take model" in keras_2["clustered"]["refused"]
