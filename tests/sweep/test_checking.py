"""What is said of a workload before anything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.results.data_names import SCHEMES, source
from bench.results.errors import UsageError
from bench.results.values import WorkloadSpec
from bench.sweep.checking import TASKS, check_workload


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text("area;rooms;price\n1;2;3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    np.savez(tmp_path / "good.npz", x=np.zeros(3))
    (tmp_path / "my.py").write_text(
        "import os\nfrom math import sqrt as root\nif os.name:\n    def made():\n        pass\n"
        "try:\n    lam = lambda: 0\nexcept ImportError:\n    other = None\n"
    )
    (tmp_path / "broken.py").write_text("x = 1\ndef f(:\n")
    (tmp_path / "star.py").write_text("from os.path import *\n")
    (tmp_path / "classes").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        ("nzp:x.npz", "", "did you mean npz"),
        ("imagse:x", "", "did you mean images"),
        ("{}/none.csv", "", "does not exist"),
        ("csv:{}/t.csv", "pric", "has no column 'pric': did you mean price"),
        ("{}/t.csv", "zzz", "use one of area, price, rooms"),
        ("csv:{}/empty.csv", "", "is empty"),
        ("csv:{}/classes", "", "is not a file"),
        ("images:{}/t.csv", "", "is not a folder"),
        ("npz:{}/bad.npz", "", "not a readable .npz"),
        ("tfrecord:{}/*.rec", "", "no file matches"),
        ("{}/none.py:made", "", "does not exist"),
        ("{}/my.py:mad", "", "has no function 'mad': did you mean made"),
        ("{}/broken.py:f", "", "broken.py:2: "),
    ],
)
def test_wrong_data_is_one_line(place: Path, data: str, target: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_workload(WorkloadSpec(data=data.format(place), target=target))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    ["digits", "samples", "{}/t.csv", "csv:{}/t.csv", "{}/good.npz", "images:{}/classes",
     "{}/my.py:made", "{}/my.py:root", "{}/my.py:lam", "{}/my.py:other", "{}/star.py:join",
     "some.module:function", "synthetic:8x8x1", "{}/classes"],
)  # fmt: skip
def test_what_may_be_right_passes(place: Path, data: str) -> None:
    check_workload(WorkloadSpec(data=data.format(place)))


def test_a_target_that_is_a_column_passes(place: Path) -> None:
    check_workload(WorkloadSpec(data=f"csv:{place}/t.csv", target="price"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "regresion"}, "did you mean regression"),
        ({"take": -1}, "use 1 or more"),
        ({"metric": "{}/my.py:nothing"}, "has no function 'nothing'"),
        ({"factory": "{}/none.py:churn"}, "workload file .* does not exist"),
        ({"model": "{}/my.py:build"}, "has no function 'build'"),
    ],
)
def test_other_names(place: Path, changes: dict[str, object], message: str) -> None:
    given = {k: v.format(place) if isinstance(v, str) else v for k, v in changes.items()}
    with pytest.raises(UsageError, match=message):
        check_workload(WorkloadSpec(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("npz:a.npz", ("npz", "a.npz")),
        ("folder/a.npz", ("npz", "folder/a.npz")),
        ("a.tsv", ("csv", "a.tsv")),
        ("a.py:f", ("function", "a.py:f")),
        ("pkg.data:f", ("function", "pkg.data:f")),
        ("images:C:dir", ("images", "C:dir")),
        ("digit", ("digit", "")),
    ],
)
def test_a_name_tells_scheme_and_place(name: str, found: tuple[str, str]) -> None:
    assert source(name) == found


def test_sweep_and_core_know_the_same_schemes_and_tasks() -> None:
    code = (
        "from scenarios.core.data.loading import LOADERS\n"
        "from scenarios.core.tasks.inference import KINDS\n"
        "print(*sorted(LOADERS)); print(*KINDS)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    schemes, tasks = done.stdout.splitlines()
    assert schemes.split() == sorted(SCHEMES)
    assert ("auto", *tasks.split()) == TASKS
