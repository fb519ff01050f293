"""New physical pages: elsewhere afterwards, and nothing else has changed."""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from bench.launch.timing import memory

PAGES = 64
SIZE = mmap.PAGESIZE
FRAME = np.uint64((1 << 55) - 1)
"""Bits of an entry of pagemap that tell the physical page."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="needs Linux")


def entries(block: np.ndarray) -> np.ndarray:
    """Where the block's pages lie; zeros without the right to see it."""
    start = block.ctypes.data // SIZE
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        data = os.pread(pagemap.fileno(), 8 * (block.nbytes // SIZE), 8 * start)
    return np.frombuffer(data, dtype=np.uint64) & FRAME


def written() -> np.ndarray:
    """A block of whole pages, each of them written."""
    block = np.frombuffer(mmap.mmap(-1, PAGES * SIZE, mmap.MAP_PRIVATE), dtype=np.uint8)
    block[:] = np.random.default_rng(0).integers(0, 256, block.size)
    return block


def test_pages_that_the_step_writes_lie_elsewhere_and_others_stay() -> None:
    used, idle = written(), written()
    before, still, held = entries(used), entries(idle), used.copy()

    def step() -> None:
        used[::SIZE] += 1

    assert memory.remap(step) >= PAGES
    held[::SIZE] += 1
    np.testing.assert_array_equal(used, held)
    if not before.any():
        pytest.skip("this user may not see where pages lie")
    assert not (before == entries(used)).any()
    np.testing.assert_array_equal(entries(idle), still)


def test_threads_go_on_meanwhile() -> None:
    counts = [0]
    done = threading.Event()

    def count() -> None:
        while not done.is_set():
            counts[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    try:
        for _ in range(3):
            assert memory.remap(written) > 0
        seen = counts[0]
        while counts[0] == seen:
            pass
    finally:
        done.set()
        thread.join()


def test_no_child_is_left_even_where_the_step_fails() -> None:
    def broken() -> None:
        raise RuntimeError("broken")

    before = psutil.Process().children()
    with pytest.raises(RuntimeError, match="broken"):
        memory.remap(broken)
    assert psutil.Process().children() == before


def test_without_a_fork_nothing_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise OSError("no process is left")

    monkeypatch.setattr(os, "fork", refused)
    files = len(list(Path("/proc/self/fd").iterdir()))
    assert memory.remap(lambda: None) == 0
    assert len(list(Path("/proc/self/fd").iterdir())) == files
