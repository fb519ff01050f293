"""Claims of one's own are read, kept, judged and shown as the reference guide's."""

from __future__ import annotations

from pathlib import Path

import pytest

import reports
from bench.results.errors import UsageError
from bench.results.store import RunFolder
from reports.facts import own_claims
from reports.facts.claims import judge
from reports.facts.derive import facts_of
from reports.facts.measured import Facts
from reports.tables.inference import inference_table
from tests.reports.fabricate import TYPICAL, fabricate

CSV = """scenario,technique,speed,size,quality
infer/litert-int8,eight bits,10,4,1
infer/separable,,4,,
infer/xla,,1.1,,
infer/pruned,,,2,0.01
train/xla,,3,,
infer/nowhere,,2,,
"""
TOML = """
[[claims]]
scenario = "infer/litert-int8"
technique = "eight bits"
speed = 10
size = 4.0
quality = "1pp"
"""


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    file = tmp_path / "claims.csv"
    file.write_text(CSV)
    run = fabricate(tmp_path / "run", TYPICAL)
    asked = {"claims": own_claims.read(file), "price_per_hour": 0.36}
    RunFolder(run.folder).write_facts({**run.facts, **asked})
    return facts_of(reports.read(run.folder))


def test_each_is_judged_in_its_own_numbers(facts: Facts) -> None:
    judged = {j.claim.scenario: j for c in own_claims.own_claims(facts)
              if (j := judge(facts, c, "cpu-1"))}  # fmt: skip
    assert judged["infer/litert-int8"].held == "yes"
    assert judged["infer/litert-int8"].claim.technique == "eight bits"
    assert judged["infer/separable"].held == "partly"  # faster, but not four times
    assert "4× claimed" in judged["infer/separable"].why
    assert judged["infer/xla"].held == "yes"
    assert judged["infer/pruned"].held == "partly"  # the loss claimed is smaller than measured
    assert judged["train/xla"].held == "no" or judged["train/xla"].held == "partly"
    assert judged["infer/nowhere"].held == "not measurable here"


def test_they_are_in_the_report_and_the_guide_s_stay(facts: Facts) -> None:
    reports.write(facts.run.folder)
    text = (facts.run.folder / "report.md").read_text()
    assert "Your claims, judged" in text
    assert "eight bits" in text
    assert "8-bit quantization" in text
    assert "Your claims" in (facts.run.folder / "report.html").read_text()


def test_a_price_adds_the_cost_of_a_million(facts: Facts) -> None:
    table = inference_table(facts, "cpu-1")
    place = [column.name for column in table.columns].index("cost per million")
    row = next(row for row in table.rows if row.scenario == "infer/function")
    m = facts.get("infer/function", "cpu-1")
    assert m is not None
    assert m.effect.throughput_per_s
    assert row.cells[place].value == pytest.approx(0.36 / 3600 / m.effect.throughput_per_s * 1e6)


def test_both_forms_say_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "a.csv", tmp_path / "b.toml"
    one.write_text("\n".join(CSV.splitlines()[:2]))
    other.write_text(TOML)
    assert own_claims.read(one) == own_claims.read(other)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "scenario,speed\ninfer/x,fast\n", "speed 'fast' is no number"),
        ("a.csv", "scenario,sped\ninfer/x,2\n", "unknown 'sped'"),
        ("a.csv", "scenario,speed\ninfer/x,\n", "give a scenario's id"),
        ("a.csv", "scenario,speed\n", "holds no claims"),
        ("a.toml", "claims = 3", r"\[\[claims\]\]"),
        ("a.toml", "claims = [", "cannot be read"),
        ("a.csv", None, "cannot be read"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, name: str, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        own_claims.read(tmp_path / name)
    assert "\n" not in str(caught.value)
