"""What pytest-benchmark finds of a planted change, in the time that the guard took."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from research.planted.table import RULES

START_S = 10.0
"""What one pytest process spends on imports and builds, taken off its timing."""
COMPARED = ("--benchmark-compare=0001", "--benchmark-compare-fail", *RULES)
"""One flag for all rules: pytest-benchmark takes the last of several."""


def rival(
    clone: Path,
    seconds: float,
    tests: Sequence[str],
    count: int,
    environment: Mapping[str, str],
    python: str = sys.executable,
    each_s: float | None = None,
) -> dict[str, Any]:
    """pytest-benchmark, one process a version, in the time that the guard took.

    Args:
        clone: Its tag `unchanged` is the base, its last commit the head.
        seconds: That the guard took.
        tests: As pytest takes them.
        count: How many benchmarks they are.
        environment: Variables of the processes.
        python: Interpreter that has it, and what the tests import.
        each_s: Its longest time for a benchmark; else what ought to take this time.

    Returns:
        For each rule the tests that it failed, the seconds spent, and `each_s`.
    """
    each_s = max(0.5, each_s or (seconds / 2 - START_S) / count)
    storage = clone / ".benchmarks"
    shutil.rmtree(storage, ignore_errors=True)
    common = [
        python, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider",
        f"--benchmark-max-time={each_s:.2f}", "--benchmark-min-rounds=5", "--benchmark-only",
        f"--benchmark-storage={storage}",
    ]  # fmt: skip
    began = time.monotonic()
    head = git(clone, "rev-parse", "HEAD")
    git(clone, "checkout", "-q", "unchanged")
    subprocess.run([*common, "--benchmark-save=base"], cwd=clone, env=environment, check=True,
                   capture_output=True)  # fmt: skip
    git(clone, "checkout", "-q", head)
    done = subprocess.run(
        [*common, *COMPARED], cwd=clone, env=environment, capture_output=True, text=True
    )
    return {
        "seconds": round(time.monotonic() - began, 1),
        "each_s": round(each_s, 2),
        "exit_code": done.returncode,
        **failed(f"{done.stdout}\n{done.stderr}"),
    }


def failed(told: str) -> dict[str, list[str]]:
    """The tests that each of the rules failed, from what pytest-benchmark told."""
    lines = [line for line in told.splitlines() if "has failed" in line]
    return {
        rule: [x.split(" - ")[0].strip() for x in lines if f"'{rule.partition(':')[0]}'" in x]
        for rule in RULES
    }


def git(clone: Path, *arguments: str) -> str:
    """What git says in a clone."""
    done = subprocess.run(
        ["git", "-C", str(clone), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
