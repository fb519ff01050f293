"""Every form of a report shows the same figures, from nothing but the run's folder."""

import csv
import json
import math
import os
import re
import shutil
from pathlib import Path
from statistics import mean, median

import pytest

import reports
from bench.results.errors import UsageError
from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.plots.latency import warm_up
from tests.reports.fabricate import TYPICAL, Spec, fabricate, typical
from tests.reports.pages import by_name, html_tables, markdown_tables, outside_scripts

GOLDEN = Path(__file__).parent / "golden"
WIDE = Spec("infer/wide", "infer/function", 1.02, spread=0.3)


def golden(name: str, text: str) -> None:
    """Compare with the stored text; TFBENCH_UPDATE_GOLDEN=1 stores it anew."""
    file = GOLDEN / name
    if os.environ.get("TFBENCH_UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("forms") / "run"
    fabricate(place, [*TYPICAL, WIDE])
    reports.write(place)
    return place


@pytest.fixture(scope="module")
def markdown(folder):
    return (folder / "report.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def by_hand(folder):
    """Latency and speed-up of each scenario from launches.jsonl by plain arithmetic."""
    launches = [json.loads(line) for line in (folder / "launches.jsonl").open()]
    timed = [x for x in launches if x.get("turns")]
    found = {}
    for scenario in {x["scenario"] for x in timed}:
        own = [x for x in timed if x["scenario"] == scenario]
        own = [x for x in own if not x.get("role", "").startswith("control")]
        latency = median(median(t[3] / t[2] for t in x["turns"]) for x in own)
        logs = []
        for x in own:
            if x.get("role", "candidate") != "candidate":
                continue
            (base,) = (
                y
                for y in timed
                if (y["group"], y.get("index"), y.get("role"))
                == (x["group"], x.get("index"), "baseline")
            )
            rounds = {t[0]: t[3] / t[2] for t in base["turns"]}
            logs.append(median(math.log(t[3] / t[2] / rounds[t[0]]) for t in x["turns"]))
        found[scenario] = (latency, math.exp(-mean(logs)) if logs else None)
    return found


def shown_ns(text):
    value, unit = text.split()
    return float(value) * {"ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}[unit]


def test_every_form_shows_the_figures_of_the_launches(folder, markdown, page):
    truth = by_hand(folder)
    rows = {
        "markdown": by_name(markdown_tables(markdown), "scenario", "speed-up"),
        "html": by_name(html_tables(page), "scenario", "speed-up"),
    }
    with (folder / "effects.csv").open(newline="") as file:
        table = {row["scenario"]: row for row in csv.DictReader(file)}
    frame = reports.read(folder).frame().set_index("scenario")
    seen = 0
    for form, found in rows.items():
        for row in found:
            latency, speedup = truth[row["scenario"]]
            (time,) = (row[k] for k in row if k.startswith("time "))
            assert shown_ns(time) == pytest.approx(latency, rel=0.06), form
            assert float(table[row["scenario"]]["latency_ns"]) == pytest.approx(latency)
            assert frame.loc[row["scenario"], "latency_ns"] == pytest.approx(latency)
            if speedup is None:
                assert row["speed-up"] == "–"
                continue
            shown = float(re.match(r"[\d.]+", row["speed-up"])[0])
            assert shown == pytest.approx(speedup, rel=0.05), form
            assert float(table[row["scenario"]]["speedup"]) == pytest.approx(speedup)
            assert frame.loc[row["scenario"], "speedup"] == pytest.approx(speedup)
            seen += 1
    assert seen == 2 * sum(s.baseline is not None and s.outcome == "ok" for s in [*TYPICAL, WIDE])


def test_markdown_and_page_show_the_same_cells(markdown, page):
    one = by_name(markdown_tables(markdown), "scenario") + by_name(
        markdown_tables(markdown), "technique"
    )
    two = by_name(html_tables(page), "scenario") + by_name(html_tables(page), "technique")
    assert len(one) > 30
    assert one == two


def test_the_comment_shows_the_same_effect_table(folder, markdown):
    comment = reports.comment(read_run(folder))
    assert by_name(markdown_tables(comment), "technique") == by_name(
        markdown_tables(markdown), "technique"
    )


def test_the_notebook_shows_the_same_speedups(folder, markdown):
    shown = {
        row["scenario"]: row["speed-up"]
        for row in by_name(html_tables(reports.read(folder)._repr_html_()), "scenario")
    }
    rows = by_name(markdown_tables(markdown), "scenario", "speed-up")
    assert rows
    assert {row["scenario"]: row["speed-up"] for row in rows}.items() <= shown.items()


def test_the_warm_up_s_title_counts_launches_that_are_not_drawn_too(tmp_path):
    fabricate(tmp_path, TYPICAL)
    file = tmp_path / "launches.jsonl"
    launches = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    for launch in launches:
        if launch["scenario"] == "train/xla" and launch.get("turns"):
            launch |= {"steady": False, "warmup_turns": launch["warmup_turns"][:2]}
    file.write_text("".join(json.dumps(x) + "\n" for x in launches), encoding="utf-8")
    drawn = warm_up(facts_of(read_run(tmp_path)))
    assert drawn is not None
    assert re.search(r"; (\d+) of \d+ launches were not steady$", drawn.title)


def test_the_plots_show_the_same_speedups(folder, markdown):
    drawn = (folder / "plots" / "speedup-infer.svg").read_text(encoding="utf-8")
    rows = by_name(markdown_tables(markdown), "scenario", "multiply-adds")
    figures = [row["speed-up"].split()[0] for row in rows if row["speed-up"] != "–"]
    assert figures
    assert [figure for figure in figures if f">{figure}<" not in drawn] == []


def test_a_report_made_anew_elsewhere_has_the_same_bytes(folder, tmp_path):
    other = tmp_path / "run"
    other.mkdir()
    for name in ("run.json", "launches.jsonl"):
        shutil.copy(folder / name, other / name)
    reports.write(other)
    mine = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    theirs = {p.relative_to(other): p.read_bytes() for p in other.rglob("*") if p.is_file()}
    assert theirs == {k: v for k, v in mine.items() if k.name not in ("effects.csv", ".lock")}


def test_the_texts_are_as_they_were(folder, markdown):
    golden("report.md", markdown)
    golden("comment.md", reports.comment(read_run(folder)))


def test_each_plot_is_named_in_the_report_and_exists_twice(folder, markdown):
    named = re.findall(r"!\[[^\]]+\]\(plots/([\w-]+)\.png\)", markdown)
    assert {"size-accuracy", "speedup-infer", "latency", "pareto", "warm-up", "roofline",
            "break-even-train", "memory-infer", "batch-infer", "input-waterfall",
            "launches-infer"} <= set(named)  # fmt: skip
    for name in named:
        assert (folder / "plots" / f"{name}.png").stat().st_size > 5000
        assert "<svg" in (folder / "plots" / f"{name}.svg").read_text(encoding="utf-8")


def test_the_page_is_one_file_that_loads_nothing(page):
    markup = outside_scripts(page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", markup)
    assert not re.search(r"url\((?!#)", markup)
    ids = re.findall(r'\bid="([^"]+)"', markup)
    assert len(ids) == len(set(ids))


# --- runs that went badly -----------------------------------------------------------------------


def written(tmp_path, specs, **more):
    folder = tmp_path / "run"
    fabricate(folder, specs, **more)
    reports.write(folder)
    return (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("outcome", ["failed", "unsupported", "timeout"])
def test_what_did_not_go_well_has_a_reason_and_no_figure(tmp_path, outcome):
    specs = [
        Spec("infer/function"),
        Spec("infer/bad", "infer/function", outcome=outcome, reason="because of that"),
    ]
    text = written(tmp_path, specs, launches=2)
    (row,) = (r for r in by_name(markdown_tables(text), "reason") if r["scenario"] == "infer/bad")
    assert row["outcome"] == outcome
    assert row["reason"] == "because of that"
    with_figures = by_name(markdown_tables(text), "scenario", "speed-up")
    assert all(r["scenario"] != "infer/bad" for r in with_figures)
    record = reports.frame(read_run(tmp_path / "run")).set_index("scenario").loc["infer/bad"]
    known = record.dropna().index
    assert set(known) <= {
        "configuration", "kind", "family", "baseline", "status", "reason", "root", "samples"
    }  # fmt: skip


def test_a_wide_interval_shows_few_digits_and_is_not_distinguishable(markdown):
    (row,) = (
        r
        for r in by_name(markdown_tables(markdown), "scenario", "speed-up")
        if r["scenario"] == "infer/wide"
    )
    value, low, high = re.match(r"([\d.]+)× \(([\d.]+) to ([\d.]+)\)", row["speed-up"]).groups()
    assert len(value) <= 4
    assert float(low) < 1 < float(high)


def test_a_single_launch_has_no_interval(tmp_path):
    text = written(tmp_path, [Spec("train/function"), Spec("train/xla", "train/function", 2.0)],
                   launches=1, controls=False)  # fmt: skip
    (row,) = (
        r
        for r in by_name(markdown_tables(text), "scenario", "speed-up")
        if r["scenario"] == "train/xla"
    )
    assert row["speed-up"] == "≈ 2.0×"
    assert "a single launch: no interval" in text
    assert "no controls" in text


def test_what_a_training_s_accuracy_tells_depends_on_how_often_it_was_trained(tmp_path):
    specs = [Spec("train/function"), Spec("train/xla", "train/function", 2.0)]
    once = written(tmp_path / "once", specs, facts={"settings": {"epochs": 3}})
    assert "Accuracy is that of one training after 3 epochs" in once
    often = written(tmp_path / "often", specs, facts={"settings": {"epochs": 3, "trainings": 4}})
    assert "Accuracy is the mean of 4 trainings after 3 epochs (of fewer where the row" in often


def test_an_empty_run_says_that_nothing_was_measured(tmp_path):
    text = written(tmp_path, [])
    assert "Nothing was measured" in text
    assert (tmp_path / "run" / "report.html").exists()


def test_failed_controls_are_said_on_top(tmp_path):
    warning = "the controls of infer/function@cpu-1 failed: it differed from itself by +9.0%"
    text = written(tmp_path, [Spec("infer/function")], launches=2, facts={"warnings": [warning]})
    assert text.index("failed: it differed") < text.index("## Verdict")


HOSTILE = (
    "infer/<script>alert(1)</script>",
    "infer/a|b",
    "infer/`code`",
    "infer/[x](javascript:alert(1))",
    "infer/$\\alpha$_sub_",
    "infer/日本語 😀",
    "infer/" + "long-" * 40,
    "infer/\u202egnp.exe",
)


def test_hostile_names_and_messages_are_shown_not_interpreted(tmp_path):
    specs = [Spec("infer/function", size=9_000, gzip=5_000)]
    specs += [Spec(name, "infer/function", size=900, gzip=500) for name in HOSTILE]
    specs.append(
        Spec("infer/bad", "infer/function", outcome="failed",
             reason="<img src=x>\n| a | b |\n# not a title @someone https://example.org"),
    )  # fmt: skip
    text = written(tmp_path, specs, launches=2)
    assert "<script" not in text
    assert "<img" not in text
    assert "\n# not" not in text
    assert "@someone" not in text
    assert "https://" not in text
    assert "\u202e" not in text
    assert re.search(r"(?<!`)\[x\]\(", text) is None
    for table in markdown_tables(text):
        assert len({len(row) for row in table}) <= 1
    names = {row["scenario"] for row in by_name(markdown_tables(text), "multiply-adds")}
    assert {"infer/a|b", "infer/日本語 😀", "infer/<script>alert(1)</script>"} <= names
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img" not in outside_scripts(page)


def test_a_backtick_in_the_command_does_not_end_the_block(tmp_path):
    text = written(tmp_path, [], facts={"command": "tfbench run '```'\n# x"})
    assert "````\n" in text


# --- size limits, export ------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [65_536, 6_000, 1_500, 200])
def test_a_comment_keeps_its_limit(folder, limit):
    text = reports.comment(read_run(folder), limit)
    assert len(text) <= limit
    assert text.startswith("<!-- tfbench report -->")


def test_a_job_summary_keeps_its_limit_in_bytes(folder):
    text = reports.job_summary(read_run(folder), 4_000)
    assert len(text.encode()) <= 4_000
    assert "Left out to fit" in text
    assert "Left out" not in reports.job_summary(read_run(folder))


def test_export_gives_the_frame_back(folder, tmp_path):
    import pandas as pd

    run = read_run(folder)
    for ending, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        if ending == ".parquet":
            pytest.importorskip("pyarrow")
        target = tmp_path / f"run{ending}"
        reports.export(run, target)
        back = read(target).set_index("scenario")
        frame = reports.frame(run).set_index("scenario")
        assert list(back.columns) == list(frame.columns)
        assert back.loc["infer/xla", "speedup"] == pytest.approx(frame.loc["infer/xla", "speedup"])
        assert pd.isna(back.loc["infer/tensorrt", "latency_ns"])


def test_export_refuses_another_ending(folder, tmp_path):
    with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
        reports.export(read_run(folder), tmp_path / "run.xlsx")


def test_a_slower_technique_never_pays_off_and_a_faster_one_says_when(markdown):
    assert re.search(
        r"`train/xla`: 5\.\d % faster than train/function; its first step takes 5\.3 s longer, "
        r"saves [\d.]+ ms an update: pays off after [\d,]+ updates",
        markdown,
    )
    assert re.search(r"`train/eager`: 5\.0× slower than train/function; .*never pays off", markdown)


def test_the_traces_longest_operations_are_in_a_rows_details(tmp_path):
    run = typical(tmp_path / "run", launches=2)
    id = next(id for id in run.scenarios if id.startswith("infer/"))
    label = f"{id.replace('/', '-')}@{run.effects.configurations[0]}"
    row = {"operation": "conv2d_1/<Conv2D>", "share": "61.0%"}
    (run.folder / "operations.json").write_text(json.dumps({label: [row]}))
    reports.write(run.folder)
    page = (run.folder / "report.html").read_text()
    assert "conv2d_1/&lt;Conv2D&gt;" in page
    assert "61.0%" in page


def test_a_rows_details_say_why_its_operations_are_missing(tmp_path):
    run = typical(tmp_path / "run", launches=2)
    (run.folder / "operations.json").write_text(json.dumps("x.pb cannot be converted: <bad>"))
    reports.write(run.folder)
    page = (run.folder / "report.html").read_text()
    assert "Top operations are missing: x.pb cannot be converted: &lt;bad&gt;" in page
