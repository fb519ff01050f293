"""The parent's side of preloaded processes and of the launches forked from them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from typing import IO, Any

from bench.results import cache_folder
from bench.results.as_json import to_json
from bench.results.errors import UsageError
from bench.results.messages import Channel
from bench.results.values import Configuration, Scenario, WorkloadSpec
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member, Start
from bench.sweep.running import LaunchFailed, RunningLaunch, by_signal

READY_S = 180.0
LEAVE_S = 2.0
"""How long it may take to end by itself: while it imports it does not listen."""


class Preloaded:
    """One preloaded process, from which launches are forked.

    Args:
        environment: Its interpreter, code and variables.
        factory: Name of what makes workloads, loaded once for all launches; empty: by each.
    """

    def __init__(self, environment: Environment, factory: str = "") -> None:
        ours, theirs = socket.socketpair()
        inherited = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
        variables = {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "KMP_BLOCKTIME": "0",  # OpenMP threads of waiting launches must not spin
            **inherited,
            **environment.search_path(),
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
        self._ended = ""
        """How it ended, once that is known."""

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

    @property
    def alive(self) -> bool:
        """Whether launches can be forked from it."""
        return not self._ended and self._process.poll() is None

    def fork(self, request: dict[str, Any], memory_bytes: int) -> RunningLaunch:
        """A new launch; it waits for messages."""
        _ = self.versions
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115
        pid = self._ask(request, [theirs.fileno(), log.fileno()])["pid"]
        theirs.close()
        return RunningLaunch(pid, self.exit_status, Channel(ours.detach()), log, memory_bytes)

    def exit_status(self, pid: int) -> int:
        """Exit status of an ended launch; negative: the signal that ended it."""
        return int(self._ask({"wait": pid})["status"])

    def _ask(self, request: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], list(fds))
                answer: dict[str, Any] = json.loads(self._control.recv(1 << 16))
            except (OSError, ValueError):
                raise LaunchFailed("failed", self._how_it_ended()) from None
            return answer

    def _how_it_ended(self) -> str:
        if not self._ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVE_S)
            status = self._process.returncode or 0
            why = by_signal(-status) if status < 0 else f"ended: {last_line(self._log)}"
            self._ended = f"the preloaded process {why}"
        return self._ended

    def hang_up(self) -> None:
        """Tell it to end."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it; launches that still run end with it."""
        if not self.alive:
            self._how_it_ended()
        self._control.close()
        try:
            self._process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Pool:
    """The preloaded processes of a run, started when first needed.

    Args:
        workload: Given to every launch.
        memory_bytes: Limit of one launch.

    Raises:
        UsageError: Others may write the cache, whose models launches load.
    """

    def __init__(self, workload: WorkloadSpec, memory_bytes: int) -> None:
        self.workload = workload
        self.memory_bytes = memory_bytes
        self._cache = contextlib.ExitStack()
        self._cache.enter_context(cache_folder.used(workload.cache))
        self._processes: dict[Environment, Preloaded] = {}
        self._closed = False
        self._lock = threading.Lock()

    def process(self, environment: Environment) -> Preloaded:
        """The preloaded process of an environment."""
        with self._lock:
            if self._closed:
                raise LaunchFailed("failed", "the run ended")
            known = self._processes.get(environment)
            if known is None or not known.alive:
                if known is not None:
                    known.close()
                known = self._processes[environment] = Preloaded(
                    environment, self.workload.workloads
                )
            return known

    def launch(
        self,
        environment: Environment,
        scenario: Scenario,
        configuration: Configuration,
        padding: int = 0,
        slowdown: float = 0.0,
        more_work: float = 0.0,
        **changes: Any,
    ) -> RunningLaunch:
        """A launch of a scenario in a configuration, from a new process where the known ended.

        Args:
            environment: Of its process.
            scenario: What is launched.
            configuration: In which.
            padding: Bytes of environment, which move the stack.
            slowdown: Share of busy-waiting in each turn.
            more_work: Share of steps done besides.
            changes: Fields of the workload that this launch has different.
        """
        workload = dataclasses.replace(self.workload, **changes)
        request = {
            "scenario": to_json(scenario),
            "configuration": to_json(configuration),
            "workload": to_json(workload),
            "padding": padding,
            "slowdown": slowdown,
            "more_work": more_work,
        }
        process = self.process(environment)
        try:
            return process.fork(request, self.memory_bytes)
        except LaunchFailed:
            if process.alive or self._closed:
                raise
            return self.process(environment).fork(request, self.memory_bytes)

    def starting(self, environment: Environment) -> Start:
        """How members are launched in an environment."""

        def start(member: Member, configuration: Configuration, padding: int) -> RunningLaunch:
            slowdown = member.slowdown - member.held_up
            return self.launch(
                environment, member.scenario, configuration, padding, slowdown, member.more_work
            )

        return start

    def close(self) -> None:
        """End all preloaded processes, and with them the launches that still run."""
        self._closed = True
        for process in self._processes.values():
            process.hang_up()
        for process in self._processes.values():
            process.close()
        self._processes.clear()
        self._cache.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def last_line(log: IO[bytes]) -> str:
    """The last line a process printed."""
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
