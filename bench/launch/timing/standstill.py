"""Whether this process stood still in the middle of a turn, whose time then says nothing."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

ASLEEP_NS = 100_000_000
"""A machine that was suspended slept longer; less is between two readings of its clocks."""


def begin() -> None:
    """Hold back SIGCONT: it continues a stopped process all the same, and is then seen as pending.

    Threads inherit this: to be called before there are others. A handler would run within a turn.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])


def _asleep_ns() -> int:
    """One clock stands still while the machine is suspended."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Standstill:
    """Looks from when it is made on; reads clocks and asks the kernel, nothing more.

    Args:
        asleep_ns: How long the machine was suspended since its start.
    """

    def __init__(self, asleep_ns: Callable[[], int] = _asleep_ns) -> None:
        signal.sigtimedwait([signal.SIGCONT], 0)  # by which the sweep continued it
        self._now = asleep_ns
        self._asleep_ns = asleep_ns()

    def seen(self) -> bool:
        """Whether it was stopped and continued since, or its machine suspended and woken."""
        continued = signal.SIGCONT in signal.sigpending()
        return continued or self._now() - self._asleep_ns > ASLEEP_NS
