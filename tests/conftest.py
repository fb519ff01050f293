"""Fixtures shared by all tests. TensorFlow is imported neither here nor at collection."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
WORKER = os.environ.pop("PYTEST_XDIST_WORKER", "")
"""This worker of pytest-xdist; sessions that tests start must not take themselves for one."""
_left_out: list[str] = []


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Keep what a marker expression leaves out."""
    _left_out.extend(each.nodeid for each in items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a worker of pytest-xdist tell the session what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = _left_out


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker left out; all leave out the same."""
    _left_out[:] = getattr(node, "workeroutput", {}).get("left_out", _left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests were left out."""
    if _left_out:
        count = Counter(name.partition("[")[0] for name in _left_out)
        terminalreporter.write_line(f"{len(_left_out)} tests left out (nox -s tests_full):")
        for name, times in count.items():
            terminalreporter.write_line(f"  {name}{f' ×{times}' if times > 1 else ''}")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of trained models: one for all workers, or the one in TFBENCH_CACHE."""
    given = os.environ.get("TFBENCH_CACHE")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if WORKER else base
    return Path(given) if given else shared / "cache"


@pytest.fixture(scope="session")
def tfbench(cache: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line in a process of its own."""

    def call(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "TFBENCH_CACHE": str(cache),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
        }
        return subprocess.run(
            [sys.executable, "-m", "tfbench", *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=environment,
            timeout=600,
        )

    return call


@pytest.fixture(scope="session")
def smoke_run(
    tfbench: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The folder of one real smoke sweep on the digits, shared by all who look at a run."""
    out = tmp_path_factory.mktemp("runs") / "smoke"
    done = tfbench(
        "run", "infer/litert-int8", "infer/tensorrt*", "train/eager",
        "--profile", "smoke", "--configuration", "cpu-1", "--out", str(out),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def pool(cache: Path) -> Iterator[object]:
    """Preloaded processes shared by all tests that launch."""
    from bench.results.values import WorkloadSpec
    from bench.sweep.preloaded import Pool

    with Pool(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 4 << 30) as shared:
        yield shared
