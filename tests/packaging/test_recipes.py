"""A documented installation beside the usual ones: another distribution of TensorFlow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.reading import blocks
from tests.packaging.test_wheel import LEFT_OUT


def recipe() -> list[str]:
    """The commands that install another TensorFlow, as they are documented."""
    found = [each for each in blocks(ROOT / "docs/troubleshooting.md", "") if "-cpu" in each]
    return found[0].splitlines()


def test_it_asks_for_one_tensorflow() -> None:
    first, second = recipe()
    assert "--no-deps" in second
    assert "tensorflow-cpu" in first.split()
    assert not {"tensorflow", "tf_keras", "tensorflow-model-optimization"} & set(first.split())


@pytest.mark.slow
def test_paths_run_on_tensorflow_cpu(tmp_path: Path) -> None:
    """One of LiteRT, one of Keras 2, one of model optimization."""
    tree, place = tmp_path / "tree", tmp_path / "venv"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    environment = {"PATH": f"{place}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
    for line in recipe():
        done = subprocess.run(
            ["/bin/sh", "-c", line], cwd=tree, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    packages = {
        each.name.partition("-")[0] for each in place.glob("lib/*/site-packages/*.dist-info")
    }
    assert "tensorflow_cpu" in packages
    assert "tensorflow" not in packages
    done = subprocess.run(
        ["tfbench", "run", "infer/litert-float32", "train/keras2", "infer/pruned", "--profile",
         "smoke", "--out", "run"],
        executable=place / "bin/tfbench", cwd=tmp_path, env=environment, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (tmp_path / "run/effects.csv").read_text().splitlines()[1:]
    assert rows
    assert all(",ok," in row for row in rows)
