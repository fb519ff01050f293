"""A technique's own effect beside that over the plain model, and quality by any metric."""

import csv
import json

import pytest

import reports
from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.facts.limits import Limits, Loss
from reports.facts.recommend import recommend
from reports.plots.scaling import batches
from tests.reports.fabricate import Spec, fabricate
from tests.reports.pages import by_name, markdown_tables

SPECS = (
    Spec("infer/function", size=900_000, gzip=450_000),
    Spec("infer/litert-float32", "infer/function", 4.8, wrong=14, size=400_000, gzip=360_000),
    Spec("infer/litert-int8", "infer/litert-float32", 2.6, wrong=16, size=110_000, gzip=90_000),
    *(Spec(f"infer/function-b{n}", examples=n, level=9 * n / (n + 9)) for n in (8, 32)),
    *(Spec(f"infer/litert-float32-b{n}", f"infer/function-b{n}", 3.0, examples=n)
      for n in (8, 32)),
    Spec("infer/litert-int8-b8", "infer/litert-float32-b8", 2.0, examples=8),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("both") / "run"
    fabricate(place, SPECS)
    reports.write(place)
    return place


def rows_of(folder):
    text = (folder / "report.md").read_text(encoding="utf-8")
    return {row["scenario"]: row for row in by_name(markdown_tables(text), "multiply-adds")}


def test_accuracy_is_shown_against_the_baseline_and_against_the_plain_model(folder):
    row = rows_of(folder)["infer/litert-int8"]
    assert row["accuracy against its baseline"].startswith("−0.5 pp")
    assert row["accuracy against the plain model"].startswith("−1.5 pp")
    with (folder / "effects.csv").open(newline="") as file:
        table = {row["scenario"]: row for row in csv.DictReader(file)}
    assert float(table["infer/litert-int8"]["accuracy_delta_pp"]) == pytest.approx(-0.5)
    assert float(table["infer/litert-int8"]["quality_delta"]) == pytest.approx(-0.005)
    frame = reports.read(folder).frame().set_index("scenario").loc["infer/litert-int8"]
    assert frame["accuracy_delta_pp"] == pytest.approx(-0.5)
    assert frame["accuracy_delta_low_pp"] < -0.5 < frame["accuracy_delta_high_pp"]
    assert frame["quality_delta_against_root"] == pytest.approx(-0.015)


def test_every_row_and_the_plot_show_the_own_effect_and_that_over_the_plain_model(folder):
    row = rows_of(folder)["infer/litert-int8"]
    own, over = row["speed-up"].split("×")[0], row["over the plain model"].split("×")[0]
    assert float(own) == pytest.approx(2.6, rel=0.03)
    assert float(over) == pytest.approx(2.6 * 4.8, rel=0.03)
    drawn = (folder / "plots" / "speedup-infer.svg").read_text(encoding="utf-8")
    assert f">{own}×<" in drawn
    assert f">{over}×<" in drawn
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "Inference: infer/litert-int8 is 12" in text  # over the plain model, not 2.6 times
    assert "faster than infer/litert-float32)" in text


def test_a_batch_variant_is_compared_at_its_batch_and_scaling_is_drawn(folder):
    rows = rows_of(folder)
    assert rows["infer/litert-float32-b8"]["over the plain model"].startswith(("2.9", "3.0"))
    assert rows["infer/litert-int8-b8"]["over the plain model"].startswith(("5.9", "6.0", "6.1"))
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "at the same batch: infer/litert-float32-b8 with infer/function-b8" in text
    facts = facts_of(read_run(folder))
    assert batches(facts, "infer") is not None
    assert recommend(facts).best.measured.scenario == "infer/litert-int8"


def test_any_metric_is_shown_by_its_name_unit_and_direction(tmp_path):
    fabricate(tmp_path / "run", SPECS)
    file = tmp_path / "run" / "launches.jsonl"
    launches = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    errors = {"infer/function": 2.0, "infer/litert-float32": 1.9, "infer/litert-int8": 2.5}
    for launch in launches:
        if launch.get("purpose") == "probe" and (error := errors.get(launch["scenario"])):
            for name in ("accuracy", "correct", "predictions"):
                launch.pop(name)
            scores = [error + 0.1 * (k % 3 - 1) for k in range(60)]
            launch |= {"quality_metric": "mae", "quality_unit": "kg", "quality": error,
                       "quality_larger_is_better": False, "scores": scores,
                       "class_qualities": {"cat": 0.9, "dog": 1.0 - error / 10},
                       "other_qualities": {"mse": error**2},
                       "agreement": {"snr_db": 31.6, "relative_error": 0.02}}  # fmt: skip
    file.write_text("".join(json.dumps(x) + "\n" for x in launches), encoding="utf-8")
    described = {"line": "regression: one linear unit; mean absolute error", "notes": ["drawn"]}
    file = tmp_path / "run" / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"workload": described}))
    reports.write(tmp_path / "run")
    facts = facts_of(read_run(tmp_path / "run"))
    worse, better = (facts.get(f"infer/litert-{x}", "cpu-1") for x in ("int8", "float32"))
    assert worse.loss_percent() == pytest.approx(25)
    assert better.loss_percent() == pytest.approx(-5)
    row = rows_of(tmp_path / "run")["infer/litert-int8"]
    assert row["quality"] == "mae 2.50 kg"  # the batch variants have accuracy
    assert row["quality against the plain model"].startswith("+0.500 kg")
    assert row["class that loses most"] == "dog: −5.0 pp"
    assert row["agrees"] == "32 dB"
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "other metrics: mse" in page
    assert "one linear unit; mean absolute error" in page
    found = recommend(facts, limits=Limits(loss=Loss(1.0)))
    assert found.best.measured.scenario == "infer/litert-float32"
    assert "mae −0.100 kg" in found.text()
    drawn = (tmp_path / "run" / "plots" / "pareto.svg").read_text(encoding="utf-8")
    assert "loss of mae, % of the plain model" in drawn


def test_without_labels_what_differs_from_the_plain_model_s_answers_counts_as_lost(tmp_path):
    fabricate(tmp_path / "run", SPECS[:3])
    file = tmp_path / "run" / "launches.jsonl"
    launches = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    differ = {"infer/litert-float32": {"top1": 1.0}, "infer/litert-int8": {"relative_error": 0.02}}
    for launch in launches:
        if launch.get("purpose") == "probe":
            for name in ("accuracy", "correct", "predictions"):
                launch.pop(name)
            launch["agreement"] = differ.get(launch["scenario"], {})
    file.write_text("".join(json.dumps(x) + "\n" for x in launches), encoding="utf-8")
    facts = facts_of(read_run(tmp_path / "run"))
    found = recommend(facts, limits=Limits(loss=Loss(1.0)))
    assert found.best.measured.scenario == "infer/litert-float32"
    assert "answers differ from infer/function's by 0.0 %" in found.text()
    assert recommend(facts).best.measured.scenario == "infer/litert-int8"
    reports.write(tmp_path / "run")
    text = (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert "answers differ from infer/function's by 0.0 %" in text
