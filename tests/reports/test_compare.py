import csv
import math

import numpy as np
import pytest

from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.facts.environments import differences, equality, unfair
from reports.facts.sides import all_sides, effect_change, latency_ratio, welch
from reports.forms.compare import write_comparison
from reports.tables.comparison import contents
from tests.reports.fabricate import ENVIRONMENT, TYPICAL, fabricate, renamed
from tests.reports.pages import by_name, html_tables, markdown_tables

OTHER = {**ENVIRONMENT, "cpu": "Other CPU", "packages": {"tensorflow": "2.19.0"}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("compare")
    weaker = [renamed(s, speedup=1.5) if s.id == "infer/litert-int8" else s for s in TYPICAL]
    fabricate(place / "laptop")
    fabricate(place / "server", weaker, seed=3, machine=2.0, facts={"environment": OTHER})
    return place


@pytest.fixture(scope="module")
def sides(runs):
    return all_sides([facts_of(read_run(runs / name)) for name in ("laptop", "server")])


def test_the_faster_machine_is_found_faster(sides):
    ratio = latency_ratio(*sides, "infer/pruned")
    assert ratio is not None
    assert ratio.low < 2.0 < ratio.high


def test_an_effect_that_travels_is_not_distinguishable_and_another_is(sides):
    same = effect_change(*sides, "infer/litert-float32")
    other = effect_change(*sides, "infer/litert-int8")
    assert same is not None
    assert other is not None
    assert same.low < 1 < same.high
    assert other.value == pytest.approx(1.5 / 2.6, rel=0.02)
    assert other.high < 1


def test_headlines_count_what_differs(sides):
    (headline,) = contents(sides).headlines
    assert headline.startswith("server is")
    assert "1 of 13 techniques have another effect there" in headline


def test_machine_and_software_both_other_cannot_be_put_down_to_one(runs):
    found = differences([read_run(runs / "laptop"), read_run(runs / "server")])
    assert {d.kind for d in found} == {"machine", "software"}
    (said,) = unfair(found)
    assert "cannot be put down to either" in said


def test_other_work_makes_every_comparison_unfair(tmp_path):
    one = fabricate(tmp_path / "a", TYPICAL[:2], launches=2)
    two = fabricate(tmp_path / "b", TYPICAL[:2], launches=2,
                    facts={"workload": {"model": "cnn", "data": "mnist", "batch": 32}})  # fmt: skip
    (said,) = unfair(differences([one, two]))
    assert "other work (data" in said
    assert equality(one.facts) != equality(two.facts)


def test_equal_environments_have_nothing_that_differs(tmp_path):
    one = fabricate(tmp_path / "a", TYPICAL[:2], launches=2)
    two = fabricate(tmp_path / "b", TYPICAL[:2], launches=2)
    assert differences([one, two]) == []
    assert equality(one.facts) == equality(two.facts)


def test_all_forms_show_the_same_and_the_cost(runs, tmp_path):
    write_comparison([runs / "laptop", runs / "server"], tmp_path / "out", [0.1, 0.3])
    text = (tmp_path / "out" / "compare.md").read_text(encoding="utf-8")
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    rows = by_name(markdown_tables(text), "scenario")
    assert rows == by_name(html_tables(page), "scenario")
    with (tmp_path / "out" / "compare.csv").open(newline="") as file:
        table = {(r["scenario"], r["side"]): r for r in csv.DictReader(file)}
    row = table["infer/pruned", "server"]
    cost = 0.3 / 3600 * float(row["latency_ns"]) * 1e-9 * 1e6
    assert float(row["cost_per_million"]) == pytest.approx(cost)
    again = tmp_path / "again"
    write_comparison([runs / "laptop", runs / "server"], again, [0.1, 0.3])
    for file in (tmp_path / "out").rglob("*.*"):
        assert file.read_bytes() == (again / file.relative_to(tmp_path / "out")).read_bytes()


def test_two_configurations_of_one_run_are_two_sides(tmp_path):
    facts = facts_of(fabricate(tmp_path / "run", TYPICAL[:3], configurations=("cpu-1", "cpu-all")))
    assert [s.name for s in all_sides([facts])] == ["run, cpu-1", "run, cpu-all"]


def test_runs_of_the_same_name_are_distinguishable(tmp_path):
    runs = [fabricate(tmp_path / x / "run", TYPICAL[:2], launches=2) for x in "ab"]
    assert [s.name for s in all_sides([facts_of(r) for r in runs])] == ["run (1)", "run (2)"]


def test_prices_must_be_as_many_as_runs(runs, tmp_path):
    with pytest.raises(ValueError, match="1 prices for 2 runs"):
        write_comparison([runs / "laptop", runs / "server"], tmp_path / "out", [1.0])


def test_welchs_interval_covers_the_truth_as_often_as_it_says():
    draw = np.random.default_rng(1)
    inside = 0
    for _ in range(600):
        item = welch(draw.normal(0.3, 0.02, 6).tolist(), draw.normal(0.0, 0.06, 5).tolist())
        inside += item.low <= math.exp(0.3) <= item.high
    assert 0.92 <= inside / 600 <= 0.98
