"""`import tfbench` in a notebook: the same functions as the command line's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tfbench
from bench.results.errors import StoreError, UsageError
from tests.conftest import ROOT
from tests.reports.fabricate import Spec, fabricate, typical
from tfbench import given


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("library") / "run"
    typical(folder)
    return tfbench.read(folder)


def test_a_run_shows_itself(run: Any) -> None:
    import reports

    assert "infer/combined" in run._repr_html_()
    assert "image/svg+xml" not in run._repr_html_()
    reports.write(run.folder)
    assert run._repr_html_().count("data:image/svg+xml") == 3


def test_its_effects_are_a_frame(run: Any) -> None:
    row = run.effects.set_index("scenario").loc["infer/litert-int8"]
    assert row.speedup_low < 2.6 < row.speedup_high


def test_the_best_depends_on_what_may_be_lost(run: Any) -> None:
    assert run.best(max_loss=0.6) == "infer/litert-int8"
    assert run.best(max_loss=None) == "infer/combined"
    assert run.best(kind="train") == "train/xla"
    with pytest.raises(UsageError, match="max_loss -5 cannot be read"):
        run.best(max_loss=-5)


def test_where_nothing_satisfies_one_may_raise_the_limit(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    fabricate(folder, [Spec("infer/function", outcome="failed", reason="no")])
    with pytest.raises(UsageError, match="raise max_loss"):
        tfbench.read(folder).best(max_loss=1e-5)


def test_another_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it holds no"):
        tfbench.read(tmp_path)


def test_functions_are_compared_by_turns() -> None:
    """In a process of its own: where other tests run TensorFlow, none can be forked."""
    code = (
        "import tfbench\n"
        "found = tfbench.compare(lambda: sum(range(1000)), lambda: sum(range(8000)), within=0.5)\n"
        "assert found.speedup_low > 2, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# --- what is held in memory -----------------------------------------------------------------------


def test_arrays_become_a_file_by_their_names(tmp_path: Path) -> None:
    x, y = np.zeros((4, 2), np.float32), np.arange(4)

    def names(data: Any) -> set[str]:
        name = given.data(data, tmp_path)
        assert name is not None
        with np.load(name.removeprefix("npz:")) as file:
            return set(file.files)

    assert names((x, y)) == {"x", "y"}
    assert names(((x, y), (x, y))) == {"x_train", "y_train", "x_test", "y_test"}
    assert names({"image": x, "y": y}) == {"image", "y"}
    assert names(({"a": x, "b": x}, y)) == {"a", "b", "y"}
    assert given.data((x, y), tmp_path) == given.data((x.copy(), y.copy()), tmp_path)
    assert given.data("digits", tmp_path) == "digits"
    with pytest.raises(UsageError, match="cannot be saved"):
        given.data((x, y, y), tmp_path)


class Model:
    """Looks like Keras's."""

    def __init__(self, error: str = "") -> None:
        self.error = error

    def predict(self) -> None:
        raise NotImplementedError

    def save(self, file: str) -> None:
        if self.error:
            raise ValueError(self.error)
        Path(file).write_text("saved")


def build(input_shape: tuple[int, ...], classes: int) -> None:
    """A function at the top of a file."""


def test_a_model_is_saved_or_the_reason_is_said(tmp_path: Path) -> None:
    assert Path(given.model(Model(), tmp_path)).read_text() == "saved"
    assert given.model("cnn", tmp_path) == "cnn"
    assert given.model(build, tmp_path) == f"{Path(__file__).resolve()}:build"
    with pytest.raises(UsageError, match="cannot be saved \\(no config\\): give a function"):
        given.model(Model("no config"), tmp_path)
    with pytest.raises(UsageError, match="not at the top of a file"):
        given.model(lambda: None, tmp_path)
    with pytest.raises(UsageError, match="a int cannot be saved"):
        given.model(3, tmp_path)


@pytest.mark.launches
def test_a_model_in_memory_is_measured(tmp_path: Path, cache: Path) -> None:
    code = (
        "import sys, keras, numpy as np, tfbench\n"
        "model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])\n"
        "x = np.random.default_rng(0).normal(size=(400, 6)).astype('float32')\n"
        "run = tfbench.run(model, (x, x[:, 0] * 2), 'infer/litert-float32', 'smoke',\n"
        "    configuration='cpu-1', out=sys.argv[1], cache=sys.argv[2])\n"
        "print(run.best(max_loss=None), len(run.effects))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run"), str(cache)],
        capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] in ("infer/litert-float32", "infer/function")


def test_the_library_imports_no_tensorflow() -> None:
    code = "import sys, tfbench; tfbench.run; tfbench.compare; print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "False"
