"""Finished files of LiteRT: one of several functions, and calls of many examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cases.asking import Ask

pytest.importorskip("ai_edge_litert.interpreter")
from tests.scenarios.tflite_files import written

pytestmark = pytest.mark.launches
GRAPHS = ("NEG", "EXP")


@pytest.mark.parametrize("name", ["negative", "exponent"])
def test_the_function_that_was_named_is_measured(ask: Ask, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / "two.tflite", GRAPHS, (("negative", 0), ("exponent", 1)))
    asked = ask(data="samples", model=str(file), signature=name)
    operation = "neg" if name == "negative" else "exp"
    assert list(asked.facts["signature"]) == [f"{operation}_x"]
    answers = np.array(asked.ok("infer/litert-float32").outputs)
    assert answers.size
    assert (answers > 0).all() == (name == "exponent")


@pytest.mark.parametrize("batch", [1, -1])
def test_an_open_batch_has_rows_of_larger_ones(ask: Ask, tmp_path: Path, batch: int) -> None:
    file = written(tmp_path / "net.tflite", GRAPHS[:1], batch=batch)
    asked = ask(data="samples", model=str(file))
    if batch == 1:
        assert "batches of any size, the model of 1" in asked.refused("infer/litert-float32-b8")
        return
    assert asked.ok("infer/litert-float32-b8").examples_per_step == 8


def test_a_batch_that_is_open_by_name_alone_is_reported(ask: Ask, tmp_path: Path) -> None:
    file = written(tmp_path / "net.tflite", ("RESHAPE",), batch=-1)
    asked = ask(data="samples", model=str(file))
    asked.ok("infer/litert-float32")
    assert "leaves the batch open and does not answer 8 examples a call" in asked.refused(
        "infer/litert-float32-b8"
    )
