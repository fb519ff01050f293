"""The command line, run as a user runs it."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.results.store import read_run
from tests.command.test_surface import FILES, STORED
from tfbench.command.cli import main

Captured = pytest.CaptureFixture[str]
Cli = Callable[..., subprocess.CompletedProcess[str]]


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2, one clear line, no traceback."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert word in done.stderr


def test_list_names_every_family(tfbench: Cli) -> None:
    done = tfbench("list")
    assert done.returncode == 0
    for id in ("train/eager", "infer/litert-int8", "infer/tensorrt"):
        assert id in done.stdout


def test_list_takes_globs(tfbench: Cli) -> None:
    done = tfbench("list", "--plain", "infer/litert-*")
    assert "infer/litert-int8\n" in done.stdout
    assert "train/eager" not in done.stdout


@pytest.mark.parametrize("command", ["list", "run", "report"])
def test_help_is_for_people(tfbench: Cli, command: str) -> None:
    done = tfbench(command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
    assert ("[tool.tfbench]" in done.stdout) == (command != "report")  # brackets are no markup


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "train/eagr"), ("train/eagr", "did you mean train/eager")),
        (("run", "--configuration", "cpu-al"), ("did you mean cpu-all",)),
        (("run", "--profile", "quik"), ("did you mean quick",)),
        (("run", "--data", "npz:nowhere.npz"), ("nowhere.npz does not exist",)),
        (("run", "--batch", "zero"), ("batch",)),
        (("run", "--model", "nowhere.py:build"), ("nowhere.py",)),
        (("run", "--python", "/nowhere/python", "infer/eager"), ("cannot start",)),
        (("run", "--settings", "nowhere.toml"), ("nowhere.toml",)),
        (("report", "nowhere"), ("no run.json",)),
        (("unheard-of",), ("unheard-of",)),
    ],
)
def test_wrong_usage_is_one_clear_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    """In this process: where a process ends otherwise, test_quick_answers.py sees it."""
    monkeypatch.chdir(tmp_path)
    code = main(list(arguments))
    refused(subprocess.CompletedProcess(arguments, code, *capsys.readouterr()), *words)


def test_an_output_folder_in_use_is_left_alone(tfbench: Cli, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("kept")
    refused(tfbench("run", "--out", str(tmp_path)), "not empty")
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def save_npz(path: Path, labels: int = 3, **arrays: np.ndarray) -> str:
    """So many examples that a training's updates are not an epoch each, which costs most."""
    rng = np.random.default_rng(0)
    y = np.arange(600) % labels
    noise = rng.uniform(0, 20, (600, 12, 12, 3))
    x = (noise + 200 * (y / labels)[:, None, None, None]).astype("u1")
    np.savez(path, **(arrays or {"x": x, "y": y}))
    return f"npz:{path}"


@pytest.fixture
def launching(cache: Path, lasting: type, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Cli:
    """The command line in this process, whose launches come from processes that tests share."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = main([*arguments, "--profile", "smoke", "--cache", str(cache)])
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return call


def test_unusable_data_and_models_are_refused(launching: Cli, tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "import tensorflow as tf\n"
        "def build(shape, classes):\n"
        "    return tf.keras.Sequential([tf.keras.layers.Input(shape), tf.keras.layers.Flatten(),"
        " tf.keras.layers.Dense(2, activation='softmax')])\n"
    )
    data = save_npz(tmp_path / "data.npz")
    refused(
        launching("run", "infer/eager", "--data", data, "--model", f"{model}:build",
                  "--out", str(tmp_path / "model")),
        "labels go up to 2, but the model has 2 outputs", "give it 3 units",
    )  # fmt: skip
    half = save_npz(tmp_path / "half.npz", x_train=np.zeros((3, 4)), y=np.zeros(3))
    refused(
        launching("run", "infer/eager", "--data", half, "--out", str(tmp_path / "half")),
        "name the arrays",
    )


@pytest.mark.launches
def test_own_data_and_own_model(launching: Cli, tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "import tensorflow as tf\n"
        "def build(shape, classes):\n"
        "    layers = tf.keras.layers\n"
        "    return tf.keras.Sequential([layers.Input(shape), layers.Conv2D(8, 3, strides=2),"
        " layers.ReLU(), layers.Flatten(), layers.Dense(classes)])\n"
    )
    out = tmp_path / "run"
    done = launching(
        "run", "infer/litert-float32", "--configuration", "cpu-1",
        "--data", save_npz(tmp_path / "data.npz"), "--model", f"{model}:build", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = read_run(out)
    assert run.facts["workload"]["classes"] == 3
    assert run.facts["workload"]["accuracy"] > 0.9
    assert run.effects.row("infer/litert-float32", "cpu-1").status == "ok"


def test_a_smoke_sweep_leaves_a_whole_run(smoke_run: Path) -> None:
    facts = json.loads((smoke_run / "run.json").read_text())
    assert facts["workload"]["accuracy"] >= 0.97
    assert facts["ended"] > facts["started"]
    assert facts["environment"]["packages"]["tensorflow"]
    with (smoke_run / "effects.csv").open() as file:
        rows = {row["scenario"]: row for row in csv.DictReader(file)}
    int8 = rows["infer/litert-int8"]
    assert int8["status"] == "ok"
    assert float(int8["speedup"]) > 1
    assert 0 < float(int8["size_ratio"]) < 0.5
    assert abs(float(int8["accuracy_delta_pp"])) < 3
    assert float(rows["train/eager"]["speedup"]) < 1
    tensorrt = [row for id, row in rows.items() if id.startswith("infer/tensorrt")]
    assert tensorrt
    for row in tensorrt:
        assert row["status"] == "unsupported"
        assert row["reason"]
        assert row["speedup"] == row["latency_ns"] == row["size_bytes"] == ""


def test_a_run_leaves_the_same_files(smoke_run: Path) -> None:
    assert set(FILES.split()) <= {path.name for path in smoke_run.iterdir()}
    facts = json.loads((STORED / "run.json").read_text())
    assert set(facts) <= set(json.loads((smoke_run / "run.json").read_text()))


def test_the_parent_stays_small(smoke_run: Path) -> None:
    facts = json.loads((smoke_run / "run.json").read_text())
    assert 0 < facts["harness"]["peak_memory_bytes"] < 300e6


def test_a_smoke_sweep_writes_the_report(smoke_run: Path) -> None:
    text = (smoke_run / "report.md").read_text()
    assert "8-bit quantization" in text
    assert "unsupported" in text
    plots = {path.suffix for path in (smoke_run / "plots").iterdir()}
    assert ".png" in plots


def test_a_report_can_be_written_anew(tfbench: Cli, smoke_run: Path) -> None:
    before = (smoke_run / "report.md").read_bytes()
    (smoke_run / "report.md").unlink()
    assert tfbench("report", str(smoke_run)).returncode == 0
    assert (smoke_run / "report.md").read_bytes() == before
