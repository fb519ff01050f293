"""Real launches of code that does what it should not: each ends in a reason, and nothing stays.

Here a launch is forked from the test: what answers, waits, stops and ends it is the sweep's.
"""

from __future__ import annotations

import contextlib
import faulthandler
import locale
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bench.launch.timing.launch import TimedLaunch, be
from bench.results.messages import Channel
from bench.sweep.running import OUTPUT_BYTES, LaunchFailed, RunningLaunch

LIMIT_BYTES = 1 << 30


def left(*command: str) -> None:
    print("left", subprocess.Popen(command).pid, flush=True)


def recurse() -> None:
    recurse()


class Bad(TimedLaunch):
    """What it is built of is the name of what it should not do."""

    def __init__(self) -> None:
        super().__init__()
        faulthandler.disable()  # pytest's, which would print the crash on its own terminal
        self.held: Any = None

    def build(self, what: str) -> dict[str, Any]:
        getattr(self, what)()
        return {"built": True}

    def raises(self) -> None:
        raise RuntimeError("the first line\nthe second")

    def raises_nothing_known(self) -> None:
        raise type("Odd", (BaseException,), {})("odd")

    def exits_politely(self) -> None:
        sys.exit(5)

    def exits(self) -> None:
        os._exit(3)

    def is_interrupted(self) -> None:
        raise KeyboardInterrupt

    def aborts(self) -> None:
        os.abort()

    def is_killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def divides_by_zero(self) -> None:
        os.kill(os.getpid(), signal.SIGFPE)

    def recurses(self) -> None:
        recurse()

    def overflows_the_stack(self) -> None:
        faulthandler._stack_overflow()  # type: ignore[attr-defined]

    def spins(self) -> None:
        while True:
            pass

    def holds_the_lock_of_python(self) -> None:
        import ctypes

        ctypes.PyDLL(None).sleep(1000)

    def deadlocks(self) -> None:
        lock = threading.Lock()
        with lock, lock:
            pass

    def ignores_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
        time.sleep(1000)

    def prints_without_end(self) -> None:
        print("x" * 30_000_000)
        raise RuntimeError("after much output")

    def says_too_much(self) -> None:
        raise RuntimeError("y" * 10_000_000)

    def opens_too_much(self) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
        self.held = [open(os.devnull) for _ in range(1000)]  # noqa: PTH123, SIM115

    def eats(self) -> None:
        self.held = b"x" * (LIMIT_BYTES + (64 << 20))
        time.sleep(1000)

    def starts_too_much(self) -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        self.held = b"x" * (2 * LIMIT_BYTES)

    def leaves_a_process(self) -> None:
        left("sleep", "1000")
        raise RuntimeError("left one")

    def leaves_a_daemon(self) -> None:
        subprocess.run(["sh", "-c", "setsid sleep 1000 & echo left $!"], check=True)
        raise RuntimeError("left one that has another parent and session")

    def leaves_many_and_dies(self) -> None:
        for _ in range(30):
            left("sleep", "1000")
        os.kill(os.getpid(), signal.SIGKILL)

    def leaves_a_thread(self) -> None:
        threading.Thread(target=time.sleep, args=(1000,)).start()

    def moves_away(self) -> None:
        os.chdir("/")

    def closes_its_streams(self) -> None:
        for place in (0, 1, 2):
            with contextlib.suppress(OSError):
                os.close(place)

    def forgets_its_environment(self) -> None:
        os.environ.clear()

    def changes_its_locale(self) -> None:
        for name in ("tr_TR.UTF-8", "de_DE.UTF-8", "C"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_ALL, name)
        os.environ["LC_ALL"] = "tr_TR.UTF-8"

    def changes_its_time_zone(self) -> None:
        os.environ["TZ"] = "Asia/Kathmandu"
        time.tzset()

    def blocks_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))

    def takes_all_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, range(1, 32))

    def fills_a_pipe(self) -> None:
        self.held = os.pipe()
        os.write(self.held[1], b"x" * 10_000_000)

    def deletes_its_artifact(self) -> None:
        from bench.launch.analysis import probes

        with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
            path = SimpleNamespace(artifact=Path(file.name))
        probes.sizes(path)

    def multiplies(self) -> None:
        for _ in range(6):  # each time twice as many
            os.fork()
        print("left", os.getpid(), flush=True)
        if os.getpid() != os.getpgrp():
            time.sleep(1000)
        raise RuntimeError("there are many")

    def ignores_its_end(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def forked(make: Callable[[], TimedLaunch]) -> RunningLaunch:
    """A launch that is forked from this process."""
    ours, theirs = socket.socketpair()
    log = tempfile.TemporaryFile()  # noqa: SIM115
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        be(make, theirs.detach(), log.fileno(), parent)
    theirs.close()

    def exit_status(pid: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return RunningLaunch(pid, exit_status, Channel(ours.detach()), log, LIMIT_BYTES)


@contextlib.contextmanager
def launched() -> Iterator[RunningLaunch]:
    launch = forked(Bad)
    try:
        yield launch
    finally:
        launch.close()
        assert not runs(launch.pid)


def runs(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.faults(
    "In a launch",
    {
        "an exception": "`failed`, its first line as the reason",
        "an exception outside of `Exception`": "`failed`, its first line as the reason",
        "`sys.exit`": "`failed`, its first line as the reason",
        "`KeyboardInterrupt`": "`failed`, its first line as the reason",
        "`os._exit`": "`failed`, with the exit status",
        "abort": "`failed`, with the signal and what may help",
        "SIGFPE": "`failed`, with the signal and what may help",
        "stack overflow in native code": "`failed`, with the signal and what may help",
        "SIGKILL": "`failed`: out of memory?",
        "more memory than its limit": "ended, `failed` with both figures",
        "no memory to be had": "`failed`: ran out of memory",
        "endless recursion": "`failed`",
        "endless loop": "ended at its limit, `timeout`",
        "native code that holds Python's lock": "ended at its limit, `timeout`",
        "deadlock": "ended at its limit, `timeout`",
        "all signals blocked": "ended at its limit, `timeout`",
        "a full pipe that nobody reads": "ended at its limit, `timeout`",
        "all file handles used up": "`failed`",
        "a scenario that deletes its own artifact": "`failed`",
        "30 MB of output": "its end is kept",
        "a message of 10 MB": "its beginning is kept",
    },
)
@pytest.mark.parametrize(
    ("what", "outcome", "reason"),
    [
        ("raises", "failed", "RuntimeError: the first line"),
        ("raises_nothing_known", "failed", "Odd: odd"),
        ("exits_politely", "failed", "SystemExit: 5"),
        ("exits", "failed", "the launch ended with exit status 3"),
        ("is_interrupted", "failed", "KeyboardInterrupt"),
        ("aborts", "failed", "the launch was ended by SIGABRT: a library crashed"),
        ("is_killed", "failed", "the launch was ended by SIGKILL (out of memory?)"),
        ("divides_by_zero", "failed", "the launch was ended by SIGFPE"),
        ("recurses", "failed", "RecursionError"),
        ("overflows_the_stack", "failed", "the launch was ended by SIGSEGV"),
        ("spins", "timeout", "build took longer than 1 s"),
        ("holds_the_lock_of_python", "timeout", "build took longer than 1 s"),
        ("deadlocks", "timeout", "build took longer than 1 s"),
        ("ignores_signals", "timeout", "build took longer than 1 s"),
        ("fills_a_pipe", "timeout", "build took longer than 1 s"),
        ("prints_without_end", "failed", "RuntimeError: after much output"),
        ("says_too_much", "failed", "RuntimeError: yyyy"),
        ("opens_too_much", "failed", "Too many open files"),
        ("deletes_its_artifact", "failed", "is gone: nothing may remove it"),
        ("eats", "failed", "more than its limit of 1.0 GiB"),
        ("starts_too_much", "failed", "ran out of memory"),
    ],
)
def test_it_becomes_a_reason(what: str, outcome: str, reason: str) -> None:
    with launched() as launch:
        with pytest.raises(LaunchFailed) as caught:
            launch.call("build", 1.0 if outcome == "timeout" else 60.0, what=what)
        assert len(launch.output()) <= OUTPUT_BYTES
    assert caught.value.outcome == outcome
    assert reason in caught.value.reason
    assert "\n" not in caught.value.reason
    assert len(caught.value.reason) <= 500


@pytest.mark.faults(
    "In a launch",
    {
        "a thread that goes on": "measured; ends with the launch",
        "another working directory": "measured",
        "standard streams closed": "measured",
        "environment emptied": "measured",
        "SIGTERM ignored": "measured; ended all the same",
        "another locale": "measured",
        "another time zone": "measured",
        "all signals blocked, and it goes on": "measured; ended all the same",
        "all signals unblocked": "measured",
    },
)
@pytest.mark.parametrize(
    "what",
    ["leaves_a_thread", "moves_away", "closes_its_streams", "forgets_its_environment",
     "ignores_its_end", "changes_its_locale", "changes_its_time_zone", "blocks_signals",
     "takes_all_signals"],
)  # fmt: skip
def test_it_is_measured_all_the_same(what: str) -> None:
    with launched() as launch:
        assert launch.call("build", 60.0, what=what) == {"built": True}
        launch.pause()
        assert launch.call("build", 60.0, what="moves_away") == {"built": True}


@pytest.mark.faults(
    "In a launch",
    {
        "a process left behind": "ended with the launch",
        "a daemon of a session of its own left behind": "ended with the launch",
        "30 processes left by a launch that was killed": "ended",
        "processes that multiply to 64": "ended",
    },
)
@pytest.mark.parametrize(
    ("what", "count"),
    [
        ("leaves_a_process", 1),
        ("leaves_a_daemon", 1),
        ("leaves_many_and_dies", 30),
        ("multiplies", 64),
    ],
)
def test_processes_that_it_started_end_with_it(what: str, count: int) -> None:
    with launched() as launch:
        with pytest.raises(LaunchFailed):
            launch.call("build", 60.0, what=what)
        pids = [int(pid) for pid in re.findall(r"^left (\d+)$", launch.output(), re.MULTILINE)]
        while len(pids) < count:  # they come one after the other
            time.sleep(0.05)
            pids = [int(pid) for pid in re.findall(r"^left (\d+)$", launch.output(), re.M)]
        pids = [pid for pid in pids if pid != launch.pid]
        assert all(map(runs, pids))
    gone(pids)


@pytest.fixture
def limited() -> Iterator[Path]:
    """A control group of less memory than a launch may use by its own limit."""
    for place, limit in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        folder = Path("/sys/fs/cgroup") / place / f"tfbench{os.getpid()}"
        with contextlib.suppress(OSError):
            folder.mkdir()
            (folder / limit).write_text(str(LIMIT_BYTES // 4))
            break
    else:
        pytest.skip("this machine lets nobody limit memory")
    yield folder
    for _ in range(100):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.05)


@pytest.mark.faults(
    "In a launch", {"the kernel runs out of memory, and ends it": "`failed`: out of memory?"}
)
def test_the_kernel_ends_it_for_lack_of_memory(limited: Path) -> None:
    with launched() as launch:
        (limited / "cgroup.procs").write_text(str(launch.pid))
        with pytest.raises(LaunchFailed, match=r"ended by SIGKILL \(out of memory\?\)"):
            launch.call("build", 60.0, what="eats")


def gone(pids: list[int]) -> None:
    """Wait until they have ended: the kernel takes its time to reap them."""
    for _ in range(200):
        if not any(map(runs, pids)):
            return
        time.sleep(0.05)
    raise AssertionError([pid for pid in pids if runs(pid)])


@pytest.mark.faults(
    "Around it", {"what forked the launches is killed": "they end with it, whatever they do"}
)
def test_a_launch_ends_with_the_process_that_forked_it() -> None:
    """Also where that is killed, and whatever the launch is doing."""
    out, into = os.pipe()
    parent = os.fork()
    if parent == 0:
        with launched() as launch:
            os.write(into, f"{launch.pid}\n".encode())
            launch.call("build", 60.0, what="spins")
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as said:
        pid = int(said.readline())
    assert runs(pid)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    gone([pid])


@pytest.mark.faults("In a launch", {"stopped by someone else": "continued when it is asked next"})
def test_a_launch_that_is_stopped_and_continued_answers() -> None:
    with launched() as launch:
        assert launch.call("build", 60.0, what="moves_away")
        os.kill(launch.pid, signal.SIGSTOP)
        assert launch.call("build", 60.0, what="moves_away") == {"built": True}
