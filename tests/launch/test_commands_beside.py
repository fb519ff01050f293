"""What the kernel says of a command: time, memory, what it read and wrote, its processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.guard.sources.processes import Beside
from bench.sweep.running import LaunchFailed
from tests.launch.beside import beside


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    with beside(tmp_path_factory.mktemp("runner"), {"kind": "commands"}) as process:
        yield process


def run(runner: Beside, *command: str, count: bool = False, limit_s: float = 60) -> dict[str, Any]:
    return runner.call(
        "run", 90, command=list(command), folder="/", environment=dict(os.environ),
        limit_s=limit_s, count=count,
    )  # fmt: skip


def python(runner: Beside, code: str, count: bool = False) -> dict[str, Any]:
    return run(runner, sys.executable, "-S", "-E", "-c", code, count=count)


def test_memory_and_bytes_are_those_of_the_command(runner: Beside, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    plain = python(runner, "pass")
    reads = python(runner, f"open({str(tmp_path / 'file')!r}).read()")
    holds = python(runner, "x = b'x' * (64 << 20)")
    writes = python(runner, f"open({str(tmp_path / 'new')!r}, 'w').write('x' * 5000)")
    assert 100_000 <= reads["bytes_read"] - plain["bytes_read"] < 200_000
    assert holds["peak_memory_bytes"] - plain["peak_memory_bytes"] > 40 << 20
    assert writes["bytes_written"] - plain["bytes_written"] == 5000
    assert plain["cpu_ns"] > 0
    assert plain["wall_ns"] > 0
    assert not plain["left"]


def test_processes_threads_and_files_are_counted_however_short(runner: Beside) -> None:
    code = (
        "import subprocess, threading, os\n"
        "subprocess.run(['/bin/true'])\n"
        "os.system('/bin/true; /bin/true')\n"
        "t = threading.Thread(target=len, args=('',)); t.start(); t.join()\n"
    )
    one = python(runner, "pass", count=True)
    if "processes" not in one:
        pytest.skip("ptrace is not allowed here")
    many = python(runner, code, count=True)
    here = f"open({__file__!r}).close()"
    again = python(
        runner, f"{here}; {here}\ntry: open('/no/such/file')\nexcept OSError: pass", True
    )
    assert again["files"] == one["files"] + 2
    assert (one["processes"], one["threads"]) == (1, 0)
    assert many["processes"] >= 4
    assert many["threads"] == 1


def test_what_is_left_running_is_ended(runner: Beside) -> None:
    assert run(runner, "/bin/sh", "-c", "sleep 100 & true")["left"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("/bin/sh", "-c", "echo no data >&2; exit 3"), "exit status 3: no data"),
        (("/bin/sh", "-c", "kill -TERM $$"), "signal 15"),
        (("/no/such/program",), "cannot start /no/such/program"),
    ],
)
def test_a_command_that_fails_says_how(runner: Beside, command: tuple[str, ...], says: str) -> None:
    with pytest.raises(LaunchFailed, match=says):
        run(runner, *command)


def test_a_command_that_takes_too_long_is_ended(runner: Beside) -> None:
    with pytest.raises(LaunchFailed, match="longer than"):
        run(runner, "/bin/sleep", "100", limit_s=0.2)
