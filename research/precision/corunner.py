"""A neighbour that loads one core in random bursts, as on a shared machine."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BURST_S, PAUSE_S = 0.3, 0.3
"""Means of the exponentially distributed lengths: half of a core in all."""


@contextmanager
def bursts(seed: int, wanted: bool = True) -> Iterator[None]:
    """Run the neighbour meanwhile, where it is wanted."""
    command = [sys.executable, "-m", __name__, str(seed)]
    process = subprocess.Popen(command) if wanted else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


if __name__ == "__main__":
    rng = random.Random(int(sys.argv[1]))
    memory, parent = bytearray(4 << 20), os.getppid()
    while os.getppid() == parent:
        until = time.monotonic() + rng.expovariate(1 / BURST_S)
        while time.monotonic() < until:
            memory.count(0)
        time.sleep(rng.expovariate(1 / PAUSE_S))
