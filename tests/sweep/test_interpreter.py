"""Users' files beside this project's and TensorFlow's modules: none takes another's place."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from bench.results import loading
from bench.results.values import WorkloadSpec
from bench.sweep import interpreter
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.settings import find_configuration

CONFIGURATION = find_configuration("cpu-1", {})
BUILD = """
import helper
import keras
import tensorflow as tf

def build(shape, classes):
    assert helper.UNITS and hasattr(keras, "layers"), keras
    layers = tf.keras.layers
    return tf.keras.Sequential([layers.Input(shape), layers.Flatten(), layers.Dense(classes)])
"""
OWN = '''
import bench.results.values, numpy, keras
from tfbench import InferencePath, scenario

@scenario()
def own(workload) -> InferencePath:
    """Says where modules come from."""
    import helper
    facts = {"keras": keras.__file__, "bench": bench.__file__, "helper": helper.UNITS}
    return InferencePath(infer=lambda x: x, inputs=[1], examples=1,
                         predict=lambda x: numpy.eye(99)[workload.data.y_test],
                         proof=lambda: facts)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: files named as modules of this project and of others."""
    (tmp_path / "keras.py").write_text(BUILD)
    (tmp_path / "bench.py").write_text(OWN)
    (tmp_path / "numpy.py").write_text("raise ImportError('a user s file was taken')")
    (tmp_path / "helper.py").write_text("UNITS = 3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_launch_takes_no_users_file_for_a_module(folder: Path, cache: Path) -> None:
    spec = WorkloadSpec(data="synthetic:8x8x3", model="keras.py:build", cache=str(cache), epochs=1)
    scenario = discover(folders=[folder])["infer/own"]
    environment = Environment.of(scenario, CONFIGURATION, "", ROOT)
    with Pool(spec, 4 << 30) as pool:
        launch = pool.launch(environment, scenario, CONFIGURATION)
        try:
            launch.call("prepare", 120.0)  # answers are compared with the trained model's
            launch.call("build", 120.0)
            proof = launch.call("probe", 120.0, first=1, epochs=1)["proof"]
        finally:
            launch.close()
    assert proof["bench"] == str(ROOT / "bench/__init__.py")
    assert Path(proof["keras"]).parent.name == "keras"
    assert proof["helper"] == 3


def test_a_file_is_loaded_under_a_private_name(folder: Path) -> None:
    import numpy

    import bench

    (folder / "bench.py").write_text("class Kept: ...\n")
    module = loading.module("bench.py")
    assert sys.modules["bench"] is bench
    assert sys.modules["numpy"] is numpy
    assert module.Kept.__module__ == module.__name__ == loading.module("bench.py").__name__
    assert isinstance(pickle.loads(pickle.dumps(module.Kept())), module.Kept)
    with pytest.raises(ImportError, match="does not exist"):
        loading.module("nowhere.py")


def test_code_under_test_comes_before_its_installed_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Environment(sys.executable, "/checkout", ()).search_path()
    assert place["PYTHONPATH"].split(":")[0] == str(ROOT)
    assert (place[loading.TESTED], place[loading.CURRENT]) == ("/checkout", str(tmp_path))
    monkeypatch.setattr(sys, "path", ["/installed"])
    monkeypatch.setenv(loading.TESTED, "/checkout")
    monkeypatch.setenv(loading.CURRENT, str(tmp_path))
    loading.find_users()
    assert sys.path == ["/checkout", "/installed", str(tmp_path)]


def test_a_tree_of_this_project_comes_first(tmp_path: Path) -> None:
    (tmp_path / "scenarios/core").mkdir(parents=True)
    place = Environment(sys.executable, str(tmp_path), ()).search_path()
    assert place["PYTHONPATH"].split(":")[:2] == [str(tmp_path), str(ROOT)]
    assert place[loading.TESTED] == ""


def test_an_installed_project_shows_its_own_packages_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*interpreter.PACKAGES, "tensorflow"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(interpreter, "ROOT", tmp_path)
    interpreter._harness.cache_clear()
    try:
        (own,) = interpreter.own_code(str(tmp_path))
    finally:
        interpreter._harness.cache_clear()
    assert {path.name for path in Path(own).iterdir()} == set(interpreter.PACKAGES)
