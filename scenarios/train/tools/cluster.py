"""Real worker processes on this machine's loopback, started, given work, and ended."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from bench.results.errors import LaunchError
from bench.results.values import WorkloadSpec

ANSWER_S = 180.0
HOST = "localhost"


class WorkerFailed(LaunchError):
    """A worker process ended, or did not answer in time."""


class Cluster:
    """Processes that each hold an object which answers method calls.

    Args:
        worker: `module:Class`; made as `Class(make_workload)` in each process.
        spec: The workload's names.
        threads: Threads of each process.
        environments: The variables of each process.
    """

    def __init__(
        self,
        worker: str,
        spec: WorkloadSpec,
        threads: int,
        environments: Sequence[Mapping[str, str]],
    ) -> None:
        request = {"worker": worker, "spec": asdict(spec), "threads": threads}
        self._workers = [_Process(request, each) for each in environments]

    def call(self, do: str, **arguments: Any) -> list[Any]:
        """Call a method in all workers at once; their answers.

        Raises:
            WorkerFailed: One ended, raised, or gave no answer in time.
        """
        for worker in self._workers:
            worker.send({"do": do, **arguments})
        return [worker.answer(ANSWER_S) for worker in self._workers]

    def kill(self, index: int) -> int:
        """Kill a worker as a crash would; its exit status."""
        return self._workers[index].kill()

    def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            worker.kill()
            worker.free()


class _Process:
    def __init__(self, request: dict[str, Any], variables: Mapping[str, str]) -> None:
        read, write = os.pipe()
        root = str(Path(__file__).resolve().parents[3])
        environment = os.environ | {
            **variables,
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
            "CUDA_VISIBLE_DEVICES": "-1",
        }
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "scenarios.train.tools.cluster", str(write)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            pass_fds=[write],
            env=environment,
        )
        os.close(write)
        self._answers = os.fdopen(read, "rb", buffering=0)
        self._pending = b""
        self.send(request)

    def send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `answer` reports its end
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def answer(self, timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise WorkerFailed(f"a worker gave no answer within {timeout_s:.0f} s")
            part = self._answers.read(1 << 16)
            if not part:
                raise WorkerFailed(f"a worker process ended: {self._last_line()}")
            self._pending += part
        line, _, self._pending = self._pending.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(f"a worker failed: {answer['error']}")
        return answer["value"]

    def kill(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        return self._process.wait()

    def free(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._answers.close()
        self._log.close()

    def _last_line(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else "it said nothing"


def free_addresses(count: int) -> list[str]:
    """`host:port` of ports on this machine that nothing listens on."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [f"{HOST}:{each.getsockname()[1]}" for each in sockets]


def serve(answers_fd: int) -> None:
    """Inside a worker process: answer method calls until the parent's end of the pipe closes."""
    messages: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(messages,), daemon=True).start()
    request = messages.get()
    import tensorflow as tf

    from bench.results.loading import find_users
    from scenarios.core.workload import Workload

    find_users()
    tf.config.threading.set_intra_op_parallelism_threads(request["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(request["threads"])
    module, _, name = request["worker"].partition(":")
    make = getattr(importlib.import_module(module), name)
    worker = make(lambda: Workload(WorkloadSpec(**request["spec"]), request["threads"]))
    with os.fdopen(answers_fd, "w") as answers:
        while True:
            message = messages.get()
            try:
                answer = {"value": getattr(worker, message.pop("do"))(**message)}
            except Exception as error:
                answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[:1]}"}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _listen(messages: queue.Queue[dict[str, Any]]) -> None:
    for line in sys.stdin:
        messages.put(json.loads(line))
    os._exit(0)  # the parent is gone, and a collective operation may never end


if __name__ == "__main__":
    serve(int(sys.argv[1]))
