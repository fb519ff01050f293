"""What users import, and where it runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tfbench
from tests.conftest import ROOT
from tfbench.command.cli import main


def test_a_scenario_can_be_marked_without_tensorflow() -> None:
    code = (
        "import sys, tfbench;"
        "from tfbench import InferencePath, NotEngaged, TrainingPath, Unsupported, scenario;"
        "print([m for m in ('tensorflow', 'keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_name_has_a_home() -> None:
    assert set(tfbench.__all__) == set(tfbench._HOMES) == set(dir(tfbench))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tfbench.no_such_name  # type: ignore[attr-defined]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_refused_in_one_line(
    platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"], platform=platform) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert platform in captured.err
    assert "use Linux" in captured.err
