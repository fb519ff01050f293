"""Cases by the command line, as their users type them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.results.store import read_run
from bench.results.values import Effect
from tests.cases import data
from tests.cases.asking import builder

pytestmark = pytest.mark.slow
TfBench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def rows(tfbench: TfBench, tmp_path: Path) -> Callable[..., dict[str, Effect]]:
    """Rows of a smoke run, by scenario."""

    def rows(*arguments: str) -> dict[str, Effect]:
        out = tmp_path / "run"
        done = tfbench("run", *arguments, "--profile", "smoke", "--out", str(out))
        assert done.returncode == 0, done.stdout + done.stderr
        return {row.scenario: row for row in read_run(out).effects.rows}

    return rows


def test_augmentation_within_the_model(rows: Callable[..., dict[str, Effect]]) -> None:
    found = rows(
        "train/function", "train/xla", "train/fit", "infer/litert-int8",
        "--model", builder("augmentation_inside"), "--data", "synthetic:12x12x3", "--epochs", "1",
    )  # fmt: skip
    assert found["train/xla"].status == "unsupported"
    assert {found[id].status for id in ("train/function", "train/fit", "infer/litert-int8")} == {
        "ok"
    }


def test_a_good_model_of_rare_positives_is_not_turned_away(
    rows: Callable[..., dict[str, Effect]], tmp_path: Path
) -> None:
    data.scratches(tmp_path / "scratches.npz")
    found = rows(
        "infer/litert-int8", "infer/pruned",
        "--data", f"npz:{tmp_path / 'scratches.npz'}", "--model", builder("few_positives"),
    )  # fmt: skip
    assert {row.status for row in found.values()} == {"ok"}
    assert found["infer/litert-int8"].quality_metric


def test_a_table_with_named_inputs(rows: Callable[..., dict[str, Effect]], tmp_path: Path) -> None:
    data.customers(tmp_path / "customers.csv")
    found = rows(
        "infer/litert-int8", "infer/onnxruntime", "--target", "leaves",
        "--data", f"csv:{tmp_path / 'customers.csv'}", "--model", builder("named_inputs"),
    )  # fmt: skip
    assert {row.status for row in found.values()} == {"ok"}
