"""Processes beside a user's code: started in a side's interpreter, asked by messages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.sources import private
from bench.results.as_json import to_json
from bench.results.errors import UsageError
from bench.results.messages import Channel
from bench.results.values import Configuration
from bench.sweep.running import LaunchFailed, RunningLaunch

ENDS_S = 5.0
"""How long a process may take to end by itself: fixtures put away what they made."""


class Beside(RunningLaunch):
    """One of these processes; it ends by itself when it is closed, so that its fixtures do.

    What it has started and left is ended with it: it leads a group of its own.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], channel: Channel, log: IO[bytes], memory_bytes: int
    ) -> None:
        super().__init__(process.pid, lambda _: process.wait(), channel, log, memory_bytes)
        self._process = process

    def close(self) -> None:
        """Let it end, or end it."""
        self._channel.close()
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(0 if self._ended else ENDS_S)
            self._ended = True
        except subprocess.TimeoutExpired:
            pass
        super().close()

    def call(self, do: str, timeout_s: float, **arguments: Any) -> dict[str, Any]:
        """As every launch; what could not even start says so by the last line it printed."""
        try:
            return super().call(do, timeout_s, **arguments)
        except LaunchFailed as error:
            lines = self.output().strip().splitlines()
            if self._ended and error.outcome == "failed" and lines:
                reason = f"{error.reason}: {lines[-1][:300]}"
                raise LaunchFailed(error.outcome, reason, error.usage) from None
            raise


class Spawner:
    """Starts these processes, all from one thread: they end when it does.

    Args:
        memory_bytes: Limit of each.
    """

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._thread = ThreadPoolExecutor(1)

    def start(
        self,
        python: str,
        request: Mapping[str, Any],
        configuration: Configuration,
        folder: Path,
        environment: Mapping[str, str],
        padding: int = 0,
    ) -> Beside:
        """A process that does what is requested; it waits for messages.

        Raises:
            LaunchFailed: The interpreter cannot be started.
        """
        whole = {**request, "configuration": to_json(configuration), "padding": padding}
        shifted = {**environment, "TFBENCH_PADDING": "x" * (padding % 4096)}
        shifted |= dict(configuration.environment)
        return self._thread.submit(self._start, python, whole, folder, shifted).result()

    def _start(
        self, python: str, request: Mapping[str, Any], folder: Path, environment: dict[str, str]
    ) -> Beside:
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115
        words = [python, private.start_file(), str(theirs.fileno()), json.dumps(request)]
        try:
            process = subprocess.Popen(
                words, pass_fds=[theirs.fileno()], env=environment, cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            log.close()
            ours.close()
            reason = f"cannot start {python}: {error.strerror or error}"
            raise LaunchFailed("failed", reason) from None
        finally:
            theirs.close()
        return Beside(process, Channel(ours.detach()), log, self._memory_bytes)

    def close(self) -> None:
        """Start no more."""
        self._thread.shutdown()


def environment(side: Checkout, head: Checkout) -> dict[str, str]:
    """Variables of a side's processes: its code comes first, its interpreter's programs too.

    Where a side has an environment that its code was installed in, its folders are left out: a
    tree without compiled files would hide what is installed.
    """
    found = dict(os.environ)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH"):
        found.pop(name, None)  # the base's fresh tree has no bytecode yet
    given = [each for each in found.pop("PYTHONPATH", "").split(os.pathsep) if each]
    path = [_there(each, side, head) for each in given]
    if not side.installed:
        own = [side.root / "src", side.root]
        path = [*(str(each) for each in own if each.is_dir()), *path]
    if path:
        found["PYTHONPATH"] = os.pathsep.join(path)
    if side.python != sys.executable:
        programs = Path(side.python).absolute().parent
        found["PATH"] = os.pathsep.join([str(programs), found.get("PATH", "")])
        found.pop("PYTHONHOME", None)
        if (programs.parent / "pyvenv.cfg").exists():
            found["VIRTUAL_ENV"] = str(programs.parent)
    return found


def _there(path: str, side: Checkout, head: Checkout) -> str:
    """A folder of the head's code as the side has it."""
    place = Path(path).absolute()
    inside = place.is_relative_to(head.root.absolute())
    return str(side.root / place.relative_to(head.root.absolute())) if inside else path


def ask(process: Beside, do: str, timeout_s: float, side: Checkout) -> dict[str, Any]:
    """Its answer, and its end.

    Raises:
        UsageError: It gave none; the line names the side.
    """
    try:
        return process.call(do, timeout_s)
    except LaunchFailed as error:
        raise UsageError(f"{side.label}: {error.reason}") from None
    finally:
        process.close()
