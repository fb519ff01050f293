"""New physical pages: elsewhere afterwards, and nothing else has changed."""

from __future__ import annotations

import mmap
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from bench.launch import frames

PAGES = 64
SIZE = mmap.PAGESIZE

pytestmark = pytest.mark.skipif(not Path("/proc/self/pagemap").exists(), reason="needs Linux")


def entries(block: np.ndarray) -> np.ndarray:
    """The block's entries of pagemap; frame numbers are zero without the right to see them."""
    start = block.ctypes.data // SIZE
    with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
        data = os.pread(pagemap.fileno(), 8 * (block.nbytes // SIZE), 8 * start)
    return np.frombuffer(data, dtype=np.uint64)


def written() -> np.ndarray:
    """A block of whole pages, each of them written."""
    block = np.frombuffer(mmap.mmap(-1, PAGES * SIZE, mmap.MAP_PRIVATE), dtype=np.uint8)
    block[:] = np.random.default_rng(0).integers(0, 256, block.size)
    return block


def test_written_pages_lie_elsewhere_with_the_same_contents() -> None:
    block = written()
    before, held = entries(block).copy(), block.copy()
    assert frames.renew() >= PAGES
    after = entries(block)
    np.testing.assert_array_equal(block, held)
    number = (1 << 55) - 1
    assert ((after >> np.uint64(frames.PRESENT)) & np.uint64(1)).all()
    if not (before & np.uint64(number)).any():
        pytest.skip("this user may not see where pages lie")
    assert not (before & np.uint64(number) == after & np.uint64(number)).any()


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
            assert frames.renew() > 0
        seen = counts[0]
        while counts[0] == seen:
            pass
    finally:
        done.set()
        thread.join()


def test_a_page_only_read_is_not_copied() -> None:
    block = np.frombuffer(mmap.mmap(-1, PAGES * SIZE, mmap.MAP_PRIVATE), dtype=np.uint8)
    assert block.sum() == 0  # all its pages are the one page of zeros
    before = entries(block).copy()
    frames.renew()
    np.testing.assert_array_equal(entries(block), before)


def test_no_child_is_left() -> None:
    frames.renew()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_kernel_that_cannot_renews_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MADV_POPULATE_WRITE", 9999)
    assert frames.renew() == 0


def test_no_more_pages_than_the_limit_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_PAGES", 10)
    assert frames.renew() == 10
