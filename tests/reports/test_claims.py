import pytest

from bench.sweep.discovery import discover
from reports.facts.claims import EFFECT_TABLE, STANDS_IN, judge
from reports.facts.derive import facts_of
from reports.tables.effects import effect_table
from tests.reports.fabricate import TYPICAL, Spec, fabricate, renamed

CLAIMS = {claim.scenario: claim for claim in EFFECT_TABLE}


def judged(tmp_path, claim, **changes):
    specs = [renamed(s, **changes) if s.id == claim else s for s in TYPICAL]
    return judge(facts_of(fabricate(tmp_path / "run", specs)), CLAIMS[claim], "cpu-1")


def test_the_reference_guides_table_is_complete():
    shown = {c.technique: c.words() for c in EFFECT_TABLE}
    assert shown["depthwise separable convolution"] == "↓↓↓, ↑↑, tiny, low"
    assert shown["8-bit quantization"] == "↓↓, ↑↑↑, small, medium"
    assert shown["weight pruning (80 % sparsity)"] == "↓↓↓, ↑↑, tiny, medium"
    assert shown["TensorRT + FP16"] == "-, ↑↑↑↑, tiny, high"


def test_the_tables_scenarios_are_measured_first():
    """`first` in their source says so to the sweep, which knows no claims."""
    known = discover()
    shown = {c.scenario for c in EFFECT_TABLE} | {id for ids in STANDS_IN.values() for id in ids}
    assert {s.id for s in known.values() if s.first} == shown


def test_a_claim_holds_where_every_part_reaches_it(tmp_path):
    found = judged(tmp_path, "infer/litert-int8", wrong=10, speedup=4.2)
    assert found.held == "yes"


def test_what_the_runtime_gives_is_not_credited_to_the_technique(tmp_path):
    found = judged(tmp_path, "infer/litert-int8", wrong=10, speedup=2.6)
    assert found.held == "partly"
    assert "as fast as infer/litert-float32, ↑↑↑ claimed" in found.why
    assert "12." in found.why.split("of which infer/litert-float32")[0]
    assert "gives 4." in found.why


def test_all_combined_counts_the_runtime_in_and_says_its_share(tmp_path):
    found = judged(tmp_path, "infer/combined", wrong=10)
    assert found.held == "yes"
    assert "of which infer/litert-float32" in found.why


def test_a_weaker_gain_is_partly_and_says_the_figures(tmp_path):
    found = judged(tmp_path, "infer/separable", speedup=1.5)
    assert found.held == "partly"
    assert "speed: 1.4" in found.why or "speed: 1.5" in found.why
    assert "↑↑ claimed" in found.why


def test_no_gain_at_all_is_no(tmp_path):
    found = judged(tmp_path, "infer/pruned", speedup=0.9, gzip=450_000)
    assert found.held == "no"
    assert "size:" in found.why
    assert "speed:" in found.why


def test_a_speed_too_wide_to_tell_decides_nothing(tmp_path):
    small = judged(tmp_path, "infer/litert-int8", wrong=10, speedup=4.5, spread=3.0)
    assert small.held == "partly"
    assert "too wide to tell" in small.why
    assert small.unknown == "speed unknown"
    large = judged(tmp_path / "large", "infer/pruned", speedup=0.9, spread=3.0, gzip=450_000)
    assert large.held == "not measurable here"


def test_a_speed_below_the_claim_for_sure_fails_it_without_a_gain(tmp_path):
    found = judged(tmp_path, "infer/pruned", speedup=1.001, spread=0.01, gzip=450_000)
    assert found.held == "no"


def test_a_speed_that_may_be_less_than_claimed_holds_and_says_so(tmp_path):
    wide = judged(tmp_path, "infer/litert-int8", wrong=10, speedup=4.5, spread=0.3)
    assert wide.held == "yes"
    assert "the interval cannot rule out less than 4×" in wide.why
    assert wide.unknown == ""
    below = judged(tmp_path / "below", "infer/litert-int8", wrong=10, speedup=3.5, spread=0.3)
    assert below.held == "partly"
    assert "↑↑↑ claimed, which the interval cannot rule out" in below.why
    narrow = judged(tmp_path / "narrow", "infer/litert-int8", wrong=10, speedup=4.2)
    assert "cannot rule out less" not in narrow.why


def test_a_row_says_which_gain_is_unknown(tmp_path):
    specs = [renamed(s, speedup=4.5, spread=3.0) if s.id == "infer/litert-int8" else s
             for s in TYPICAL]  # fmt: skip
    table = effect_table(facts_of(fabricate(tmp_path / "run", specs)), "cpu-1")
    row = next(row for row in table.rows if row.scenario == "infer/litert-int8")
    assert (row.cells[-1].text, row.cells[-1].sub) == ("partly", "speed unknown")


def test_what_did_not_run_is_not_measurable_and_says_why(tmp_path):
    found = judged(tmp_path, "infer/tensorrt")
    assert found.held == "not measurable here"
    assert "libnvinfer" in found.why


def test_what_was_not_selected_is_not_measurable(tmp_path):
    run = fabricate(tmp_path / "run", [s for s in TYPICAL if s.id != "infer/pruned"])
    assert judge(facts_of(run), CLAIMS["infer/pruned"], "cpu-1").why == "not run"


def test_a_loss_within_the_claim_that_the_tests_cannot_rule_out_is_said(tmp_path):
    found = judged(tmp_path, "infer/pruned", wrong=11)
    assert "cannot rule out" in found.why


def test_a_large_loss_refutes_the_claim(tmp_path):
    found = judged(tmp_path, "infer/litert-int8", wrong=60)
    assert found.held == "partly"
    assert "(large)" in found.why


@pytest.mark.parametrize("launches", [1, 2])
def test_few_launches_judge_without_a_crash(tmp_path, launches):
    run = fabricate(tmp_path / "run", launches=launches)
    for claim in EFFECT_TABLE:
        assert judge(facts_of(run), claim, "cpu-1").held


def test_speed_is_against_the_plain_model_through_the_chain(tmp_path):
    facts = facts_of(fabricate(tmp_path / "run"))
    m = facts.get("infer/litert-int8", "cpu-1")
    assert m is not None
    assert m.root == "infer/function"
    assert m.against_root is not None
    assert m.speedup is not None
    assert m.against_root.value == pytest.approx(4.8 * 2.6, rel=0.02)
    assert m.speedup.value == pytest.approx(2.6, rel=0.02)


def test_a_missing_plain_model_leaves_speed_against_the_own_baseline(tmp_path):
    specs = [
        Spec("infer/function", outcome="failed", reason="no"),
        *(s for s in TYPICAL if s.id in ("infer/litert-float32", "infer/litert-int8")),
    ]
    found = judge(
        facts_of(fabricate(tmp_path / "run", specs)), CLAIMS["infer/litert-int8"], "cpu-1"
    )
    assert found.held != "yes"
