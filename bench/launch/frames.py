"""New physical memory for a running process: where its pages lie moves its speed.

Caches are indexed by physical address. Which of a process's pages collide is settled when they are
first written, differs between processes that do exactly the same work, and stays until they end:
levels of identical launches differed by 0.4 to 1 % (sd), kept their order over seconds and through
a rebuild of the path, and changed as soon as the pages were copied (docs/measuring.md). So a launch
lets its pages be placed anew now and then; what then remains is averaged like other noise. The idea
is that of Curtsinger and Berger, "Stabilizer: statistically sound performance evaluation" (ASPLOS
2013), which shuffles addresses; here they stay, and what lies behind them changes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

MADV_POPULATE_WRITE = 23
"""madvise(2), Linux 5.14: fault pages in as if written, so that shared ones are copied."""
PRESENT, EXCLUSIVE = 63, 56
"""Bits of an entry of /proc/PID/pagemap: the page is in memory; no other process maps it."""
ENTRY_BYTES = 8
MOST_PAGES = 1 << 16
"""Pages copied at once, 256 MiB of 4 KiB: copies exist twice for a moment and cost 6 µs each. Those
of small mappings come first, where most of the difference was."""


def renew() -> int:
    """Copy this process's own written pages to other frames; addresses and contents stay.

    A fork shares all pages; while it waits, faulting one in for writing gives this process a copy.
    Pages that came from the process that forked this one and were never written are left shared.

    Returns:
        Pages that lie elsewhere now; 0 where the system cannot do it.
    """
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = os.sysconf("SC_PAGE_SIZE")
    runs = list(_limited(_written(size)))
    reader, writer = os.pipe()
    with warnings.catch_warnings():  # that other threads run: the child only waits
        warnings.simplefilter("ignore", DeprecationWarning)
        holder = os.fork()
    if holder == 0:
        os.close(writer)
        os.read(reader, 1)  # ends with this process too, should it be killed meanwhile
        os._exit(0)
    os.close(reader)
    try:
        done = [
            count
            for start, count in runs
            if libc.madvise(start, count * size, MADV_POPULATE_WRITE) == 0
        ]
    finally:
        os.close(writer)
        os.kill(holder, signal.SIGKILL)  # what Python or a library runs in a child may not return
        os.waitpid(holder, 0)
    return sum(done)


def _limited(runs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The first of these runs, MOST_PAGES in all."""
    left = MOST_PAGES
    for start, count in runs:
        if left <= 0:
            return
        yield start, min(count, left)
        left -= count


def _written(size: int) -> Iterator[tuple[int, int]]:
    """Runs of pages that this process alone has: address and count, small mappings first."""
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        for start, end in _writable():
            data = os.pread(
                pagemap.fileno(), (end - start) // size * ENTRY_BYTES, start // size * ENTRY_BYTES
            )
            entries = np.frombuffer(data, dtype=np.uint64)
            own = (entries >> np.uint64(PRESENT)) & (entries >> np.uint64(EXCLUSIVE)) & np.uint64(1)
            if not own.any():
                continue
            edges = np.flatnonzero(np.diff(own.astype(np.int8), prepend=0, append=0))
            for first, after in edges.reshape(-1, 2).tolist():
                yield start + first * size, after - first


def _writable() -> list[tuple[int, int]]:
    """Private writable mappings, (start, end) addresses, the smallest first."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, permissions, *_ = line.split(maxsplit=2)
        if permissions[1] == "w" and permissions[3] == "p":
            start, end = (int(address, 16) for address in span.split("-"))
            found.append((start, end))
    return sorted(found, key=lambda mapping: mapping[1] - mapping[0])
