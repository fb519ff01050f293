"""Inference scenarios keep the contract: they answer, follow the baseline, and prove themselves."""

import pytest

from bench.results.tolerance import outputs_differ
from bench.sweep.discovery import discover
from tests.checks import saw

pytestmark = pytest.mark.launches

SCENARIOS = {id: s for id, s in discover().items() if s.kind in ("infer", "serve")}
SLOW = {"infer/sparse-90", "infer/pqat-int8", "infer/cqat-int8"}
"""Trained as another scenario is that the quick tests run."""


def marked(ids):
    """The ids, those of slow scenarios marked."""
    return [pytest.param(id, marks=[pytest.mark.slow] * (id in SLOW)) for id in ids]


@pytest.fixture(scope="session")
def ran(pool, tmp_path_factory):
    """What each scenario gave, by id, run in as few processes as there are kinds of launches."""
    cache = tmp_path_factory.mktemp("cache")
    answers = {}

    def run(keras, slow):
        ids = [s.id for s in SCENARIOS.values() if s.keras == keras and (s.id in SLOW) == slow]
        module = "tests.scenarios.infer_contract"
        answers.update(saw(pool, module, str(keras), str(cache), *ids, keras=keras))

    def answer(name):
        if name not in answers:
            id = name if name in SCENARIOS else "infer/sparse-xnnpack"
            keras = 3 if name in ("refusals", "pieces of Keras 3") else SCENARIOS[id].keras
            run(keras, id in SLOW)
        return answers[name]

    return answer


def ok(ran, name):
    """What an inference scenario gave, which must have gone well."""
    result = ran(name if name in SCENARIOS or " " in name else f"infer/{name}")
    if result["outcome"] == "missing":
        pytest.skip(result["reason"])
    assert result["outcome"] == "ok", result["reason"]
    assert result["shape"] == [20, 10]
    return result


@pytest.mark.parametrize("id", marked(SCENARIOS))
def test_it_answers_and_proves_its_technique(ran, id):
    if ran(id)["outcome"] in ("Unsupported", "missing"):
        pytest.skip(ran(id)["reason"])
    assert ok(ran, id)["examples"] > 0


@pytest.mark.parametrize("id", marked(id for id, s in SCENARIOS.items() if s.follows))
def test_outputs_follow_the_baseline_within_their_precision(ran, id):
    if ran(id)["outcome"] == "Unsupported":
        pytest.skip(ran(id)["reason"])
    scenario = SCENARIOS[id]
    expected = ok(ran, scenario.baseline)["outputs"]
    assert outputs_differ(ok(ran, id)["outputs"], expected, scenario.follows) is None


@pytest.mark.parametrize("keras", [2, 3])
def test_weights_of_the_model_itself_are_kept(ran, keras):
    assert ran(f"pieces of Keras {keras}")["same outputs"]


def test_depthwise_kernels_are_no_proof_of_pruning(ran):
    """Tfmot leaves them as they are: a user's model that has some is pruned all the same."""
    kernels = ran("pieces of Keras 2")["kernels"]
    assert kernels == [[3, 3, 3, 4], [3, 3, 4, 1], [4, 5]]


def test_batches_answer_as_many_examples(ran):
    assert ok(ran, "function-b8")["examples"] == ok(ran, "litert-float32-b8")["examples"] == 8


def test_compilation_is_proved(ran):
    assert ok(ran, "xla")["proof"]["xla_clusters"] == 1
    assert ok(ran, "frozen")["proof"]["variables"] == 0
    assert ok(ran, "function")["proof"]["traces"] == 1


def test_low_precision_is_proved_in_the_graph(ran):
    assert ok(ran, "mixed-float16")["proof"]["float16_products"] == 5
    assert ok(ran, "bfloat16")["proof"]["bfloat16_products"] == 5
    assert ok(ran, "litert-float16")["proof"]["float16_kernels"] == 5
    assert ok(ran, "litert-dynamic")["proof"]["int8_kernels"] >= 1
    assert ok(ran, "litert-int16x8")["proof"]["int16_operations"] == 5


@pytest.mark.parametrize("name", ["litert-int8", "litert-int8-full", "qat-int8", "combined"])
def test_all_arithmetic_is_int8(ran, name):
    proof = ok(ran, name)["proof"]
    assert proof["int8_operations"] == proof["arithmetic_operations"]
    assert proof["not_int8"] == {}


def test_xnnpack_runs_the_float_graph_and_not_the_16_bit_one(ran):
    assert ok(ran, "litert-float32")["proof"]["outside_xnnpack"] == {}
    assert ok(ran, "litert-float32")["proof"]["xnnpack_partitions"] == 1
    assert "CONV_2D" in ok(ran, "litert-int16x8")["proof"]["outside_xnnpack"]


