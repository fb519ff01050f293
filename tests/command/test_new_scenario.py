"""A scenario of one's own, from the skeleton to its row and its test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.settings import find_configuration
from bench.sweep.sources import FAMILIES
from tests.conftest import ROOT
from tfbench.command.new_scenario import write

Cli = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.usefixtures("lasting")


def test_it_is_written_listed_and_left_alone(tfbench: Cli, tmp_path: Path) -> None:
    done = tfbench("new-scenario", "infer/my-runtime", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "my_scenarios/infer/my_runtime.py"
    assert file.exists()
    assert (file.parent / "test_my_runtime.py").exists()
    listed = tfbench(
        "list", "--plain", "infer/my-*", "--scenarios", str(tmp_path / "my_scenarios"), cwd=tmp_path
    )
    assert listed.stdout == "infer/function\ninfer/my-runtime\n"
    file.write_text("mine")
    again = tfbench("new-scenario", "infer/my-runtime", cwd=tmp_path)
    assert again.returncode == 2
    assert "is there already" in again.stderr
    assert file.read_text() == "mine"


@pytest.mark.parametrize("id", ["my-runtime", "other/x", "infer/", "infer/X", "infer/a_b", "a/b/c",
                                "infer/import", "infer/../x"])  # fmt: skip
def test_a_name_that_is_no_id_is_refused(tmp_path: Path, id: str) -> None:
    with pytest.raises(UsageError, match="is no id"):
        write(id, tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def digits(cache: Path) -> Iterator[Pool]:
    """Launches on the default workload, whose model other tests train too."""
    with Pool(WorkloadSpec(cache=str(cache)), 4 << 30) as pool:
        yield pool


@pytest.mark.parametrize("family", FAMILIES)
def test_the_skeleton_of_each_family_runs_and_engages(
    family: str, digits: Pool, tmp_path: Path
) -> None:
    write(f"{family}/my-own", tmp_path)
    scenario = discover(folders=[tmp_path])[f"{family}/my-own"]
    configuration = find_configuration("cpu-1", {})
    environment = Environment.of(scenario, configuration, "", ROOT)
    launch = digits.launch(environment, scenario, configuration)
    try:
        launch.call("prepare", 300.0)
    finally:
        launch.close()
    launch = digits.launch(environment, scenario, configuration)
    try:
        launch.call("build", 120.0)
        assert launch.call("probe", 120.0, first=2, epochs=1)["proof"]
    finally:
        launch.close()


def test_the_test_that_comes_along_passes(cache: Path, tmp_path: Path) -> None:
    _, test = write("infer/my-own", tmp_path / "mine")
    environment = os.environ | {"TFBENCH_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test.name],
        cwd=test.parent, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
