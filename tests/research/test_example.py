"""The documents' example, made from a fabricated run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from bench.results.errors import UsageError
from research import example
from tests.docs.reading import ROOT, links
from tests.reports import fabricate
from tests.reports.fabricate import Spec


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a README, an old example, and a run from which it was refreshed."""
    place = tmp_path_factory.mktemp("home")
    shutil.copyfile(ROOT / "README.md", place / "README.md")
    (place / "docs/example/plots").mkdir(parents=True)
    (place / "docs/example/plots/old.png").write_text("old")
    for name in ("measuring", "precision", "quickstart"):
        (place / f"docs/{name}.md").write_text("")
    fabricate.typical(place / "runs" / "typical")
    example.refresh(place / "runs" / "typical", place)
    return place


def block(home: Path) -> str:
    text = (home / "README.md").read_text()
    return text.partition(example.BEGIN)[2].partition(example.END)[0]


def test_the_readme_shows_the_run_in_few_words(home: Path) -> None:
    text = block(home)
    assert len(text.split()) <= 150
    effect, over_plain = row(text, "8-bit quantization")[:2]
    assert float(effect.rstrip("×")) == pytest.approx(2.6, rel=0.01)
    assert float(over_plain.rstrip("×")) == pytest.approx(2.6 * 4.8, rel=0.02)
    assert "| TensorRT + FP16 | – | – | – | – | not measurable here |" in text
    assert "Example CPU" in text
    assert "an injected 5 % was measured as" in text
    for target in links_of(text):
        assert (home / target).exists(), target


def row(text: str, technique: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {technique} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def links_of(text: str) -> list[str]:
    return [part.partition(")")[0] for part in text.split("](")[1:]]


def test_what_surrounds_the_block_stays(home: Path) -> None:
    def around(text: str) -> tuple[str, str]:
        return text.partition(example.BEGIN)[0], text.partition(example.END)[2]

    assert around((home / "README.md").read_text()) == around((ROOT / "README.md").read_text())


def test_the_report_comes_with_its_plots_and_nothing_old(home: Path) -> None:
    folder = home / "docs/example"
    kept = {path.name for path in (folder / "plots").iterdir()}
    assert {Image.open(path).mode for path in (folder / "plots").iterdir()} == {"P"}, "few bytes"
    shown = {target for target in links(folder / "report.md") if target.startswith("plots/")}
    assert {f"plots/{name}" for name in kept} == shown
    for name in ("report.html", "effects.csv"):
        run = home / "runs" / "typical" / name
        assert (folder / name).read_bytes() == run.read_bytes()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size <= example.MOST_BYTES


def test_the_newest_run_is_taken(home: Path, tmp_path: Path) -> None:
    fabricate.typical(tmp_path / "a", launches=2, facts={"started": 2e9})
    fabricate.typical(tmp_path / "b", launches=2)
    assert example.newest(tmp_path).name == "a"
    with pytest.raises(UsageError, match="holds no run"):
        example.newest(tmp_path / "a")


def test_a_run_without_inference_is_refused_before_anything_is_replaced(home: Path) -> None:
    before = (home / "README.md").read_text()
    run = fabricate.fabricate(home / "runs" / "train", [Spec("train/function")])
    with pytest.raises(UsageError, match="no inference rows"):
        example.refresh(run.folder, home)
    assert (home / "README.md").read_text() == before
    assert (home / "docs/example/report.md").exists()


def test_the_committed_example_is_whole() -> None:
    """What the README shows is there, with what belongs to it, and small enough to be kept."""
    folder = ROOT / "docs/example"
    assert {"report.md", "report.html", "effects.csv"} <= {p.name for p in folder.iterdir()}
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= example.MOST_BYTES
    assert f"docs/example/plots/{example.PICTURE}" in links(ROOT / "README.md")
