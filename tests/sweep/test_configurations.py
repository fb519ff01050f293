"""Several configurations in one run, compared live."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from bench.results.effects import Effects
from bench.results.errors import UsageError
from bench.results.values import Launch, Turn
from bench.sweep.settings import find_configuration, with_pythons


def test_another_interpreter_is_a_configuration_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "tf219" / "bin").mkdir(parents=True)
    other = tmp_path / "tf219" / "bin" / "python"
    other.symlink_to(sys.executable)
    here = find_configuration("cpu-1", {})
    both = with_pythons([here], str(other))
    assert [c.name for c in both] == ["cpu-1", "cpu-1@tf219"]
    assert [c.python for c in both] == ["", str(other)]
    assert both[1].cpus == here.cpus


def test_an_interpreter_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the path of a Python interpreter"):
        with_pythons([find_configuration("cpu-1", {})], str(tmp_path / "python"))


def test_effects_across_configurations_pair_live_turns_only() -> None:
    def launch(configuration: str, ns: int, role: str, index: int, side: str) -> Launch:
        turns = tuple(Turn(r, 0, 1, ns) for r in range(4))
        return Launch(
            "s", configuration, "s~configurations", role, "timing", index, side, turns=turns
        )  # type: ignore[arg-type]

    launches = []
    for index in range(4):
        launches.append(launch("a", 1000, "baseline", index, "a"))
        launches.append(launch("b", 500, "candidate", index, "b"))
        launches.append(launch("b", 7, "candidate", index, ""))
    found = Effects(launches, {}).across()
    assert list(found) == [("s", "a", "b")]
    assert found["s", "a", "b"].value == pytest.approx(math.log(0.5))
