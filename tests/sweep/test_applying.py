"""Which scenarios apply to which workload, why not, and what each is compared with then."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from bench.results import needs
from bench.results.errors import UsageError
from bench.results.values import Scenario
from bench.sweep.applying import Facts, against, compared, decide, looks_at_trained, need_baseline
from bench.sweep.discovery import discover, select

KNOWN = discover()
KERAS = frozenset({"model:keras", "model:graph", "model:litert", "model:onnx", "model:copyable"})
EVERYTHING = KERAS | {
    "trainable", "architecture:free", "data:images", "data:labels", "data:train",
    "data:real", "inputs:one", "outputs:one", "batch:free", "model:trainable",
    "task:classification",
}  # fmt: skip
LITERT = Facts(
    frozenset({"model:litert"}),
    {"model:graph": "a finished .tflite holds no TensorFlow graph: give the model behind it"},
    plain="infer/litert-float32",
    trained=True,
)


def scenario(id: str, *wanted: str, baseline: str | None = None, **more: object) -> Scenario:
    kind, _, function = id.partition("/")
    made = Scenario(id, kind, "", "m", function.replace("-", "_"), "p", 1)  # type: ignore[arg-type]
    return dataclasses.replace(made, needs=wanted, baseline=baseline, **more)  # type: ignore[arg-type]


def by_id(*scenarios: Scenario) -> dict[str, Scenario]:
    return {each.id: each for each in scenarios}


SMALL = by_id(
    scenario("infer/function", "model:graph"),
    scenario("infer/function-b32", "model:graph", function="function"),
    scenario("infer/litert-float32", "model:litert", baseline="infer/function", follows="float32"),
    scenario("infer/litert-float32-b32", "model:litert", baseline="infer/function-b32",
             follows="float32", function="litert_float32"),
    scenario("infer/litert-int8", "model:graph", baseline="infer/litert-float32", follows="int8"),
    scenario("infer/threads", "model:litert", baseline="infer/function", follows="float32"),
    scenario("infer/threads-b32", "model:litert", baseline="infer/function-b32",
             function="threads"),
    scenario("infer/pruned", "model:copyable", baseline="infer/function"),
    scenario("train/function", "trainable"),
    scenario("train/fit", "trainable", "model:copyable", baseline="train/function"),
    scenario("train/fit-eager", "trainable", baseline="train/fit", follows="float32"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "provided", "applies"),
    [
        ((), (), True),
        (("gpu", "package:x", "tensorflow<2.18"), (), True),
        (("trainable",), ("trainable",), True),
        (("trainable",), (), False),
        (("task:classification|binary",), ("task:binary",), True),
        (("task:classification|binary",), ("task:regression",), False),
        (("model:litert|model:onnx",), ("model:onnx",), True),
        (("model:trained",), ("trainable",), True),
        (("model:trained",), (), False),
        (("keras:3",), (), True),
    ],
)
def test_needs(wanted: tuple[str, ...], provided: tuple[str, ...], applies: bool) -> None:
    facts = Facts(frozenset(provided))
    assert (facts.missing(scenario("infer/x", *wanted)) == "") == applies


def test_the_reason_is_the_launch_s_own_sentence() -> None:
    assert LITERT.missing(SMALL["infer/litert-int8"]).startswith("a finished .tflite holds no")
    bare = Facts(frozenset())
    assert "no such" not in bare.missing(scenario("infer/x", "model:graph"))
    assert "model that TensorFlow can run" in bare.missing(scenario("infer/x", "model:graph"))
    assert "is for classification or binary classification" in bare.missing(
        scenario("infer/x", "task:classification|binary")
    )
    assert "tf_keras" in Facts(frozenset(), keras=2).missing(scenario("train/x", "keras:3"))


def test_what_no_data_could_make_up_for_is_said_first() -> None:
    lacks = {"trainable": "no model that can be trained", "data:labels": "give labelled data"}
    needy = scenario("input/x", "package:x", "data:labels", "trainable")
    assert Facts(frozenset(), lacks).missing(needy) == "no model that can be trained"
    assert Facts(frozenset({"trainable"}), lacks).missing(needy) == "give labelled data"


def test_without_facts_everything_is_tried() -> None:
    found = decide(list(SMALL.values()), SMALL, Facts.of({}))
    assert not found.refused
    assert found.scenarios == tuple(SMALL.values())


def test_what_has_no_baseline_left_is_compared_with_the_plain_path() -> None:
    chosen = [s for id, s in SMALL.items() if not id.startswith("infer/litert-float32")]
    found = decide(chosen, SMALL, LITERT)
    scenarios = by_id(*found.scenarios)
    assert set(found.refused) == {
        "infer/function", "infer/function-b32", "infer/litert-int8", "infer/pruned",
        "train/function", "train/fit", "train/fit-eager",
    }  # fmt: skip
    assert scenarios["infer/threads"].baseline == "infer/litert-float32"
    assert scenarios["infer/threads"].follows == "float32"  # both compute what function does
    assert scenarios["infer/threads-b32"].baseline == "infer/litert-float32-b32"
    assert scenarios["infer/litert-float32"].baseline is None  # joined, as it is the plain path
    assert list(scenarios) == [id for id in SMALL if id in scenarios]  # in their source's order


def test_a_plain_path_and_its_variants_are_baselines_themselves() -> None:
    found = by_id(*decide(list(SMALL.values()), SMALL, LITERT).scenarios)
    assert found["infer/litert-float32"].baseline is None
    assert found["infer/litert-float32-b32"].baseline is None
    assert found["infer/litert-float32"].follows is None


def test_training_goes_up_the_chain() -> None:
    facts = Facts(frozenset({"trainable", "model:graph"}), plain="infer/function")
    found = by_id(*decide(list(SMALL.values()), SMALL, facts).scenarios)
    assert found["train/fit-eager"].baseline == "train/function"


def test_tf_keras_models_are_measured_with_it() -> None:
    facts = Facts(EVERYTHING, keras=2, plain="infer/function")
    assert {s.keras for s in decide(list(SMALL.values()), SMALL, facts).scenarios} == {2}


@pytest.mark.parametrize(
    ("id", "baseline", "follows"),
    [
        ("infer/function", "infer/litert-int8", "int8"),
        ("infer/litert-float32", "infer/litert-int8", "int8"),
        ("infer/litert-int8", None, None),
        ("infer/litert-float32-b32", "infer/litert-int8", "int8"),
        ("infer/pruned", "infer/litert-int8", None),  # it computes another function
        ("train/fit", "train/function", None),
    ],
)
def test_another_baseline(id: str, baseline: str | None, follows: str | None) -> None:
    known = {**SMALL, "infer/litert-float32-b32": dataclasses.replace(
        SMALL["infer/litert-float32-b32"], baseline="infer/function")}  # fmt: skip
    found = against(known, "infer/litert-int8")
    assert (found[id].baseline, found[id].follows) == (baseline, follows)


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean infer/litert-int8"):
        against(SMALL, "infer/litert-int")
    with pytest.raises(UsageError, match="no inference scenario"):
        against(SMALL, "train/function")


def test_a_baseline_that_does_not_apply_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"--baseline infer/litert-int8 .* no TensorFlow graph"):
        need_baseline("infer/litert-int8", KNOWN, LITERT)
    need_baseline("infer/litert-float32", KNOWN, LITERT)
    need_baseline("", KNOWN, LITERT)


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16", "int8"])
def test_the_loosest_precision_on_the_way_counts(precision: str) -> None:
    known: Mapping[str, Scenario] = by_id(
        scenario("infer/a"),
        scenario("infer/b", baseline="infer/a", follows=precision),
        scenario("infer/c", baseline="infer/a", follows="float16"),
    )
    order = ["float32", "float16", "bfloat16", "int8"]
    loosest = max(precision, "float16", key=order.index)
    assert compared(known["infer/c"], "infer/b", known).follows == loosest


@pytest.mark.parametrize(
    ("ids", "looks"),
    [
        (("infer/function",), True),
        (("train/function", "train/distillation"), True),
        (("train/function", "train/fit"), False),
        (("input/files",), False),
    ],
)
def test_a_baseline_is_trained_where_it_is_looked_at(ids: tuple[str, ...], looks: bool) -> None:
    assert looks_at_trained([KNOWN[id] for id in ids]) == looks


# --- this project's scenarios ------------------------------------------------------------------


def test_the_default_workload_gets_every_scenario() -> None:
    found = decide(list(KNOWN.values()), KNOWN, Facts(EVERYTHING, plain="infer/function"))
    assert not found.refused
    assert found.scenarios == tuple(KNOWN.values())


def test_a_model_without_training_data_is_not_trained() -> None:
    facts = Facts(KERAS, plain="infer/function", trained=True)
    found = decide(select(KNOWN, (), "full"), KNOWN, facts)
    own = {f"train/{name}" for name in ("linear", "linear-fit", "quadratic", "quadratic-fit")}
    assert {s.id for s in KNOWN.values() if s.kind == "train"} - set(found.refused) == own
    assert all(s.id in found.refused for s in KNOWN.values() if s.kind == "input")
    assert "infer/function" not in found.refused


@pytest.mark.parametrize(
    ("need", "message"),
    [
        ("model:kears", "did you mean model:keras"),
        ("task:classification|binry", "did you mean task:binary"),
        ("zzz", "use one of"),
        ("package:", "unknown need"),
        ("tensorflow", "unknown need"),
        ("tensorflow<x", "unknown need"),
        *((each, "") for each in (*needs.OF_WORKLOAD, "gpu", "package:x", "tensorflow>=2.20",
                                  "data:images|table")),
    ],
)  # fmt: skip
def test_needs_are_known(need: str, message: str) -> None:
    said = needs.wrong(need)
    assert message in said
    assert bool(said) == bool(message)
