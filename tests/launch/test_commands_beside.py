"""What the kernel says of a command: time, memory, what it read and wrote, its processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.guard.sources.processes import Beside
from bench.sweep.running import LaunchFailed
from tests.launch.beside import beside


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    with beside(tmp_path_factory.mktemp("runner"), {"kind": "commands"}) as process:
        yield process


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Beside]:
    """One of its own."""
    with beside(tmp_path, {"kind": "commands"}) as process:
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


def disturbed(runner: Beside, act: Callable[[list[psutil.Process]], None], **more: float) -> Any:
    """What is found of a command though we do this to all processes, the runner first."""

    def later() -> None:
        own = psutil.Process(runner.pid)
        while not own.children():
            time.sleep(0.01)
        time.sleep(0.1)
        act([own, *own.children(recursive=True)])

    with ThreadPoolExecutor(1) as other:
        done = other.submit(later)
        found = run(runner, "/bin/sh", "-c", "sleep 0.5; true", **more)
        done.result()
    return found


def stopped(every: list[psutil.Process], seconds: float = 0.3) -> None:
    for each in every:
        each.suspend()
    time.sleep(seconds)
    for each in every:
        each.resume()


@pytest.mark.faults(
    "In a launch",
    {
        "SIGSTOP of everything in a run of a guard's command": "the run is left out, and counted",
        "the same for longer than its time limit": "the same: it is not ended",
        "SIGSTOP of the command alone": "the run is left out, and counted",
    },
)
@pytest.mark.parametrize(
    ("act", "limit_s"),
    [
        (stopped, 60),
        (lambda every: stopped(every, 1.5), 1.0),
        (lambda every: stopped(every[1:]), 60),
    ],
    ids=["all", "longer than the limit", "the command"],
)
def test_a_command_that_stood_still_says_so(
    act: Callable[[list[psutil.Process]], None], limit_s: float, fresh: Beside
) -> None:
    assert disturbed(fresh, act, limit_s=limit_s)["stood_still"]
    assert not disturbed(fresh, lambda every: None)["stood_still"]


@pytest.mark.faults(
    "In a launch",
    {"a guard's command whose core is taken away": "`failed`, with the cores that it had and has"},
)
def test_a_command_whose_cores_are_taken_away_fails(fresh: Beside) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("needs two cores")

    def take_away(every: list[psutil.Process]) -> None:
        for each in every:
            os.sched_setaffinity(each.pid, cores[:1])

    with pytest.raises(LaunchFailed, match=f"its cores were taken away: .* has {cores[0]}$"):
        disturbed(fresh, take_away)


@pytest.mark.parametrize("count", [False, True])
def test_a_command_gets_its_signals_as_from_a_shell(
    runner: Beside, count: bool, tmp_path: Path
) -> None:
    code = "open({!r}, 'w').write(open('/proc/self/status').read())"
    python(runner, code.format(str(tmp_path / "status")), count)
    lines = dict(line.split(":\t") for line in (tmp_path / "status").read_text().splitlines())
    assert int(lines["SigBlk"], 16) == 0
    assert not int(lines["SigIgn"], 16) & 1 << signal.SIGINT - 1
