"""Checks that need TensorFlow run in a process of their own, and print what they saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from bench.sweep.discovery import ROOT


def saw(name: str, *arguments: str, timeout_s: float = 300, **variables: str) -> Any:
    """What `tests/scenarios/NAME_checks.py` saw, the JSON object in its last line.

    Args:
        name: Of the module, without `_checks`.
        arguments: Of its command line.
        timeout_s: It must end within.
        variables: Of its environment, beside this process's.
    """
    done = subprocess.run(
        [sys.executable, "-m", f"tests.scenarios.{name}_checks", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"} | variables,
        timeout=timeout_s,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
