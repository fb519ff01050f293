"""Fixtures shared by all tests. TensorFlow is imported neither here nor at collection."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench.sweep.preloaded import Pool

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that launch come first: the last file that a worker takes should be a short one."""
    launching = {item.path for item in items if item.get_closest_marker("launches")}
    items.sort(key=lambda item: item.path not in launching)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if WORKER else base


@pytest.fixture(scope="session")
def cache(shared: Path) -> Path:
    """The folder of trained models: one for all workers, or the one in TFBENCH_CACHE."""
    return Path(os.environ.get("TFBENCH_CACHE", shared / "cache"))


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
def smoke_run(tfbench: Callable[..., subprocess.CompletedProcess[str]], shared: Path) -> Path:
    """The folder of one real smoke sweep on the digits, shared by all who look at a run."""
    out = shared / "smoke"
    with (shared / "smoke.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "report.html").exists():
            done = tfbench(
                "run", "infer/litert-int8", "infer/tensorrt*", "train/eager",
                "--profile", "smoke", "--configuration", "cpu-1", "--out", str(out),
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="session")
def kept(cache: Path) -> Iterator[Callable[..., Any]]:
    """Starts preloaded processes that outlive the pools that want them: each imports for seconds.

    As within a run: what is tested is forked from them. Another folder or other variables get a
    process of their own; where no cache is named it is the tests'.
    """
    from bench.sweep import preloaded

    class Lasting(preloaded.Preloaded):
        def hang_up(self) -> None:
            pass

        def close(self) -> None:
            pass

        def end(self) -> None:
            super().hang_up()
            super().close()

    running: dict[object, Lasting] = {}
    lock = Lock()

    def start(environment: Any, factory: str = "") -> Lasting:
        with lock, pytest.MonkeyPatch.context() as patch:
            patch.setenv("TFBENCH_CACHE", os.environ.get("TFBENCH_CACHE", str(cache)))
            around = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
            key = (environment, factory, Path.cwd(), frozenset(around.items()))
            if key not in running or not running[key].alive:
                running[key] = Lasting(environment, factory)
            return running[key]

    yield start
    for each in running.values():
        each.end()


@pytest.fixture(scope="session")
def pool(cache: Path, kept: Callable[..., Any]) -> Iterator[Pool]:
    """Launches on a small workload, from processes that all tests share."""
    from bench.results.values import WorkloadSpec
    from bench.sweep.preloaded import Pool

    class Shared(Pool):
        def process(self, environment: Any) -> Any:
            return kept(environment, self.workload.workloads)

    with Shared(WorkloadSpec(data="synthetic:8x8x3", cache=str(cache)), 4 << 30) as shared:
        yield shared


@pytest.fixture(scope="module")
def lasting(kept: Callable[..., Any]) -> Iterator[type]:
    """Lets a module's pools share those processes; gives the class of those that do not last."""
    from bench.sweep import preloaded

    real = preloaded.Preloaded
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preloaded, "Preloaded", kept)
        yield real
