"""Counts a program's own instructions by the kernel's performance counters, as `perf` does.

Many virtual machines have no such counters, and a kernel may not allow them: then nothing is known.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
from collections.abc import Callable
from typing import Any

OPEN = {"x86_64": 298, "aarch64": 241}
"""Number of the system call perf_event_open."""
ATTRIBUTES = struct.Struct("=IIQQQQQQQ")
"""The first 64 bytes of struct perf_event_attr: type, size, config, …, flags, …"""
HARDWARE, INSTRUCTIONS = 0, 1
TIMES = 1 | 2
"""Read the time that it was wanted and the time that it counted, too."""
DISABLED, INHERIT, USER_ONLY, ON_EXEC = 1, 1 << 1, 1 << 5 | 1 << 6, 1 << 12
ENABLE, DISABLE, RESET = 0x2400, 0x2401, 0x2403
CLOSE_ON_EXEC = 8
CALLS = 5

Event = tuple[int, int]
"""Kind and number of what is counted."""


def opened(pid: int = 0, on_exec: bool = False, event: Event = (HARDWARE, INSTRUCTIONS)) -> int:
    """A counter of this thread, or of a process when it begins another program, with its children.

    Returns:
        Its file descriptor; -1 where the machine or the kernel has none.
    """
    number = OPEN.get(os.uname().machine)
    if number is None:
        return -1
    flags = DISABLED | INHERIT | USER_ONLY | (ON_EXEC if on_exec else 0)
    size = ATTRIBUTES.size
    attributes = ATTRIBUTES.pack(event[0], size, event[1], 0, 0, TIMES, flags, 0, 0)
    library = ctypes.CDLL(None, use_errno=True)
    wanted = map(ctypes.c_long, (pid, -1, -1, CLOSE_ON_EXEC))
    return int(library.syscall(ctypes.c_long(number), attributes, *wanted))


def read(counter: int) -> int | None:
    """What it has counted; None where it had to share the machine's counters with others."""
    count, wanted, running = struct.unpack("=QQQ", os.read(counter, 24))
    return int(count) if running == wanted > 0 else None


def of_call(call: Callable[[], Any], event: Event = (HARDWARE, INSTRUCTIONS)) -> int | None:
    """The fewest of a few calls; None where they cannot be counted."""
    counter = opened(event=event)
    if counter < 0:
        return None
    found = []
    try:
        for _ in range(CALLS):
            fcntl.ioctl(counter, RESET, 0)
            fcntl.ioctl(counter, ENABLE, 0)
            call()
            fcntl.ioctl(counter, DISABLE, 0)
            found.append(read(counter))
    finally:
        os.close(counter)
    known = [each for each in found if each is not None]
    return min(known) if len(known) == CALLS else None
