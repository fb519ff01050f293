"""What can be asked of this machine: its files, variables, cores, programs and steadiness."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Machine:
    """What the doctor looks at; a test gives it another root, environment or clock."""

    root: Path = Path("/")
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    sleep: Callable[[float], None] = time.sleep
    command: Callable[[list[str]], str] = field(default_factory=lambda: run)
    jitter: Callable[[], float] = field(default_factory=lambda: arithmetic_jitter)

    def read(self, path: str) -> str:
        """A file of the system, "" where it is not there."""
        try:
            return (self.root / path.lstrip("/")).read_text(encoding="utf-8").strip()
        except OSError:
            return ""


def run(command: list[str]) -> str:
    """What a command prints, "" where it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def arithmetic_jitter(repeats: int = 60, loops: int = 20_000) -> float:
    """Spread of one fixed loop's time: half of the 10-to-90 % range ÷ median."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        total = 0
        for number in range(loops):
            total += number
        times.append(time.perf_counter_ns() - start)
    times.sort()
    low, middle, high = (times[int(q * (repeats - 1))] for q in (0.1, 0.5, 0.9))
    return (high - low) / 2 / middle
