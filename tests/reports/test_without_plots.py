"""Without Matplotlib and pandas every form has its tables, and says which extra brings the rest."""

import sys

import pytest

import reports
from bench.results.errors import UsageError
from bench.results.store import read_run
from reports.facts.derive import facts_of
from reports.forms import markdown
from reports.forms.compare import write_comparison
from reports.forms.history import write_history
from reports.tables.report import contents
from tests.reports.fabricate import typical
from tests.reports.test_history import past

SAID = "install the extra `plots`"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("matplotlib", "pandas", "altair", "scipy"):
        for each in [one for one in sys.modules if one.partition(".")[0] == name]:
            monkeypatch.delitem(sys.modules, each)
        monkeypatch.setitem(sys.modules, name, None)
    for each in [
        one for one in sys.modules if one.startswith(("reports.plots.", "reports.forms."))
    ]:
        monkeypatch.delitem(sys.modules, each)


@pytest.fixture
def folder(tmp_path):
    return typical(tmp_path / "run").folder


def check(files, page, text):
    """No plots, all tables, and one line of advice."""
    assert {file.suffix for file in files} <= {".md", ".html", ".csv"}
    assert page.count(SAID) == 1
    assert "<table" in page
    assert "<figure data-figure" not in page
    assert text.count("extra \\`plots\\`") == 1
    assert "![" not in text


def test_a_report_has_its_tables(folder):
    files = reports.write(folder)
    assert [file.name for file in files] == ["report.md", "report.html"]
    text = (folder / "report.md").read_text(encoding="utf-8")
    check(files, (folder / "report.html").read_text(encoding="utf-8"), text)
    (said,) = [line for line in text.splitlines() if "plots" in line]
    assert text.replace(f"{said}\n\n", "", 1) == markdown.render(
        contents(facts_of(read_run(folder))), {}
    )
    assert not (folder / "plots").exists()


def test_a_comparison_has_its_tables(folder, tmp_path):
    other = typical(tmp_path / "other", seed=5).folder
    files = write_comparison([folder, other], tmp_path / "out")
    page, text = ((tmp_path / "out" / f"compare.{e}").read_text("utf-8") for e in ("html", "md"))
    check(files, page, text)


def test_a_history_has_its_tables(tmp_path):
    files = write_history(past(tmp_path / "runs", change=(25, 0.9)), tmp_path / "out")
    page, text = ((tmp_path / "out" / f"history.{e}").read_text("utf-8") for e in ("html", "md"))
    check(files, page, text)
    assert "run-0025" in text


def test_a_frame_names_the_extra(folder):
    run = reports.read(folder)
    with pytest.raises(UsageError, match="install the extra `notebook`"):
        run.frame()
    assert "<table" in run._repr_html_()


@pytest.mark.parametrize(("ending", "extra"), [(".csv", "notebook"), (".parquet", "parquet")])
def test_an_export_names_the_extra(folder, tmp_path, ending, extra):
    with pytest.raises(UsageError, match=f"install the extra `{extra}`"):
        reports.export(read_run(folder), tmp_path / f"rows{ending}")
