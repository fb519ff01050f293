"""The machine's own peaks, which no scenario can beat: arithmetic, memory and disk.

Each figure is the best of several short repetitions: a ceiling is what the machine can do, and
everything that disturbs a repetition only lowers it.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from bench.launch.analysis.int8_product import int8_product

SIDES = {"float32": 1024, "bfloat16": 1024, "float16": 384}
"""Side of the square matrices: large enough for full speed; float16 is emulated on most CPUs."""
ARITHMETIC_S = 0.35
MEMORY_S = 0.15
DISK_S = 0.4
DISK_BYTES = 64 << 20
DISK_BLOCK = 4 << 20
LEAST_REPEATS = 3


def measure(threads: int, disk_folder: Path) -> dict[str, float]:
    """Peaks of this machine with `threads` threads, measured in about 3 s.

    The threads of TensorFlow and the affinity of the process must be set already.

    Args:
        threads: Threads of the int8 product and of the memory streams.
        disk_folder: Where a 64 MB file is written and read back past the page cache.

    Returns:
        `float32_`, `bfloat16_` and `float16_flop_per_s` (tf.matmul, two operations a multiply-add),
        `int8_op_per_s` (a fully connected layer by LiteRT's XNNPACK, the fastest int8 product
        TensorFlow's runtimes have on CPU), `l1_`, `l2_`, `l3_` and `dram_memory_bytes_per_s` (a
        streaming sum, two bytes read for each one written, in a working set of half the level),
        `disk_read_bytes_per_s`. A key is missing where the machine cannot do it.
    """
    facts = {f"{name}_flop_per_s": product(name) for name in SIDES}
    multiply = int8_product(SIDES["float32"], threads)
    if multiply is not None:
        facts["int8_op_per_s"] = 2.0 * SIDES["float32"] ** 3 / _best(multiply, ARITHMETIC_S)
    for level in memory_levels():
        facts[f"{level}_memory_bytes_per_s"] = bandwidth(level, threads)
    disk = _disk(disk_folder)
    return facts | ({"disk_read_bytes_per_s": disk} if disk else {})


def product(dtype: str) -> float:
    """Operations per second of tf.matmul on two square matrices of a number type."""
    side = SIDES[dtype]
    left, right = (tf.cast(tf.random.normal([side, side]), dtype) for _ in range(2))
    return 2.0 * side**3 / _best(lambda: tf.matmul(left, right)[0, 0].numpy(), ARITHMETIC_S)


def memory_levels() -> dict[str, int]:
    """Size in bytes by level: `l1`, `l2`, `l3` as far as they exist, and `dram`."""
    sizes: dict[str, int] = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K"):
            sizes[f"l{level}"] = int(size[:-1]) << 10
    largest = max(sizes.values(), default=32 << 20)
    return sizes | {"dram": min(max(8 * largest, 64 << 20), 512 << 20)}


def bandwidth(level: str, threads: int) -> float:
    """Bytes per second of `acc += row`, float32, over all threads; L1 and L2 belong to a core."""
    size = memory_levels()[level]
    share = size // 2 // (1 if level in ("l1", "l2") else threads)
    elements = max(1024, share // 8)
    repeats = max(1, (16 << 20) // (4 * elements))
    streams = [_stream(elements, repeats) for _ in range(threads)]
    seconds = _best(lambda: _together(streams), MEMORY_S)
    return threads * repeats * elements * 12 / seconds


def _stream(elements: int, repeats: int) -> Callable[[], object]:
    row, total = np.ones(elements, np.float32), np.zeros(elements, np.float32)
    rows = np.broadcast_to(row, (repeats, elements))  # the same row again and again, in one call
    return lambda: np.add.reduce(rows, axis=0, out=total)


def _together(calls: list[Callable[[], object]]) -> None:
    if len(calls) == 1:
        calls[0]()
        return
    workers = [threading.Thread(target=call) for call in calls]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _disk(folder: Path) -> float | None:
    """Bytes per second of reading a file in blocks past the page cache; None where that fails."""
    file = folder / f".tfbench-disk-{os.getpid()}"
    block = mmap.mmap(-1, DISK_BLOCK)  # aligned, as reading past the page cache demands
    block.write(os.urandom(DISK_BLOCK))
    try:
        _write(file, block)
        flags = os.O_RDONLY | getattr(os, "O_DIRECT", 0)
        try:
            handle = os.open(file, flags)
        except OSError:
            handle = os.open(file, os.O_RDONLY)
        try:
            return _read_blocks(handle, block)
        finally:
            os.close(handle)
    except OSError:
        return None
    finally:
        file.unlink(missing_ok=True)


def _write(file: Path, block: mmap.mmap) -> None:
    begun = time.perf_counter()
    with file.open("wb") as out:
        for _ in range(DISK_BYTES // DISK_BLOCK):
            out.write(block)
            out.flush()
            os.fsync(out.fileno())
            if time.perf_counter() - begun > DISK_S:
                break


def _read_blocks(handle: int, block: mmap.mmap) -> float:
    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    done, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < DISK_S:
        got = os.readv(handle, [block])
        if got == 0:
            break
        done += got
    return done / (time.perf_counter() - begun)


def _best(call: Callable[[], object], seconds: float) -> float:
    """Shortest time of `call`, s, over the repetitions that fit into `seconds` (at least 3)."""
    call()
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < LEAST_REPEATS or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)
