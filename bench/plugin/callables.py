"""Effects of a user's own callables: forked launches of the test's process, taking turns."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from bench.results.errors import TfbenchError, Unsupported
from bench.results.levels import levels
from bench.results.messages import Channel
from bench.results.values import Launch, Turn

TURN_NS = 5_000_000
WARMUP_NS = 50_000_000
ROUNDS = 16
TIMEOUT_S = 120.0
LEAST_CALLS, MOST_CALLS = 1, 1_000_000


class CallableFailed(TfbenchError):
    """The callable raised an error, or its process ended."""


def run_launch(new: Callable[[], Any], old: Callable[[], Any], index: int) -> tuple[Launch, Launch]:
    """Launch both callables in fresh processes and let them take turns.

    The processes are forks of this one, so that closures and fixtures' objects need no pickling,
    pinned to one core, with collections off inside turns.

    Args:
        new: The candidate.
        old: The baseline.
        index: Number of this launch; its parity decides which one starts first.

    Returns:
        (launch of old, launch of new).

    Raises:
        Unsupported: This process cannot be forked safely: TensorFlow has started its threads in it.
        CallableFailed: A callable raised an error or did not end in time.
    """
    check_forkable()
    order = [("old", old), ("new", new)]
    if index % 2:
        order.reverse()
    core = max(os.sched_getaffinity(0))
    running: dict[str, _Process] = {}
    try:
        for name, call in order:
            running[name] = _Process(call, core)
            running[name].ask("warm")
        sequence = list(running)
        turns: dict[str, list[Turn]] = {name: [] for name in running}
        for number in range(ROUNDS):  # alternating: nobody finds its caches warm
            for position, name in enumerate(sequence):
                steps = running[name].steps
                elapsed = running[name].ask("turn", steps)
                turns[name].append(Turn(number, position, steps, elapsed))
    finally:
        for process in running.values():
            process.close()
    places = {name: position for position, (name, _) in enumerate(order)}
    names = ("old", "new")
    found = levels([turns[name] for name in names])
    old_launch, new_launch = (
        Launch(
            name, "callable", index=index, turns=tuple(turns[name]), examples_per_step=1,
            start_order=places[name], level=level,
        )
        for name, level in zip(names, found, strict=True)
    )  # fmt: skip
    return old_launch, new_launch


def check_forkable() -> None:
    """Raise Unsupported where forking this process could hang its children."""
    if not hasattr(os, "fork"):
        raise Unsupported("effects of callables need os.fork: use Linux")
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return
    context = sys.modules.get("tensorflow.python.eager.context")
    started = getattr(getattr(context, "_context", None), "_context_handle", None)
    if started is not None:
        raise Unsupported(
            "TensorFlow already runs in this process, and its threads do not survive a fork: build "
            "models inside the callables, or put what is compared into a scenario"
        )


class _Process:
    """One forked process that calls a function when it is asked."""

    def __init__(self, call: Callable[[], Any], core: int) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _serve(call, core, Channel(theirs.detach()))
        theirs.close()
        self._channel = Channel(ours.detach())
        self.steps = 1

    def ask(self, do: str, steps: int = 1) -> int:
        """Send one message; returns ns, and keeps the steps that a turn needs."""
        try:
            self._channel.send({"do": do, "steps": steps})
            if not self._channel.poll(TIMEOUT_S):
                raise CallableFailed(f"a call took longer than {TIMEOUT_S:.0f} s")
            answer = self._channel.receive()
        except (OSError, EOFError):
            raise CallableFailed("the process of a callable ended") from None
        if "error" in answer:
            raise CallableFailed(answer["error"])
        self.steps = answer.get("steps", self.steps)
        return int(answer.get("elapsed_ns", 0))

    def close(self) -> None:
        """End it."""
        self._channel.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def _serve(call: Callable[[], Any], core: int, channel: Channel) -> None:
    """Be the forked process; never returns into the test."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.sched_setaffinity(0, (core,))
        gc.freeze()
        while True:
            message = channel.receive()
            try:
                if message["do"] == "warm":
                    steps = _warm(call)
                    gc.disable()
                    channel.send({"steps": steps})
                else:
                    channel.send({"elapsed_ns": _turn(call, message["steps"])})
            except Exception as error:
                traceback.print_exc()
                channel.send({"error": f"{type(error).__name__}: {error}"})
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _warm(call: Callable[[], Any]) -> int:
    begun, calls = time.perf_counter_ns(), 0
    fastest = sys.maxsize
    while calls < 3 or time.perf_counter_ns() - begun < WARMUP_NS:
        start = time.perf_counter_ns()
        _read(call())
        fastest = min(fastest, time.perf_counter_ns() - start)
        calls += 1
        if time.perf_counter_ns() - begun > 20 * WARMUP_NS:
            break
    return min(MOST_CALLS, max(LEAST_CALLS, round(TURN_NS / max(fastest, 1))))


def _turn(call: Callable[[], Any], steps: int) -> int:
    for _ in range(steps // 10):
        call()
    result = None
    start = time.perf_counter_ns()
    for _ in range(steps):
        result = call()
    _read(result)
    return time.perf_counter_ns() - start


def _read(result: Any) -> None:
    """Wait for an asynchronous result, so that its work is inside the turn."""
    if hasattr(result, "numpy"):
        result.numpy()
    elif isinstance(result, (list, tuple)):
        for each in result:
            _read(each)
