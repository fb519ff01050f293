"""Models of Keras 3 whose graphs hold more than layers are rebuilt in tf_keras, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from bench.sweep.preloaded import Pool
from tests.checks import saw


@pytest.fixture(scope="module")
def seen(pool: Pool) -> Any:
    """What rebuild_checks.py saw, run once in a process of its own."""
    return saw(pool, "tests.scenarios.rebuild_checks", keras=2)


@pytest.mark.parametrize("name", ["recurrent", "attention"])
def test_masks_that_layers_imply_are_implied_again(seen: Any, name: str) -> None:
    for off in seen[name]:
        assert off == pytest.approx(0, abs=1e-5)


def test_masks_that_tf_keras_joins_otherwise_are_found_out(seen: Any) -> None:
    for said in seen["joined"]:
        assert "answers otherwise" in said


@pytest.mark.parametrize(("name", "kind"), [("given", "NotEqual"), ("scaled", "Multiply")])
def test_other_operations_are_named_as_such(seen: Any, name: str, kind: str) -> None:
    for said in seen[name]:
        assert said.startswith("operation ")
        assert f"({kind} of keras.ops)" in said
        assert said.endswith("replace it by a layer")
