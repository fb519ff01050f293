from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from bench.results.errors import UsageError
from bench.sweep.settings import PROFILES, find_configuration, load


def settings(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_flags_win_over_the_file(tmp_path: Path) -> None:
    file = settings(tmp_path, "[tool.tfbench]\nprofile = 'full'\nbatch = 64\n")
    loaded = load(file, {"profile": "smoke", "batch": None})
    assert loaded.profile.name == "smoke"
    assert loaded.workload.batch == 64


def test_own_configurations_and_profiles(tmp_path: Path) -> None:
    cpu = min(os.sched_getaffinity(0))
    file = settings(
        tmp_path,
        f"[tool.tfbench.configurations.mine]\ncpus = [{cpu}]\nthreads = 2\n"
        "environment = {TF_ENABLE_ONEDNN_OPTS = 0}\n[tool.tfbench.profiles.quick]\nrounds = 7\n",
    )
    loaded = load(file, {"configuration": "mine,cpu-1"})
    mine, single = loaded.configurations
    assert (mine.name, mine.cpus, mine.threads) == ("mine", (cpu,), 2)
    assert mine.environment == {"TF_ENABLE_ONEDNN_OPTS": "0"}
    assert (single.name, len(single.cpus), single.threads) == ("cpu-1", 1, 1)
    assert loaded.profile.rounds == 7


def test_cpu_all_uses_what_this_process_may() -> None:
    found = find_configuration("cpu-all", {})
    assert set(found.cpus) == os.sched_getaffinity(0)
    assert found.threads == len(found.cpus)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"profile": "quik"}, "did you mean quick"),
        ({"configuration": "cpu-al"}, "did you mean cpu-all"),
        ({"data": "digit"}, "did you mean digits"),
        ({"data": "npz:/nowhere.npz"}, "does not exist"),
        ({"data": "images:"}, "does not exist"),
        ({"model": "/nowhere.py:build"}, "does not exist"),
        ({"batch": 0}, "not a size"),
    ],
)
def test_wrong_flags_say_what_to_do(flags: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(None, flags)


@pytest.mark.faults(
    "Stored files", {"settings with an unknown key, or no TOML": "refused; the key is named"}
)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.tfbench]\nprofil = 'quick'", "unknown setting 'profil'.*profile"),
        ("[tool.tfbench", "cannot be read"),
        ("[tool.tfbench.profiles.quick]\nround = 1", "did you mean rounds"),
        (
            "[tool.tfbench]\nconfiguration = 'x'\n[tool.tfbench.configurations.x]\ncpus = [9999]",
            "asks for cores",
        ),
        (
            "[tool.tfbench]\nconfiguration = 'x'\n[tool.tfbench.configurations.x]\nthread = 1",
            "unknown key",
        ),
    ],
)
def test_a_wrong_file_says_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(settings(tmp_path, text), {})


def test_orders_can_balance() -> None:
    for profile in PROFILES.values():
        assert all(look % 2 == 0 for look in profile.looks)


def test_groups_are_no_larger_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        available = 3 << 30

    monkeypatch.setattr("bench.sweep.settings.psutil.virtual_memory", Memory)
    assert load(None, {}).members == 3
    Memory.available = 1 << 20
    assert load(None, {}).members == 2
    Memory.available = 1 << 40
    assert load(None, {}).members == PROFILES["quick"].members


def test_folders_of_scenarios_are_read_from_where_the_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = settings(tmp_path, "[tool.tfbench]\nscenario_folders = ['mine']\nscenarios = ['a/*']\n")
    loaded = load(file, {})
    assert loaded.folders == (str(tmp_path / "mine"),)
    assert loaded.patterns == ("a/*",)
    assert load(file, {"scenario_folders": ["other"]}).folders == (str(tmp_path / "other"),)
    with pytest.raises(UsageError, match="list of folders"):
        load(settings(tmp_path, "[tool.tfbench]\nscenario_folders = 'mine'\n"), {})


# --- workloads ---------------------------------------------------------------------------------

