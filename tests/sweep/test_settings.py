from __future__ import annotations

import os
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
