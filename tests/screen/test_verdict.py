"""What a run ends with on the screen: the report's own facts, drawn and as plain lines."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from reports.facts.advice import advice
from reports.facts.derive import facts_of
from reports.facts.measured import Facts
from tests.reports.fabricate import TYPICAL, Spec, fabricate
from tfbench.screen.verdict import verdict


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return facts_of(fabricate(tmp_path_factory.mktemp("verdict") / "run", TYPICAL))


def shown(facts: Facts, terminal: bool = False, width: int = 160) -> str:
    console = Console(
        file=io.StringIO(), force_terminal=terminal, width=width, record=True, color_system=None
    )
    verdict(facts, console)
    return console.export_text()


@pytest.mark.parametrize("terminal", [False, True])
def test_it_says_what_pays_what_did_not_run_and_what_is_next(facts: Facts, terminal: bool) -> None:
    text = " ".join(shown(facts, terminal).split())
    for each in advice(facts, facts.configurations[0]):
        assert " ".join(each.sentence.split()) in text
    assert "8-bit quantization" in text
    assert "infer/tensorrt: unsupported: no GPU: install an NVIDIA driver and libnvinfer 10" in text
    assert "report.html" in text
    assert "next: tfbench " in text


def test_without_a_terminal_every_fact_has_a_line_of_its_own(facts: Facts) -> None:
    lines = shown(facts, width=40).splitlines()
    (int8,) = (line for line in lines if line.startswith("  8-bit quantization"))
    assert "inference speed" in int8
    assert "held? " in int8
    assert "\x1b" not in "".join(lines)
    assert sum(line.startswith("  infer/tensorrt: ") for line in lines) == 1


def test_a_terminal_gets_a_table_with_the_interval_below_the_value(facts: Facts) -> None:
    text = shown(facts, terminal=True)
    assert "─" in text
    m = facts.get("infer/litert-int8", facts.configurations[0])
    assert m is not None
    assert m.speedup is not None
    lines = text.splitlines()
    value = next(i for i, line in enumerate(lines) if "8-bit quantization" in line)
    assert " to " in lines[value + 1]


def test_rows_that_were_not_asked_for_are_left_out(tmp_path: Path) -> None:
    specs = [Spec("input/naive"), Spec("input/optimized", "input/naive", 2.0)]
    text = shown(facts_of(fabricate(tmp_path / "run", specs)))
    assert "8-bit quantization" not in text
    assert "Best for input: input/optimized" in text
    assert "Not run" not in text


def test_names_are_no_markup(tmp_path: Path) -> None:
    failed = Spec("infer/x", "infer/function", outcome="failed", reason="[bold] is no markup")
    specs = [Spec("infer/function"), failed]
    text = shown(facts_of(fabricate(tmp_path / "run", specs)))
    assert "infer/x: failed: [bold] is no markup" in text


def test_what_did_not_run_for_one_reason_shares_a_line(tmp_path: Path) -> None:
    why = {"baseline": "infer/function", "outcome": "unsupported", "reason": "no images"}
    specs = [Spec("infer/function"), Spec("infer/x", **why), Spec("infer/y", **why)]
    text = shown(facts_of(fabricate(tmp_path / "run", specs)))
    assert "Not run (2):" in text
    assert "infer/x, infer/y: unsupported: no images" in text


def test_a_table_without_a_figure_is_not_shown(tmp_path: Path) -> None:
    """A finished file of another runtime: no technique of the table applies to it."""
    why = {"outcome": "unsupported", "reason": "holds no graph"}
    specs = [Spec("infer/onnxruntime"), Spec("infer/litert-int8", "infer/onnxruntime", **why)]
    text = shown(facts_of(fabricate(tmp_path / "run", specs)))
    assert "8-bit quantization" not in text
    assert "infer/litert-int8: unsupported: holds no graph" in text
    assert "reference guide" not in text
