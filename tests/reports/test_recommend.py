import math

import pytest

from bench.results.errors import UsageError
from bench.results.values import Estimate
from reports.facts.derive import facts_of
from reports.facts.limits import Limits, Loss
from reports.facts.recommend import chance_faster, recommend, unmeasured
from tests.reports.fabricate import TYPICAL, Spec, fabricate


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    return facts_of(fabricate(tmp_path_factory.mktemp("recommend") / "run"))


def chosen(found):
    return found.best.measured.scenario if found.best else None


def test_without_limits_the_fastest_is_chosen(facts):
    found = recommend(facts)
    assert chosen(found) == "infer/combined"
    assert [c.measured.scenario for c in found.runners_up][:1] == ["infer/litert-int8"]


def test_a_limit_rules_out_and_says_its_cost(facts):
    found = recommend(facts, limits=Limits(loss=Loss(0.6)))
    assert chosen(found) == "infer/litert-int8"
    assert found.refused == 2
    (cost,) = found.costs
    assert cost.startswith("The limit on accuracy loss costs 2.0× in latency")
    assert "infer/combined" in cost


@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("0.5pp", Loss(0.5)), ("1", Loss(1.0)), (1.5, Loss(1.5)), (None, None),
        (" 2 % ", Loss(2.0, relative=True)),
        (1e-5, Loss(1e-5)), ("1e-05pp", Loss(1e-5)), (1, Loss(1.0)), (0, Loss(0.0)),
    ],
)  # fmt: skip
def test_a_loss_is_points_or_a_share_of_the_plain_models_quality(text, loss):
    assert Loss.read(text) == loss


@pytest.mark.parametrize(
    "text", ["", "1 point", "--", "1.2.3pp", "nan", "-1pp", -1.0, math.nan, math.inf, "1e999"]
)
def test_a_loss_that_cannot_be_read_says_what_to_write(text):
    with pytest.raises(UsageError, match=r"--max-loss .*write 0\.5pp .* or 1%"):
        Loss.read(text, "--max-loss")


def test_a_relative_loss_is_of_the_plain_models_own_quality(tmp_path):
    base, other = (
        Spec("infer/function", wrong=300),
        Spec("infer/x", "infer/function", 2.0, wrong=306),
    )
    facts = facts_of(fabricate(tmp_path / "run", [base, other]))
    m = facts.get("infer/x", "cpu-1")
    assert m is not None
    before = m.quality.value - m.quality_change.value
    assert before < 0.9
    assert m.loss_percent(relative=True) == pytest.approx(m.loss_percent() / before)
    between = (m.loss_percent() + m.loss_percent(relative=True)) / 2
    assert chosen(recommend(facts, limits=Limits(loss=Loss(between)))) == "infer/x"
    assert chosen(recommend(facts, limits=Limits(loss=Loss(between, relative=True)))) != "infer/x"


def test_a_limit_that_changes_nothing_costs_nothing(facts):
    found = recommend(facts, limits=Limits(size_bytes=1e6))
    assert found.costs == ("The limit on size costs nothing.",)


def test_limits_that_nothing_satisfies(facts):
    found = recommend(facts, limits=Limits(size_bytes=10, loss=Loss(0.1)))
    assert found.best is None
    assert "No measured scenario satisfies" in found.text()


def test_other_goals(facts):
    assert chosen(recommend(facts, "size")) == "infer/combined"
    assert chosen(recommend(facts, "memory")) == "infer/xla"
    assert chosen(recommend(facts, "cost", price=1.0)) == "infer/function-b256"


def test_how_sure_is_near_certainty_for_far_figures_and_half_for_equal_ones():
    near, far = Estimate(2.0, 1.9, 2.1, 6), Estimate(4.0, 3.9, 4.1, 6)
    assert chance_faster(near, near) == pytest.approx(0.5)
    assert chance_faster(far, near) > 0.999
    assert chance_faster(near, Estimate(2.0, 0.0, float("inf"), 1)) is None


def test_the_text_says_how_sure(facts):
    assert "How sure: " in recommend(facts, limits=Limits(loss=Loss(1.5))).text()


def test_scenarios_without_figures_are_never_recommended(tmp_path):
    specs = [Spec("infer/function"), Spec("infer/x", "infer/function", 9.0, outcome="failed")]
    assert chosen(recommend(facts_of(fabricate(tmp_path / "run", specs)))) == "infer/function"


def test_unknown_goals_and_configurations_are_refused(facts):
    with pytest.raises(UsageError, match="cannot minimize"):
        recommend(facts, "beauty")
    with pytest.raises(UsageError, match="use one of cpu-1"):
        recommend(facts, configuration="gpu-7")


def test_promising_are_combinations_of_what_did_best(facts):
    known = ["infer/pruned-int8", "infer/litert-int8-full", "infer/litert-int8-b8", "infer/eager2",
             "train/int8", *(s.id for s in TYPICAL)]  # fmt: skip
    assert unmeasured(facts, known) == ["infer/litert-int8-full", "infer/pruned-int8"]


def test_an_empty_run_recommends_nothing(tmp_path):
    assert recommend(facts_of(fabricate(tmp_path / "run", []))).best is None
