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
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MADV_POPULATE_WRITE = 23
"""madvise(2), Linux 5.14: fault pages in as if written, so that shared ones are copied."""
PRESENT, EXCLUSIVE = 63, 56
"""Bits of an entry of /proc/PID/pagemap: the page is in memory; no other process maps it."""
ENTRY_BYTES = 8


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
    runs = list(_written(size))
    reader, writer = os.pipe()
    with warnings.catch_warnings():  # threads: the child calls nothing that could wait for one
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
        os.waitpid(holder, 0)
    return sum(done)


def _written(size: int) -> Iterator[tuple[int, int]]:
    """Runs of pages that this process alone has, in its private writable memory: address, count."""
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        for line in Path("/proc/self/maps").read_text().splitlines():
            span, permissions, _, _, _, *name = line.split(maxsplit=5)
            if permissions[1] != "w" or permissions[3] != "p" or name[:1] == ["[vvar]"]:
                continue
            start, end = (int(address, 16) for address in span.split("-"))
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
