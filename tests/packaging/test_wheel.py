"""What a user installs: the wheel's contents, and the plain installation without TensorFlow."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

from bench.results import extras
from tests.conftest import ROOT
from tests.guard.repositories import commit
from tests.reports.fabricate import typical

BUILD = "import setuptools.build_meta as m, sys; m.build_wheel(sys.argv[1])"
MOST_BYTES = 150_000_000
"""Of the plain installation: it is all that guarding one's own code takes, in every CI job."""
LEFT_OUT = shutil.ignore_patterns(".*", "docs", "runs", "build", "*.egg-info", "__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of this tree; nothing is fetched."""
    source = tmp_path_factory.mktemp("source") / "tree"
    shutil.copytree(ROOT, source, ignore=LEFT_OUT)
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (file,) = out.glob("*.whl")
    return file


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    info = next(top for top in tops if top.endswith(".dist-info"))
    assert tops - {info} == {"tfbench", "bench", "scenarios", "reports"}
    here = {
        str(path.relative_to(ROOT))
        for top in tops - {info}
        for path in (ROOT / top).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in names if not name.startswith(info)} == here


def test_its_name_is_its_own_and_its_command_is_tfbench(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        facts = Parser().parsestr(archive.read(info).decode())
        points = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert facts["Name"] == extras.DISTRIBUTION
    assert facts["Version"] == "0.2.0"
    assert "tfbench = tfbench.__main__:main" in points
    plain = [each for each in facts.get_all("Requires-Dist") if "extra ==" not in each]
    assert not any(each.lower().startswith(("tensor", "tf", "keras", "ai-edge")) for each in plain)


def test_every_extra_that_is_named_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == extras.DISTRIBUTION
    assert set(extras.EXTRAS.values()) == set(project["optional-dependencies"])


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The command in a new environment that holds the wheel and what it asks for, no extra."""
    folder = tmp_path_factory.mktemp("plain") / "venv"
    python, pins = folder / "bin" / "python", str(ROOT / "constraints.txt")
    uv = shutil.which("uv")
    if uv:
        commands = [
            [uv, "venv", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--python", str(python), "-c", pins, str(wheel)],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "-c", pins, str(wheel)],
        ]
    for each in commands:
        done = subprocess.run(each, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    yield folder / "bin" / "tfbench"
    shutil.rmtree(folder)


def installed_bytes(packages: Path) -> int:
    """Of all files, compiled ones too, but those of the installer."""
    own = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
    return sum(
        file.stat().st_size
        for top in packages.iterdir()
        if not top.name.startswith(own)
        for file in (top.rglob("*") if top.is_dir() else (top,))
        if file.is_file()
    )


@pytest.mark.slow
def test_the_plain_installation_works_without_tensorflow(plain: Path, tmp_path: Path) -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
        return subprocess.run(
            [str(plain), *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment
        )

    packages = next((plain.parents[1] / "lib").glob("python3*/site-packages"))
    assert installed_bytes(packages) < MOST_BYTES
    run = typical(tmp_path / "run").folder
    other = typical(tmp_path / "other", seed=5).folder
    for arguments, word in (
        (("--help",), "guard"),
        (("list", "--plain"), "infer/litert-int8\n"),
        (("report", str(run)), "report.html"),
        (("compare", str(run), str(other)), "comparison: "),
        (("recommend", str(run)), "infer/"),
        (("history", str(tmp_path)), "history: "),
    ):
        done = call(*arguments)
        assert done.returncode == 0, done.stderr
        assert word in done.stdout
    found = call("doctor", "--json")
    assert found.returncode in (0, 3), found.stderr
    assert '"name"' in found.stdout
    refused = call("run", "infer/function", "--profile", "smoke")
    assert refused.returncode == 2
    assert "install the extra `tensorflow`" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 2  # what it was doing, and why it stopped
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_the_plain_installation_guards_a_users_code(plain: Path, tmp_path: Path) -> None:
    """Also where the user's packages are called as this project's."""
    mine = tmp_path / "mine"
    hot = "import bench\n\n\ndef bench_sum():\n    bench.work()\n"
    work = "def work():\n    return sum(range(1000))\n"
    commit(mine, "first", {"hot.py": hot, "bench/__init__.py": work, "reports/__init__.py": ""})
    for arguments in (("--calls", "hot.py"), ("--command", f"{plain.parent}/python hot.py")):
        done = subprocess.run(
            [str(plain), "guard", "--base", "HEAD", *arguments, "--budget", "20s", "--json"],
            capture_output=True, text=True, cwd=mine,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode in (0, 3), done.stderr
        assert json.loads(done.stdout)["judgements"]
