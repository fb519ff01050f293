"""The charts of a page without a browser: the facts of the plots, and nothing from elsewhere."""

import json
import re
import sys

import pytest

import reports
from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.forms import html
from reports.plots import interactive, speed, tradeoff
from reports.plots.interactive import charts
from tests.reports.fabricate import TYPICAL, Spec, fabricate
from tests.reports.pages import outside_scripts

ENDING = Spec("infer/</script><script>alert(1)</script>", "infer/function", 1.5, size=9, gzip=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("charts") / "run"
    fabricate(place, [*TYPICAL, ENDING], launches=3)
    return place


@pytest.fixture(scope="module")
def facts(folder):
    return facts_of(read_run(folder))


@pytest.fixture
def specs(facts):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    return {name: json.loads(text) for name, text in charts(facts).specs.items()}


def points_of(spec):
    (found,) = (each for each in spec["layer"] if each.get("name") == "points")
    return found.get("data", spec.get("data"))["values"]


def test_the_charts_show_what_the_plots_show(specs, facts):
    for kind in ("train", "input", "infer"):
        rows, _ = speed.shown(facts, kind)
        points = points_of(specs[f"speedup-{kind}"])
        assert [p["x"] for p in points] == [m.speedup.value for m in rows]
        assert [(p["low"], p["high"]) for p in points] == [
            (m.speedup.low, m.speedup.high) for m in rows
        ]
        assert " ".join(specs[f"speedup-{kind}"]["title"]["text"]) == speed.forest_title(rows, kind)
    found = tradeoff.compared(facts)
    points = points_of(specs["pareto"])
    assert {p["scenario"] for p in points if p["front"]} == found.front
    assert sorted(p["x"] for p in points) == sorted(m.effect.latency_ns for m in found.rows)
    assert " ".join(specs["pareto"]["title"]["text"]) == found.title


def test_names_of_neighbours_stand_on_lines_of_their_own():
    points = [(4e4, 0.0, "litert-int8"), (4.1e4, 0.0, "litert-int8-full"), (4.0e4, 0.01, "qat"),
              (2e4, 0.4, "combined"), (4e4, 2.0, "separable")]  # fmt: skip
    front = [{"x": x, "y": y, "name": name} for x, y, name in points]
    slow = {"x": 4e7, "y": 3.0, "name": "eager"}
    assert interactive._lines(front, [*front, slow]) == [0, 1, 2, 1, 0]
    assert interactive._lines(front[:1], front[:1]) == [0]


def test_a_name_ends_no_script_and_nothing_is_fetched(folder, specs):
    reports.write(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    data = re.findall(r'<script type="application/json" data-chart="[\w-]+">(.*?)</script>', page)
    assert [json.loads(text) for text in data] == list(specs.values())
    assert "<script>alert" not in page
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", outside_scripts(page))
    assert len(page.encode()) < html.LARGEST_BYTES


def test_a_page_that_would_be_too_large_keeps_the_plots(folder, monkeypatch):
    pytest.importorskip("altair")
    monkeypatch.setattr(html, "LARGEST_BYTES", 1_000_000)
    reports.write(folder)
    assert "data-chart" not in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("package", ["altair", "vl_convert"])
def test_without_the_extra_the_page_has_the_plots(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    reports.write(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "data-chart" not in page
    assert page.count("<svg") > 10
