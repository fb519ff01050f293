"""New physical memory for a running process: where its pages lie moves its speed.

Levels of launches that do exactly the same work differed, kept their order over seconds and through
a rebuild of the path, and changed as soon as their pages were copied (docs/measuring.md). Probably
the pages collide in caches that are indexed by physical address. So a launch lets its pages be
placed anew now and then, and the difference is averaged like other noise. The idea is that of
Curtsinger and Berger, "Stabilizer: statistically sound performance evaluation" (ASPLOS 2013), which
shuffles addresses; here they stay, and what lies behind them changes.
"""

from __future__ import annotations

import ctypes
import os
import signal
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
"""Pages copied at once, 256 MiB of 4 KiB: copies exist twice for a moment and cost 3 to 6 µs each.
Those of small mappings come first, where most of the difference was."""


def renew() -> int:
    """Copy this process's own written pages to other frames; addresses and contents stay.

    A fork shares all pages; while it waits, faulting one in for writing gives this process a copy.
    Pages that came from the process that forked this one and were never written are left shared.

    Returns:
        Pages that lie elsewhere now; 0 where the system cannot do it.
    """
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "madvise"):
        return 0
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = os.sysconf("SC_PAGE_SIZE")
    try:
        runs = list(_limited(_written(size)))
        holder, release = _hold()
    except OSError:  # a sandbox without pagemap, or no process or memory left for a fork
        return 0
    try:
        done = [
            count
            for start, count in runs
            if libc.madvise(start, count * size, MADV_POPULATE_WRITE) == 0
        ]
    finally:
        os.close(release)
        os.kill(holder, signal.SIGKILL)  # what Python or a library runs in a child may not return
        os.waitpid(holder, 0)
    return sum(done)


def _hold() -> tuple[int, int]:
    """A fork that shares all pages and waits: its process id, and the pipe's end it waits for."""
    reader, writer = os.pipe()
    try:
        with warnings.catch_warnings():  # that other threads run: the child only waits
            warnings.simplefilter("ignore", DeprecationWarning)
            holder = os.fork()
    except OSError:
        os.close(writer)
        os.close(reader)
        raise
    if holder == 0:
        os.close(writer)
        os.read(reader, 1)  # ends with this process too, should it be killed meanwhile
        os._exit(0)
    os.close(reader)
    return holder, writer


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
