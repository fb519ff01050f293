"""The processes that draw a report's plots."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.faults.test_launches import gone, runs

DRAWS = """
import os, time
from pathlib import Path
from types import SimpleNamespace
from reports.plots import drawing

def slow(facts):
    os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(60)

os.cpu_count = lambda: 2
drawing._all([slow] * 3, SimpleNamespace(all=()), Path("."))
"""


@pytest.mark.faults("Around it", {"SIGKILL while plots are drawn": "what draws them ends too"})
def test_what_draws_ends_with_the_run() -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", DRAWS], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    drawers = [int(run.stdout.readline()) for _ in range(2)]
    assert all(map(runs, drawers))
    run.kill()
    run.communicate(timeout=30)  # its end of the pipe is theirs too
    gone(drawers)
