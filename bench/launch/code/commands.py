"""Runs whole processes for the guard and reads from the kernel what each of them used.

It is a small process of its own: the kernel counts the memory of who starts a program as the
program's until the program replaces it.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from typing import Any

from bench.launch.code import instructions, tracing
from bench.launch.timing import setup, standstill
from bench.results.errors import LaunchError

SHOWN_BYTES = 4000
WAITING = ("/bin/sh", "-c", 'kill -STOP $$; exec "$@"', "sh")
"""Stops before the command begins, so that nothing is started before it is followed."""


class Runner:
    """Runs one command at a time."""

    def __init__(self) -> None:
        self.variants: dict[str, Any] = {}
        self._cores = os.sched_getaffinity(0)
        signal.signal(signal.SIGINT, lambda *_: None)  # what is ignored, a command would inherit

    def run(
        self,
        command: list[str],
        folder: str,
        environment: dict[str, str],
        limit_s: float,
        count: bool = False,
    ) -> dict[str, Any]:
        """Run it to its end; what it used.

        Args:
            command: Program and arguments.
            folder: Where it runs.
            environment: All of its variables.
            limit_s: After which it is ended.
            count: Count its instructions, the processes it starts and the files it opens, which
                slows it down.

        Raises:
            LaunchError: It does not start, fails, or takes too long, with the last line it printed;
                or its cores were taken away.
        """
        with tempfile.TemporaryFile() as output:
            words = [*WAITING, *command] if count else command
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCONT])  # the command inherits it
            begun = time.perf_counter_ns()
            try:
                running = subprocess.Popen(
                    words, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                    stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                    restore_signals=True,
                )  # fmt: skip
            except OSError as error:
                reason = f"cannot start {command[0]}: {error.strerror or error}"
                raise LaunchError(reason) from None
            finally:
                standstill.begin()
            still = standstill.Standstill()
            late = threading.Event()
            clock = threading.Timer(limit_s, _stop, (running.pid, late, still))
            clock.start()
            counter = instructions.opened(running.pid, on_exec=True) if count else -1
            try:
                started = tracing.follow(running.pid) if count else None
                stopped = _wait(running.pid)
                wall_ns = time.perf_counter_ns() - begun
                used = _io(running.pid) | _counted(counter)
                status, usage = _reap(running.pid)
            finally:
                clock.cancel()
                if counter >= 0:
                    os.close(counter)
            running.returncode = status
            left = _end(running.pid)
            if status:
                raise LaunchError(_how(status, late.is_set(), limit_s, output))
        setup.check_cores(self._cores)
        return {
            "wall_ns": wall_ns,
            "cpu_ns": round(1e9 * (usage.ru_utime + usage.ru_stime)),
            "peak_memory_bytes": usage.ru_maxrss * 1024,
            **used,
            **(started or {}),
            "left": left,
            "stood_still": stopped or still.seen(),
        }


def _wait(pid: int) -> bool:
    """Wait for its end, which stays to be asked for; whether it was continued before."""
    ends, continued = os.WEXITED | os.WCONTINUED | os.WNOWAIT, False
    while (found := os.waitid(os.P_PID, pid, ends)) and found.si_code == os.CLD_CONTINUED:
        os.waitid(os.P_PID, pid, os.WCONTINUED)  # it reports that once
        continued = True
    return continued


def _reap(pid: int) -> tuple[int, resource.struct_rusage]:
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), usage


def _io(pid: int) -> dict[str, int]:
    """Bytes that were read and written by a process that has ended, with its children's.

    The kernel adds a child's to its parent's when the parent waits for it.
    """
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:  # noqa: PTH123
            table = dict(line.split(": ") for line in file.read().splitlines())
    except (OSError, ValueError):
        return {}
    names = {"bytes_read": "rchar", "bytes_written": "wchar"}
    return {name: int(table[key]) for name, key in names.items() if key in table}


def _counted(counter: int) -> dict[str, int]:
    """Instructions of a process that has ended, with its children's."""
    found = instructions.read(counter) if counter >= 0 else None
    return {} if found is None else {"instructions": found}


def _end(group: int) -> bool:
    """End what a command has left running; whether there was anything."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _stop(group: int, late: threading.Event, still: standstill.Standstill) -> None:
    if not still.seen():  # else its time is left out, and who asked for it has a limit too
        late.set()
        _end(group)


def _how(status: int, late: bool, timeout_s: float, output: Any) -> str:
    if late:
        return f"it took longer than {timeout_s:.0f} s"
    size = os.fstat(output.fileno()).st_size
    text = os.pread(output.fileno(), SHOWN_BYTES, max(0, size - SHOWN_BYTES)).decode(
        "utf-8", "replace"
    )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    how = f"signal {-status}" if status < 0 else f"exit status {status}"
    return f"{how}: {lines[-1][:300] if lines else 'it printed nothing'}"
