"""Other tools deciding on the same work, each by its own code and rule.

In a round each candidate is measured within two runs of a baseline's run, in shuffled order:
c c B B c c. The two baselines are the A/A pair.
"""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.errors import TfbenchError
from bench.sweep.discovery import ROOT
from research.precision.cases import EFFECTS
from research.precision.records import Records
from research.precision.work import MATRIX, MODEL, SLOWDOWN

WORK = str(Path(__file__).with_name("work.py"))
ROUNDS = 40
EQUAL_S = 2.2
"""Timed seconds of one side, so that both sides with their start-up take some 6 s."""

Environment = dict[str, str]
Decision = dict[str, Any]
"""`ln`, the log ratio, and `flags`: whether each of the tool's rules calls it slower."""


@dataclass(frozen=True)
class Rival:
    """One tool with one way to run it."""

    tool: str
    measure: Callable[[Environment, Path], None]
    """Measure the work that the environment names; the results go to the path."""
    decide: Callable[[Path, Path], Decision]
    """Of the baseline's and the candidate's results."""
    paired: bool = False
    """It collects both sides itself, so that each decision has its own baseline."""


class Rivals:
    """Makes rounds of rivals' decisions.

    Args:
        records: Where decisions go.
        cache: Folder of trained models.
    """

    def __init__(self, records: Records, cache: str) -> None:
        self.records, self.cache = records, cache
        self.model = records.path.parent / "int8.tflite"
        self._done: dict[str, int] = {}
        for record in records:
            self._done[record["rival"]] = record["round"] + 1

    def share(self, rival: Rival) -> float:
        """Share of its rounds that is done."""
        return self._done.get(rival.tool, 0) / ROUNDS

    def round(self, rival: Rival) -> None:
        """One decision for each effect, and one A/A decision.

        Raises:
            TfbenchError: The tool failed.
        """
        if not self.model.exists():
            _run([sys.executable, "-m", "research.precision.work", "export", str(self.model),
                  self.cache], dict(os.environ))  # fmt: skip
        number = self._done.get(rival.tool, 0)
        rng = random.Random(f"{rival.tool}/{number}")
        make = self._paired if rival.paired else self._within_two_runs
        with tempfile.TemporaryDirectory() as folder:
            decisions = make(rival, rng, Path(folder))
        about = {"rival": rival.tool, "round": number}
        records = ({**about, "effect": e, "wall_s": wall_s, **decision}
                   for e, decision, wall_s in decisions)  # fmt: skip
        self.records.append(*records)
        self._done[rival.tool] = number + 1

    def _within_two_runs(
        self, rival: Rival, rng: random.Random, folder: Path
    ) -> list[tuple[float, Decision, float]]:
        effects = rng.sample(EFFECTS, len(EFFECTS))
        half = len(effects) // 2
        order: list[float] = [*effects[:half], 0.0, 0.0, *effects[half:]]
        files, walls = [], []
        for place, effect in enumerate(order):
            files.append(folder / f"{place}.json")
            begun = time.monotonic()
            rival.measure(self._environment(effect), files[-1])
            walls.append(time.monotonic() - begun)
        pairs = [(half, half + 1)]
        pairs += [(half if n < half else half + 1, n) for n, effect in enumerate(order) if effect]
        return [(order[n], rival.decide(files[base], files[n]), walls[base] + walls[n])
                for base, n in pairs]  # fmt: skip

    def _paired(
        self, rival: Rival, rng: random.Random, folder: Path
    ) -> list[tuple[float, Decision, float]]:
        results = []
        for effect in rng.sample((0.0, *EFFECTS), len(EFFECTS) + 1):
            begun = time.monotonic()
            out = folder / f"pairs-{effect:g}"
            decision = _benchmatrix(self._environment(0.0), effect, out, rng.randrange(1 << 30))
            results.append((effect, decision, time.monotonic() - begun))
        return results

    def _environment(self, effect: float) -> Environment:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": path, MODEL: str(self.model.resolve()),
                SLOWDOWN: f"{effect:g}"}  # fmt: skip