@pytest.mark.parametrize("name", ["pruned", "pruned-int8", "pcqat-int8", "sparse"])
def test_pruning_reaches_the_guides_80_percent_in_the_stored_weights(ran, name):
    assert ok(ran, name)["proof"]["sparsity"] == pytest.approx(0.8, abs=0.01)


def test_combined_is_pruned_to_half(ran):
    assert ok(ran, "combined")["proof"]["sparsity"] == pytest.approx(0.5, abs=0.01)


def test_structure_and_clusters_are_in_the_stored_weights(ran):
    assert ok(ran, "pruned-2-4")["proof"]["kernels_2_of_4"] == 4  # all but the first, of 3 channels
    assert ok(ran, "clustered")["proof"]["distinct_values_a_kernel"] <= 16
    assert ok(ran, "pcqat-int8")["proof"]["distinct_values_a_channel"] <= 16


def test_fine_tuned_variants_say_how_much_longer_they_trained(ran):
    for name, times in {"pruned": 1, "qat-int8": 1, "pcqat-int8": 3, "combined": 1}.items():
        proof = ok(ran, name)["proof"]
        assert (proof["epochs"], proof["extra_epochs"]) == (1, times)
    assert ok(ran, "separable")["proof"]["extra_epochs"] == 0


def test_smaller_networks_are_smaller(ran):
    whole = ok(ran, "function")
    for name in ("separable", "distilled"):
        assert ok(ran, name)["parameters"] < whole["parameters"] / 2
        assert ok(ran, name)["bytes"] < whole["bytes"]
    assert ok(ran, "combined")["bytes"] < whole["bytes"] / 8


def test_exported_models_hold_each_weight_once(ran):
    for name in ("function", "pruned"):  # Keras 3 and Keras 2
        weights = 4 * ok(ran, name)["parameters"]
        assert weights < ok(ran, name)["bytes"] < 1.3 * weights


def test_sparse_kernels_are_read_as_they_are_stored(ran):
    proof = ok(ran, "sparse")["proof"]
    assert proof["read_sparse"] == 3
    assert proof["made_dense_first"] == 0
    assert proof["outside_xnnpack"] == {"FULLY_CONNECTED": 3}


def test_xnnpacks_sparse_form_is_pruned_and_stored_sparse(ran):
    proof = ok(ran, "sparse-xnnpack forced")["proof"]
    assert proof["made_dense_first"] >= 3
    assert proof["sparsity"] == pytest.approx(0.85, abs=0.01)


def test_xnnpacks_sparse_kernels_are_off_where_avx_is(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    from bench.results.errors import Unsupported
    from scenarios.infer import sparse

    monkeypatch.setattr(sparse.platform, "machine", lambda: "x86_64")
    (tmp_path / "cpuinfo").write_text("flags : sse avx")
    with pytest.raises(Unsupported, match="AVX"):
        sparse.xnnpack_has_sparse_kernels(tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("flags : sse")
    sparse.xnnpack_has_sparse_kernels(tmp_path / "cpuinfo")
    monkeypatch.setattr(sparse.platform, "machine", lambda: "aarch64")
    sparse.xnnpack_has_sparse_kernels(tmp_path / "none")


def test_tensorrt_says_what_to_install(ran):
    for id in (id for id in SCENARIOS if id.startswith("infer/tensorrt")):
        found = ran(id)
        if found["outcome"] == "missing":
            pytest.skip(found["reason"])
        assert found["outcome"] == "Unsupported"
        assert "install" in found["reason"]
        assert "GPU" in found["reason"]


@pytest.mark.parametrize(
    "proof",
    ["sparsity", "2:4", "clusters", "int8", "weights", "zeros", "clusters in int8",
     "stored sparse", "student", "xla", "onnx int8", "trt", "retraced"],
)  # fmt: skip
def test_proof_refuses_a_model_that_the_technique_was_not_applied_to(ran, proof):
    if ran("refusals")[proof] is None:
        pytest.skip("its converter is not installed")
    assert ran("refusals")[proof]


def test_deployment_facts_give_the_guides_difficulties():
    weight = {
        "retraining": 2, "calibration data": 1, "other runtime": 1, "special hardware": 3,
        "partial converter": 1,
    }  # fmt: skip
    scenarios = discover()
    score = {
        id: sum(weight[fact] for fact in scenarios[id].deployment)
        for id in ("infer/separable", "infer/litert-int8", "infer/pruned", "infer/tensorrt")
    }
    assert score["infer/separable"] < 2
    assert 2 <= score["infer/litert-int8"] <= 3
    assert 2 <= score["infer/pruned"] <= 3
    assert score["infer/tensorrt"] >= 4
