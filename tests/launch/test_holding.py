"""A process is held up with all its threads; each is tried in a process of its own.

Stopping the one that runs the tests would look like a stopped job to its user's shell.
"""

from __future__ import annotations

import subprocess
import sys

from bench.sweep.discovery import ROOT

BUSY = """
import os, signal, threading, time
from bench.launch.holding import Holder

def work():
    while True:
        sum(range(1000))

threading.Thread(target=work, daemon=True).start()
holder = Holder()
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BUSY + code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_thread_goes_on_meanwhile() -> None:
    """A thread that is always busy would use all of the 0.2 s."""
    held, used = run("""
before = time.process_time()
print(holder.hold(200_000_000), time.process_time() - before)
""").split()
    assert int(held) >= 200_000_000
    assert float(used) < 0.1


def test_it_goes_on_afterwards_and_can_be_held_up_again() -> None:
    held = run("print(*(holder.hold(1_000_000) for _ in range(3)))").split()
    assert all(int(ns) >= 1_000_000 for ns in held)
    assert len(held) == 3


def test_a_holder_that_is_gone_is_told() -> None:
    assert "is gone" in run("""
os.kill(holder._process.pid, signal.SIGKILL)
holder._process.wait()
try:
    holder.hold(1)
except OSError as error:
    print(error)
""")


def test_it_ends_when_it_is_closed() -> None:
    assert run("holder.close(); print(holder._process.returncode)").strip() == "0"
