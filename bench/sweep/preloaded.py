"""The parent's side of preloaded processes and of the launches forked from them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from bench.results.errors import TfbenchError, UsageError
from bench.results.messages import Channel
from bench.results.values import Configuration, Scenario, WorkloadSpec, to_json

READY_S = 180.0
WATCH_S = 1.0
"""How often a waiting parent looks at a launch's memory."""
OUTPUT_BYTES = 4000


class LaunchFailed(TfbenchError):
    """A launch ended without a result; carries outcome and reason."""

    def __init__(self, outcome: str, reason: str, usage: bool = False) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.usage = usage


@dataclass(frozen=True)
class Environment:
    """What must be settled before TensorFlow is imported; each has its own preloaded process."""

    python: str
    root: str
    variables: tuple[tuple[str, str], ...]
    folder: str = ""
    """Where its launches run, so that relative paths mean its own version's; empty: here."""

    @classmethod
    def of(
        cls, scenario: Scenario | None, configuration: Configuration, python: str, root: Path
    ) -> Environment:
        """The environment that a scenario needs in a configuration."""
        variables = dict(configuration.environment)
        if scenario is not None:
            variables |= scenario.environment
            if scenario.keras == 2:
                variables["TF_USE_LEGACY_KERAS"] = "1"
        interpreter = python or configuration.python or sys.executable
        return cls(interpreter, str(root), tuple(sorted(variables.items())))


class Preloaded:
    """One preloaded process, from which launches are forked.

    Args:
        environment: Its interpreter, code and variables.
        factory: Name of what makes workloads, loaded once for all launches; empty: by each.
    """

    def __init__(self, environment: Environment, factory: str = "") -> None:
        ours, theirs = socket.socketpair()
        inherited = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
        # the code under test first, then the user's own modules
        path = filter(None, [environment.root, inherited.get("PYTHONPATH", ""), str(Path.cwd())])
        variables = {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "KMP_BLOCKTIME": "0",  # OpenMP threads of waiting launches must not spin
            **inherited,
            "PYTHONPATH": os.pathsep.join(path),
            **dict(environment.variables),
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        # -P: the current folder must not come before the root, which may be another version
        command = [environment.python, "-P", "-m", "bench.launch.preload", str(theirs.fileno())]
        command += filter(None, [factory])
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=variables,
                cwd=environment.folder or None,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise UsageError(f"cannot start {environment.python}: {error.strerror}") from None
        theirs.close()
        self._control = ours
        self._lock = threading.Lock()
        self._versions: dict[str, str] | None = None

    @property
    def versions(self) -> dict[str, str]:
        """Versions of what it imported; waits until it is ready.

        Raises:
            UsageError: TensorFlow cannot be imported in that environment.
        """
        with self._lock:
            if self._versions is None:
                self._control.settimeout(READY_S)
                try:
                    answer = json.loads(self._control.recv(1 << 16) or b"{}")
                except (TimeoutError, ConnectionError):
                    answer = {}
                if "ready" not in answer:
                    reason = answer.get("error") or last_line(self._log)
                    raise UsageError(f"the launch environment does not start: {reason}")
                self._control.settimeout(None)
                self._versions = answer["ready"]
            return self._versions

    def fork(self, request: dict[str, Any], memory_bytes: int) -> RunningLaunch:
        """A new launch; it waits for messages."""
        _ = self.versions
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115
        pid = self._ask(request, [theirs.fileno(), log.fileno()])["pid"]
        theirs.close()
        return RunningLaunch(self, pid, Channel(ours.detach()), log, memory_bytes)

    def exit_status(self, pid: int) -> int:
        """Exit status of an ended launch; negative: the signal that ended it."""
        return int(self._ask({"wait": pid})["status"])

    def _ask(self, request: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], list(fds))
                answer: dict[str, Any] = json.loads(self._control.recv(1 << 16))
            except (OSError, ValueError):
                reason = f"the preloaded process ended: {last_line(self._log)}"
                raise LaunchFailed("failed", reason) from None
            return answer

    def close(self) -> None:
        """End it; launches that still run end with it."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class RunningLaunch:
    """The parent's handle of one launch."""

    def __init__(
        self, preloaded: Preloaded, pid: int, channel: Channel, log: IO[bytes], memory_bytes: int
    ) -> None:
        self._preloaded, self.pid, self._channel, self._log = preloaded, pid, channel, log
        self._memory_bytes = memory_bytes
        self._ended = False
        self.waited_s = self.waited_cpu_s = 0.0
        """Wall and CPU time spent in waiting for answers."""

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """Send one message and wait for its answer without using a core.

        Raises:
            LaunchFailed: An error inside, a crash, the time limit or the memory limit.
        """
        self._signal(signal.SIGCONT)
        with contextlib.suppress(OSError):  # a dead launch is told apart below
            self._channel.send({"do": do, **arguments})
        deadline = time.monotonic() + timeout_s
        cpu, wall = time.thread_time(), time.perf_counter()
        while not self._channel.poll(min(WATCH_S, max(0.0, deadline - time.monotonic()))):
            if time.monotonic() >= deadline:
                self.kill()
                raise LaunchFailed("timeout", f"{do} took longer than {timeout_s:.0f} s")
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
        """End it now."""
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def close(self) -> None:
        """End it and free what it held here."""
        self.kill()
        self._channel.close()
        self._log.close()

    def _reap(self) -> int:
        self._ended = True
        return self._preloaded.exit_status(self.pid)

    def _how_it_ended(self) -> str:
        status = self._reap() if not self._ended else 0
        if status < 0:
            name = signal.Signals(-status).name
            hint = " (out of memory?)" if name == "SIGKILL" else ""
            return f"the launch was ended by {name}{hint}"
        return f"the launch ended with exit status {status}"

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


class Pool:
    """The preloaded processes of a run, started when first needed.

    Args:
        workload: Given to every launch.
        memory_bytes: Limit of one launch.
    """

    def __init__(self, workload: WorkloadSpec, memory_bytes: int) -> None:
        self.workload = workload
        self.memory_bytes = memory_bytes
        self._processes: dict[Environment, Preloaded] = {}
        self._lock = threading.Lock()

    def process(self, environment: Environment) -> Preloaded:
        """The preloaded process of an environment."""
        with self._lock:
            if environment not in self._processes:
                self._processes[environment] = Preloaded(environment, self.workload.workloads)
            return self._processes[environment]

    def launch(
        self,
        environment: Environment,
        scenario: Scenario,
        configuration: Configuration,
        padding: int = 0,
        slowdown: float = 0.0,
        more_work: float = 0.0,
        training: int = 0,
    ) -> RunningLaunch:
        """A launch of a scenario in a configuration."""
        request = {
            "scenario": to_json(scenario),
            "configuration": to_json(configuration),
            "workload": to_json(dataclasses.replace(self.workload, training=training)),
            "padding": padding,
            "slowdown": slowdown,
            "more_work": more_work,
        }
        return self.process(environment).fork(request, self.memory_bytes)

    def close(self) -> None:
        """End all preloaded processes."""
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def last_line(log: IO[bytes]) -> str:
    """The last line a process printed."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