BUILDERS = """
def build(shape, classes): ...
def named(classes, input_shape=(8, 8, 1)): ...
def own(): ...
def classified(classes): ...
def optional(width=3): ...
from math import sqrt as imported
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets").mkdir()
    for name in ("net.py", "nets/small.py", "nets/__init__.py"):
        (tmp_path / name).write_text(BUILDERS)
    for name in ("emotion.hdf5", "w.h5"):
        (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n model_config")
    (tmp_path / "M.TFLITE").write_bytes(b"....TFL3")
    for name, bytes_ in (("m.tflite", b"....TFL3"), ("m.onnx", b"x"), ("m.pt", b"x")):
        (tmp_path / name).write_bytes(bytes_)
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    (tmp_path / "empty.keras").touch()
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("model", "data"),
    [
        ("cnn", "digits"),
        ("net.py:build", "digits"),
        ("net.py:named", "digits"),
        ("net.py:imported", "digits"),
        ("some.module:build", "digits"),
        ("net.py:own", "samples"),
        ("nets.small:own", "samples"),
        ("nets:own", "samples"),
        ("nets.small:build", "digits"),
        ("net.py:classified", "samples"),
        ("net.py:optional", "samples"),
        ("emotion.hdf5", "samples"),
        ("m.keras", "samples"),
        ("m.tflite", "samples"),
        ("m.onnx", "samples"),
        ("saved", "samples"),
        ("applications:MobileNetV2", "samples"),
    ],
)
def test_what_a_model_is_given_without_data(files: Path, model: str, data: str) -> None:
    assert load(None, {"model": model}).workload.data == data
    assert load(None, {"model": model, "data": "digits"}).workload.data == "digits"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"model": "emotion.hdf"}, "did you mean emotion.hdf5"),
        ({"model": "emotoin.hdf5"}, "emotoin.hdf5 does not exist: did you mean emotion.hdf5"),
        ({"model": "none.tflite"}, "does not exist"),
        ({"model": "m.pt"}, "use cnn, FILE.py:function, module:function, a .keras"),
        ({"model": "empty.keras"}, "is empty"),
        ({"model": "folder"}, "holds no saved_model.pb"),
        ({"model": "net.py"}, "name the function too, as net.py:build"),
        ({"model": "net.py:biuld"}, "has no function 'biuld': did you mean build"),
        ({"model": "cn"}, "did you mean cnn"),
        ({"model": "applications:MobilNetV2"}, "did you mean MobileNetV2"),
        ({"model": "m.keras", "weights": "w.h5"}, "--weights is for applications:NAME"),
        ({"model": "applications:VGG16", "weights": "v.h5"}, "weights file v.h5 does not exist"),
        ({"model": "M.TFLITE"}, "M.TFLITE: rename it to M.tflite"),
        ({"model": "m.keras", "signature": "call"}, "a .tflite file or a function that returns"),
        ({"metric": "acuracy"}, "did you mean accuracy"),
        ({"task": "regresion"}, "did you mean regression"),
        ({"data": "sample"}, "did you mean samples"),
        ({"train_budget": "soon"}, "train budget 'soon' is no time"),
        ({"workload": "churn"}, "unknown workload 'churn'"),
        ({"workload": "net.py:churn"}, "has no function 'churn'"),
        ({"workload": "net.py:own", "data": "digits"}, "leave --data out"),
    ],
)
def test_wrong_workloads_are_reported_at_once(
    files: Path, flags: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(None, flags)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_workload_of_the_settings_comes_as_a_whole(files: Path) -> None:
    file = settings(
        files,
        "[tool.tfbench]\ndata = 'digits'\nbatch = 8\nworkload = 'file'\n"
        "[tool.tfbench.workloads.file]\nmodel = 'emotion.hdf5'\ntake = 9\ntrain_budget = '2m'\n"
        "[tool.tfbench.workloads.whole]\nfactory = 'net.py:own'\ntask = 'binary'\n",
    )
    found = load(file, {}).workload
    assert (found.model, found.data, found.batch, found.take) == ("emotion.hdf5", "samples", 8, 9)
    assert found.train_budget_s == 120
    assert load(file, {"data": "synthetic:8x8x1"}).workload.data == "synthetic:8x8x1"
    whole = load(file, {"workload": "whole"}).workload
    assert (whole.factory, whole.task, whole.data) == ("net.py:own", "binary", "")
    direct = load(file, {"workload": "net.py:own"}).workload
    assert (direct.factory, direct.batch) == ("net.py:own", 8)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("modle = 'cnn'", "unknown key 'modle': did you mean model"),
        ("factory = 'net.py:own'\ndata = 'digits'", "its factory brings data and model"),
    ],
)
def test_a_wrong_table_of_a_workload(files: Path, table: str, message: str) -> None:
    file = settings(files, f"[tool.tfbench.workloads.w]\n{table}\n")
    with pytest.raises(UsageError, match=message):
        load(file, {"workload": "w"})


def test_the_profile_says_how_long_a_technique_may_train() -> None:
    budgets = {name: load(None, {"profile": name}).workload.train_budget_s for name in PROFILES}
    assert budgets == {"smoke": 10, "quick": 60, "full": 600}
    assert load(None, {"train_budget": "5m"}).workload.train_budget_s == 300


def test_exclude_and_baseline_are_settings_too(tmp_path: Path) -> None:
    file = settings(tmp_path, "[tool.tfbench]\nexclude = ['train/*']\nbaseline = 'infer/xla'\n")
    assert load(file, {}).exclude == ("train/*",)
    assert load(file, {"exclude": ["infer/*"]}).exclude == ("infer/*",)
    assert load(file, {}).baseline == "infer/xla"


def test_a_part_of_a_run() -> None:
    assert load(None, {"shard": "2/5"}).shard == (2, 5)
    assert load(None, {}).shard == (1, 1)
    for wrong in ("0/5", "6/5", "2", "a/b", "2/"):
        with pytest.raises(UsageError, match="is no part of a run"):
            load(None, {"shard": wrong})


def test_a_path_that_no_file_can_have_is_no_interpreter() -> None:
    with pytest.raises(UsageError, match="give the path of a Python interpreter"):
        load(None, {"python": "\0"})
