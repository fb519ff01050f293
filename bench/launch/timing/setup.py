"""What a launch sets and reads of its own process: cores, memory layout, delays, peak memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from bench.results.errors import LaunchError
from bench.results.values import Configuration


def process(configuration: Configuration, padding: int) -> bytearray:
    """Pin to the configuration's cores and shift the memory layout.

    Memory layout moves timings by up to some percent, and differently in each build of a
    program; a random block on the heap and in the environment makes it vary between launches,
    so that it is part of the interval and not of the effect.

    Args:
        configuration: Cores to pin to.
        padding: Bytes; drawn by the sweep for each launch.

    Returns:
        The block, which must stay alive as long as the launch.

    Raises:
        LaunchError: Some of the cores are not to be had.
    """
    with contextlib.suppress(OSError):  # none of them is
        os.sched_setaffinity(0, configuration.cpus)
    check_cores(configuration.cpus)
    os.environ["TFBENCH_PADDING"] = "x" * (padding % 4096)
    return bytearray(padding)


def check_cores(cpus: Iterable[int]) -> None:
    """Check that this process still has its cores, and no others.

    Raises:
        LaunchError: It has others: somebody or a container's limit has moved it.
    """
    found = os.sched_getaffinity(0)
    if found != set(cpus):
        wanted, own = (", ".join(map(str, sorted(each))) for each in (cpus, found))
        raise LaunchError(f"its cores were taken away: it was to run on {wanted}, and has {own}")


def pin(cpus: Iterable[int]) -> None:
    """Move this process, with all its threads, to other cores."""
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), cpus)


_schedstat: dict[str, int] = {}
"""Open files of the running threads' statistics: opening them took longer than a short turn."""
SCHEDSTAT_BYTES = 64


def delayed_ns() -> int:
    """Time this process's threads could have run but others had the core; 0 where not counted.

    The second number of Linux's schedstat, summed over threads.
    """
    running = {thread.name: thread for thread in Path("/proc/self/task").glob("*")}
    for ended in _schedstat.keys() - running.keys():
        os.close(_schedstat.pop(ended))
    total = 0
    for name, thread in running.items():
        try:
            if name not in _schedstat:
                _schedstat[name] = os.open(thread / "schedstat", os.O_RDONLY)
            total += int(os.pread(_schedstat[name], SCHEDSTAT_BYTES, 0).split()[1])
        except OSError:  # it has just ended, or another one has its number now: open anew
            if name in _schedstat:
                os.close(_schedstat.pop(name))
    return total


def own_bytes() -> int:
    """Memory that only this process holds, not what it shares with the one it was forked from."""
    with contextlib.suppress(OSError):
        text = Path("/proc/self/smaps_rollup").read_text()
        lines = [line.split() for line in text.splitlines() if line.startswith("Private_")]
        return 1024 * sum(int(line[1]) for line in lines)
    return resident_bytes()


def resident_bytes() -> int:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def reset_peak() -> None:
    """Let the kernel's peak of resident memory start anew (Linux: clear_refs 5)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_resident_bytes() -> int:
    """Peak of resident memory since the start or the last `reset_peak`."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
