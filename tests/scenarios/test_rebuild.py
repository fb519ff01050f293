"""Models of Keras 3 whose graphs hold more than layers are rebuilt in tf_keras, or refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.sweep.discovery import ROOT


@pytest.fixture(scope="module")
def seen() -> Any:
    """What rebuild_checks.py saw, run once in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.rebuild_checks"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


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
