"""A user's own functions as members of a group: launches are forks of the test's process."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

from bench.launch.timing.callables import CallableLaunch
from bench.launch.timing.launch import be
from bench.results.errors import Unsupported
from bench.results.messages import Channel
from bench.results.values import Configuration, Role, Scenario
from bench.sweep.members import Member, Start
from bench.sweep.running import RunningLaunch
from bench.sweep.settings import Profile

PROFILE = Profile(
    "callables", (2,), 0.02, turn_ms=5, rounds=16, member_s=1.0, warmup_s=0.5, epochs=1,
    timeout_s=120, trace=False, controls=False, placements=4,
    built_alone=sys.maxsize,  # forks of this process end with the thread that made them
)  # fmt: skip
MEMORY_SHARE = 0.5
"""Of the machine's memory; a launch that grows beyond it is ended."""


def members(new: Callable[[], Any], over: Callable[[], Any]) -> list[Member]:
    """The group of two functions, the baseline first; both on one core.

    The processes are forks of this one, so that closures and fixtures' objects need no pickling.
    """
    where = Configuration("callable", 1, (max(os.sched_getaffinity(0)),))
    sides: list[tuple[Callable[[], Any], Role]] = [(over, "baseline"), (new, "candidate")]
    return [
        Member(Scenario(name(call), "infer", "", "", "", "", 0), where, starting(call), role)
        for call, role in sides
    ]


def name(call: Callable[[], Any]) -> str:
    """A function's name in messages."""
    return str(getattr(call, "__qualname__", repr(call)))


def starting(call: Callable[[], Any]) -> Start:
    """How a function is launched.

    Raises:
        Unsupported: This process cannot be forked safely: TensorFlow has started its threads in it.
    """

    def start(member: Member, configuration: Configuration, padding: int) -> RunningLaunch:
        check_forkable()
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115
        with warnings.catch_warnings():  # that other threads run: the child needs none of them
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            ours.close()
            be(
                lambda: CallableLaunch(call, configuration, padding),
                theirs.detach(),
                log.fileno(),
            )
        theirs.close()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        channel = Channel(ours.detach())
        return RunningLaunch(pid, _exit_status, channel, log, int(memory * MEMORY_SHARE))

    return start


def _exit_status(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