def _run(command: Sequence[str], environment: Environment, pinned: bool = False) -> str:
    cores = sorted(os.sched_getaffinity(0))
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=900,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores[-1:])) if pinned else None,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise TfbenchError(f"{Path(command[0]).name} failed: {' '.join(last)}")
    return done.stdout


TEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-only", WORK)


def _pytest(timed_s: float = 0.0) -> Callable[[Environment, Path], None]:
    """pytest-benchmark at its defaults; or pinned, with as many rounds as take `timed_s`.

    A first run finds how many: its own limit of time is divided by what the first call takes,
    which is longer than the others, and so ends early.
    """
    rounds: list[int] = []

    def run(environment: Environment, out: Path, *flags: str) -> None:
        command = [*TEST, f"--benchmark-json={out}", *flags]
        _run(command, environment, pinned=bool(timed_s))

    def measure(environment: Environment, out: Path) -> None:
        if timed_s and not rounds:
            run(environment, out)
            rounds.append(math.ceil(timed_s / _pytest_stats(out)["median"]))
        run(environment, out, *(f"--benchmark-min-rounds={n}" for n in rounds))

    return measure


def _pytest_stats(path: Path) -> dict[str, Any]:
    stats: dict[str, Any] = json.loads(path.read_text())["benchmarks"][0]["stats"]
    return stats


def _pytest_decides(base: Path, candidate: Path) -> Decision:
    """What `--benchmark-compare-fail` with mean:5% and min:5% says, by its own class."""
    from pytest_benchmark.utils import PercentageRegressionCheck

    old, new = _pytest_stats(base), _pytest_stats(candidate)
    flags = {f"{field}:5%": bool(PercentageRegressionCheck(field, 5.0).fails(new, old))
             for field in ("mean", "min")}  # fmt: skip
    return {"ln": math.log(new["mean"] / old["mean"]), "flags": flags}


def _pyperf(flags: Sequence[str], pinned: bool = False) -> Callable[[Environment, Path], None]:
    def measure(environment: Environment, out: Path) -> None:
        command = [sys.executable, WORK, "-q", "-o", str(out),
                   f"--inherit-environ={MODEL},{SLOWDOWN},PYTHONPATH", *flags]  # fmt: skip
        _run(command, environment, pinned)

    return measure


def _pyperf_decides(base: Path, candidate: Path) -> Decision:
    """What `pyperf compare_to` says."""
    import pyperf

    compare = [sys.executable, "-m", "pyperf", "compare_to", str(base), str(candidate)]
    text = _run(compare, dict(os.environ))
    old, new = (pyperf.Benchmark.load(str(p)).mean() for p in (base, candidate))
    return {"ln": math.log(new / old), "flags": {"compare_to": "slower" in text}}


def _benchmatrix(environment: Environment, effect: float, out: Path, seed: int) -> Decision:
    """Its paired mode at its defaults: alternating pairs of pytest-benchmark runs."""
    tool, environment = [sys.executable, "-m", "benchmatrix"], environment | {MATRIX: "1"}
    _run([*tool, "collect-paired", "--random-seed", str(seed), "--output", str(out), "--", *TEST,
          ":::", "env", f"{SLOWDOWN}={effect:g}", *TEST], environment)  # fmt: skip
    text = _run([*tool, "compare", str(out), "--paired", "--no-config", "--format", "json"],
                environment)  # fmt: skip
    cell = json.loads(text)["comparisons"][0]
    return {"ln": math.log(cell["ratio"]), "flags": {"paired": cell["regression"] == "regressed"}}


RIVALS = (
    Rival("pytest-benchmark", _pytest(), _pytest_decides),
    Rival("pytest-benchmark, equal time, pinned", _pytest(EQUAL_S), _pytest_decides),
    Rival("pyperf, equal time, pinned", _pyperf(("-p", "4"), pinned=True), _pyperf_decides),
    Rival("pyperf", _pyperf(()), _pyperf_decides),
    Rival("benchmatrix", _pytest(), _pytest_decides, paired=True),
)
