"""A model of the user's own that breaks: the message says where, the launch's output says how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import find_configuration

NET = """
def build(shape, classes):
    return layers(shape)

def layers(shape):
    raise KeyError("no such layer")
"""


pytestmark = pytest.mark.usefixtures("lasting")


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    (tmp_path / "keras.py").write_text(NET)  # a name that TensorFlow has taken
    spec = WorkloadSpec(
        data="synthetic:8x8x3", model=f"{tmp_path / 'keras.py'}:build", cache=str(tmp_path)
    )
    with Pool(spec, 2 << 30) as own:
        yield own


def test_the_line_that_broke_is_named_and_its_traceback_is_kept(pool: Pool, tmp_path: Path) -> None:
    here = find_configuration("cpu-1", {})
    scenario = discover()["infer/function"]
    launch = pool.launch(Environment.of(None, here, "", ROOT), scenario, here)
    try:
        with pytest.raises(LaunchFailed) as caught:
            launch.call("prepare", 120)
        output = launch.output()
    finally:
        launch.close()
    assert caught.value.usage
    assert caught.value.reason.startswith(f"model '{tmp_path / 'keras.py'}:build' cannot be built")
    assert caught.value.reason.endswith(f"{tmp_path / 'keras.py'}:6: KeyError: 'no such layer'")
    assert 'raise KeyError("no such layer")' in output
    assert "in build" in output
