"""Signals that end a run: once, in good order; twice, now."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_CODE = 130


class Interrupted(KeyboardInterrupt):
    """The user or the system wants the run to end; its message is a sentence."""

    @classmethod
    def by(cls, name: str) -> Interrupted:
        """One by a signal of this name."""
        return cls(f"interrupted by {name}")


class _State:
    """Of this process, as its signals are."""

    seen = ""
    """Name of the signal that came."""
    held = 0
    """How many that must not be cut are under way."""


def _handle(number: int, _: FrameType | None) -> None:
    name = signal.Signals(number).name
    if _State.seen:
        os.write(2, b"\x1b[?25h\ntfbench: stopped now; what was measured is kept\n")
        os._exit(EXIT_CODE)  # launches end with their parent
    _State.seen = name
    if not _State.held:
        raise Interrupted.by(name)


def end_at_once() -> None:
    """End this process at any signal: nothing has begun yet, and nothing may be swallowed."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _end)


def _end(number: int, _: FrameType | None) -> None:
    os.write(2, f"tfbench: interrupted by {signal.Signals(number).name}\n".encode())
    os._exit(EXIT_CODE)


@contextmanager
def handled() -> Iterator[None]:
    """The first signal raises `Interrupted` here, the second ends the process."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may look after signals
        return
    _State.seen = ""
    before = {each: signal.signal(each, _handle) for each in SIGNALS
              if signal.getsignal(each) is not signal.SIG_IGN}  # fmt: skip
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def held() -> Iterator[None]:
    """What is done here is done whole; a signal that comes meanwhile is raised at the end."""
    _State.held += 1
    try:
        yield
    finally:
        _State.held -= 1
    if _State.seen and not _State.held:
        raise Interrupted.by(_State.seen)
