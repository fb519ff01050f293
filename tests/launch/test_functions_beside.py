"""Functions of a user in their own interpreter, whose packages may be called as ours."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import psutil
import pytest

from bench.guard.sources import private
from bench.sweep.running import LaunchFailed
from tests.launch.beside import ask, beside, turn

HOT = """
import asyncio
import bench, reports, scenarios
numbers = []

def setup_known():
    return bench.SIZE

def bench_known(size):
    return sum(range(size))

async def setup_waits():
    return 3

async def bench_waits(times):
    for _ in range(times):
        await asyncio.sleep(0)

def bench_lacks(argument):
    pass

def bench_once(left=[1]):
    return left.pop()

def bench_grows():
    numbers.append(bytearray(1000))

def helper():
    pass
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's folder with packages that are called like this project's."""
    for name in ("bench", "reports", "scenarios"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("SIZE = 1000\n")
    (tmp_path / "hot.py").write_text(HOT)
    return tmp_path


def request(folder: Path, **more: str) -> dict[str, str]:
    return {"kind": "calls", "file": str(folder / "hot.py"), **more}


def test_they_are_found_and_take_turns_where_no_package_is_installed(
    mine: Path, bare: Path
) -> None:
    found = ask(mine, request(mine), python=str(bare))["found"]
    names = [each["name"] for each in found]
    assert names == ["bench_known", "bench_waits", "bench_lacks", "bench_once", "bench_grows"]
    assert found[0]["line"] == 9
    for name in ("bench_known", "bench_waits"):
        with beside(mine, request(mine, name=name), python=str(bare)) as process:
            assert turn(process)["elapsed_ns"] > 0


def test_what_a_call_uses_is_known(mine: Path) -> None:
    with beside(mine, request(mine, name="bench_known")) as process:
        process.call("build", 60, first_step=False)
        found = process.call("probe", 60)
    assert found["peak_memory_bytes"] > 1 << 20
    assert "kept_bytes" not in found["probes"]


def test_a_function_that_changes_what_it_works_on_is_refused_or_named(mine: Path) -> None:
    with beside(mine, request(mine, name="bench_once")) as process:
        process.call("build", 60, first_step=False)
        with pytest.raises(LaunchFailed, match=r"called once, not again .*which a setup"):
            process.call("probe", 60)
    with beside(mine, request(mine, name="bench_grows")) as process:
        process.call("build", 60, first_step=False)
        assert process.call("probe", 60)["probes"]["kept_bytes"] > 1000


def test_what_a_function_leaves_running_is_ended(mine: Path) -> None:
    (mine / "hot.py").write_text(
        "import subprocess\n"
        "def bench_starts():\n"
        "    with open('started', 'w') as file:\n"
        "        file.write(str(subprocess.Popen(['sleep', '60']).pid))\n"
    )
    with beside(mine, request(mine, name="bench_starts")) as process:
        process.call("build", 60)
        started = psutil.Process(int((mine / "started").read_text()))
        assert started.is_running()
    started.wait(5)


def test_garbage_is_not_kept(mine: Path) -> None:
    (mine / "hot.py").write_text("def bench_cycle():\n    x = [bytearray(1000)]\n    x.append(x)\n")
    with beside(mine, request(mine, name="bench_cycle")) as process:
        process.call("build", 60, first_step=False)
        assert "kept_bytes" not in process.call("probe", 60)["probes"]


def test_an_argument_without_a_setup_says_what_to_write(mine: Path) -> None:
    with pytest.raises(LaunchFailed, match=r"write setup_lacks\(\), which returns it"):
        ask(mine, request(mine, name="bench_lacks"), "build")


def test_a_file_that_cannot_be_imported_says_why(mine: Path) -> None:
    (mine / "hot.py").write_text("import no_such_package\n")
    with pytest.raises(LaunchFailed, match="no_such_package"):
        ask(mine, request(mine))


def test_nothing_is_imported_from_the_other_version(mine: Path, tmp_path: Path) -> None:
    """An installed link to the working tree would compare it with itself."""
    with pytest.raises(LaunchFailed, match=r"other version .*--install 'pip install .'"):
        ask(mine, request(mine, name="bench_grows", other=str(tmp_path)), "build")


def test_a_profile_counts_calls_and_shares_time(mine: Path) -> None:
    (mine / "hot.py").write_text(
        "def inner(n):\n    return sum(range(n))\n"
        "def bench_two():\n    inner(20000)\n    inner(20000)\n"
    )
    with beside(mine, request(mine, name="bench_two")) as process:
        process.call("build", 60)
        found = process.call("profile", 60, wanted_s=0.1, root=str(mine))["functions"]
    calls = {each["name"]: each["calls"] for each in found}
    assert calls["hot.py:inner"] == 2
    assert calls["hot.py:bench_two"] == 1
    own = {each["name"]: each["self_ns"] for each in found}
    assert own["hot.py:inner"] > own["hot.py:bench_two"]


def test_the_copy_needs_the_standard_library_and_pytest_alone() -> None:
    used = set()
    for module in private.modules():
        for node in ast.walk(ast.parse(private._file(module).read_text())):
            if isinstance(node, ast.Import):
                used |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                used.add(str(node.module).partition(".")[0])
    assert used - set(sys.stdlib_module_names) == {"bench", "pytest"}
    text = Path(private.start_file()).read_text()
    assert "from _tfbench_beside." in text
    assert "import bench" not in text
    assert "from bench" not in text
