"""A launch as the parent sees it: asked by messages, stopped between turns, ended in the end."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

import psutil

from bench.results.errors import TfbenchError
from bench.results.messages import Channel

WATCH_S = 1.0
"""How often a waiting parent looks at a launch's memory."""
GAP_S = 1.0
"""How much later than asked a waiting parent wakes from which on it must have stood still, with its
launches: suspended, stopped or frozen."""
OUTPUT_BYTES = 4000
CRASH = ": a library crashed; if it is TensorFlow, try TF_ENABLE_ONEDNN_OPTS=0 in the environment"
HINTS = {"SIGKILL": " (out of memory?)"} | dict.fromkeys(("SIGSEGV", "SIGABRT", "SIGFPE"), CRASH)
"""What a signal that ended a launch may mean."""


def by_signal(number: int) -> str:
    """That a process was ended by a signal, and what that may mean."""
    name = signal.Signals(number).name
    return f"was ended by {name}{HINTS.get(name, '')}"


class LaunchFailed(TfbenchError):
    """A launch ended without a result; carries outcome and reason."""

    def __init__(self, outcome: str, reason: str, usage: bool = False) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.usage = usage


class RunningLaunch:
    """The parent's handle of one launch.

    Args:
        pid: The launch's process.
        exit_status: Waits for a process of whoever forked it; negative: the signal that ended it.
        channel: To the launch.
        log: What it prints to.
        memory_bytes: Its limit.
    """

    def __init__(
        self,
        pid: int,
        exit_status: Callable[[int], int],
        channel: Channel,
        log: IO[bytes],
        memory_bytes: int,
    ) -> None:
        self.pid, self._exit_status, self._channel, self._log = pid, exit_status, channel, log
        self._memory_bytes = memory_bytes
        self._ended = False
        self.waited_s = self.waited_cpu_s = 0.0
        """Wall and CPU time spent in waiting for answers."""
        self.stood_still_s = 0.0

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send one message and wait for its answer without using a core.

        Raises:
            LaunchFailed: An error inside, a crash, the time limit or the memory limit.
        """
        self._signal(signal.SIGCONT)
        with contextlib.suppress(OSError):  # how a dead launch ended is found below
            self._channel.send({"do": do, **arguments})
        deadline = time.monotonic() + timeout_s
        cpu, wall = time.thread_time(), time.perf_counter()
        there = False
        while not there:
            there, lost_s = self._look(deadline)
            deadline += lost_s
            if not there and time.monotonic() >= deadline:
                self.kill()
                raise LaunchFailed("timeout", f"{do} took longer than {timeout_s:.0f} s")
            if not there:
                self._check_memory()
        self.waited_cpu_s += time.thread_time() - cpu
        self.waited_s += time.perf_counter() - wall
        try:
            answer = self._channel.receive()
        except (EOFError, ConnectionError):
            raise LaunchFailed("failed", self._how_it_ended()) from None
        if "error" in answer:
            error = answer["error"]
            raise LaunchFailed(error["outcome"], error["reason"], "usage" in error)
        return answer

    def _look(self, deadline: float) -> tuple[bool, float]:
        """Whether an answer comes within a second, and how long this process stood still then."""
        begun = time.monotonic()
        wanted_s = min(WATCH_S, max(0.0, deadline - begun))
        there = self._channel.poll(wanted_s)
        lost_s = time.monotonic() - begun - wanted_s
        lost_s = lost_s if lost_s > GAP_S else 0.0
        self.stood_still_s += lost_s
        return there, lost_s

    def pause(self) -> None:
        """Stop it until the next call: none of its threads may run in another's turn.

        Thread pools spin for up to a millisecond after their last work, and tf.data goes on
        filling its buffers: the neighbour would pay for it.
        """
        self._signal(signal.SIGSTOP)

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def output(self) -> str:
        """The end of what it printed."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), OUTPUT_BYTES, max(0, size - OUTPUT_BYTES)).decode(
            "utf-8", "replace"
        )

    def kill(self) -> None:
        """End it now, with all that it started and that is still its own."""
        if not self._ended:
            started: list[psutil.Process] = []
            with contextlib.suppress(psutil.Error):
                started = psutil.Process(self.pid).children(recursive=True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            for each in started:
                with contextlib.suppress(psutil.Error):
                    each.kill()
            with contextlib.suppress(LaunchFailed):  # what forked it ended, and it therefore
                self._reap()

    def close(self) -> None:
        """End it, with the processes that it started, and free what it held here."""
        self.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it leads their group
            os.killpg(self.pid, signal.SIGKILL)
        self._channel.close()
        self._log.close()

    def _reap(self) -> int:
        self._ended = True
        return self._exit_status(self.pid)

    def _how_it_ended(self) -> str:
        try:
            status = self._reap() if not self._ended else 0
        except LaunchFailed as error:
            return error.reason
        if status < 0:
            return f"the launch {by_signal(-status)}"
        full = os.fstatvfs(self._log.fileno()).f_bavail == 0
        why = f": {tempfile.gettempdir()} is full, make room there" if full else ""
        return f"the launch ended with exit status {status}{why}"

    def _check_memory(self) -> None:
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(self.pid).memory_info().rss
            if used > self._memory_bytes:
                self.kill()
                raise LaunchFailed(
                    "failed",
                    f"used {used / 2**30:.1f} GiB, more than its limit of "
                    f"{self._memory_bytes / 2**30:.1f} GiB",
                )
