"""The fixture in pytest sessions of its own: results, skips, selection, parallel workers."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.plugin import effects
from bench.results.values import Launch, Turn

pytestmark = pytest.mark.launches

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import time

def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass

def slow():
    spin(4e-4)

def fast():
    spin(1e-4)

def test_faster(effect):
    found = effect(fast, over=slow, within=0.5)
    assert found.speedup_low > 2, found

def test_not_that_much(effect):
    found = effect(fast, over=slow, within=0.5)
    assert found.speedup_low > 40, found

def test_too_precise(effect):
    effect(fast, over=slow, within=1e-9, skip_inconclusive=True)

def test_raises(effect):
    def broken():
        raise ValueError("no such thing")
    effect(broken, over=slow)

def test_mixed(effect):
    effect("infer/xla", over=slow)
"""


def run(folder: Path, *arguments: str) -> str:
    (folder / "test_suite.py").write_text(SUITE)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "bench.plugin.fixture", "-rs", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_suite_of_effects(tmp_path: Path) -> None:
    out = run(tmp_path, "--durations=3")
    assert re.search(r"3 failed, 1 passed, 1 skipped", out), out
    assert "fast is" in out  # the failure shows the effect and its interval
    assert "inconclusive: fast is" in out
    assert "ValueError: no such thing" in out
    assert "not one of each" in out
    assert "slowest 3 durations" in out


def test_selection_and_first_failure(tmp_path: Path) -> None:
    out = run(tmp_path, "-k", "raises or mixed", "-x")
    assert "1 failed" in out
    assert "4 deselected" not in out
    assert "stopping after 1 failures" in out


def test_parallel_workers_never_measure_at_once(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import os, time, pytest\n"
        "from bench.plugin import fixture\n"
        "real = fixture.until_precise\n"
        "def noted(*a, **k):\n"
        "    began = time.time()\n"
        "    found = real(*a, **k)\n"
        "    with open(os.environ['NOTES'], 'a') as f:\n"
        "        f.write(f'{began} {time.time()}\\n')\n"
        "    return found\n"
        "fixture.until_precise = noted\n"
    )
    notes = tmp_path / "notes"
    os.environ["NOTES"] = str(notes)
    try:
        out = run(tmp_path, "-p", "xdist", "-n", "2", "-k", "faster or much")
    finally:
        del os.environ["NOTES"]
    assert "1 failed, 1 passed" in out, out
    spans = sorted(tuple(map(float, line.split())) for line in notes.read_text().splitlines())
    assert len(spans) == 2
    assert spans[0][1] <= spans[1][0]


def test_the_installed_package_registers_the_plugin() -> None:
    found = {each.name: each.value for each in importlib.metadata.entry_points(group="pytest11")}
    assert found["tfbench"] == "bench.plugin.fixture"


def launches(ratio: float, noise: float) -> effects.Launchers:
    """Invented pairs in which the candidate takes `ratio` of the baseline's time."""

    def launch(index: int) -> tuple[Launch, Launch]:
        off = 1 + noise * (-1) ** (index // 2)
        times = (100_000, round(100_000 * ratio * off))
        first = index % 2
        old, new = (
            Launch(
                name, "cpu-1", index=index, start_order=abs(place - first),
                turns=tuple(Turn(i, 0, 1, ns) for i in range(4)),
            )
            for place, (name, ns) in enumerate(zip(("old", "new"), times, strict=True))
        )  # fmt: skip
        return old, new

    return launch


def test_quiet_effects_need_few_launches() -> None:
    found = effects.until_precise("new", "old", launches(0.5, 0.001), 0.02)
    assert found.launches == effects.LOOKS[0]
    assert found.precise
    assert found.speedup_low < 2 < found.speedup_high


def test_noisy_effects_end_open_after_the_last_look() -> None:
    found = effects.until_precise("new", "old", launches(0.5, 0.2), 0.02)
    assert found.launches == effects.LOOKS[-1]
    assert not found.precise
