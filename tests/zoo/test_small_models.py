"""Two small models of the zoo through some scenarios, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.results.store import read_run
from research.zoo import checking, running
from research.zoo.models import MODELS

pytestmark = pytest.mark.launches
BY_NAME = {model.name: model for model in MODELS}
SOME = {
    "rare-positives": ("infer/litert-float32", "train/function"),
    "two-signatures": ("infer/function", "infer/litert-float32", "infer/pruned"),
}


@pytest.mark.parametrize("name", SOME)
def test_rows_are_ok_or_refused_for_a_reason_that_is_known(
    name: str, cache: Path, tmp_path: Path
) -> None:
    model = BY_NAME[name]
    folder = running.measure(model, tmp_path, str(cache), SOME[name])
    assert (folder / "run.json").exists(), (tmp_path / f"{name}.log").read_text()
    rows = read_run(folder).effects.rows
    assert not checking.certain(model, rows)
    assert sum(row.status == "ok" for row in rows) >= 2
