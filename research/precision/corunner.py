"""A neighbour that loads one core in random bursts, as on a shared machine.

`python -m research.precision.corunner SEED` burns until its parent is gone.
"""

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
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-m", __name__, str(seed)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def burn(seed: int) -> None:
    """Alternate bursts of arithmetic over 4 MiB of memory with pauses."""
    rng = random.Random(seed)
    block = bytearray(4 << 20)
    parent = os.getppid()
    while os.getppid() == parent:
        until = time.monotonic() + rng.expovariate(1 / BURST_S)
        while time.monotonic() < until:
            block.count(0)
        time.sleep(rng.expovariate(1 / PAUSE_S))


if __name__ == "__main__":
    burn(int(sys.argv[1]))
