"""Other tools deciding on the same work, each by its own code and rule.

In a round each candidate is measured within two runs of a baseline's run, in shuffled order:
c c B B c c. The two baselines are the A/A pair. A tool whose runs are long measures one baseline a
round, between its candidates: c c B c c; its A/A pair are the baselines of this round and the one
before.
"""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.results.errors import TfbenchError
from bench.sweep.discovery import ROOT
from research.precision.cases import EFFECTS, Noise
from research.precision.corunner import bursts
from research.precision.records import Records
from research.precision.work import MODEL, SLOWDOWN

FOLDER = Path(__file__).parent
ROUNDS = 40
BESIDE_BURSTS = 0.4
"""Share of its rounds that a tool makes beside bursts."""
EQUAL_S = 2.2
"""Timed seconds of one side, so that both sides with their start-up take some 6 s."""
NEIGHBOURS_S = 300.0
"""Two rounds' baselines further apart in time are no A/A pair."""


@dataclass(frozen=True)
class Rival:
    """One tool with one way to run it."""

    tool: str
    measure: Callable[[dict[str, str], Path], None]
    """Measure the work that the environment names; the results go to the path."""
    decide: Callable[[Path, Path], dict[str, Any]]
    """(baseline's, candidate's results) → `ln` (log ratio) and each rule's flag."""
    effects: tuple[float, ...] = EFFECTS
    rounds: int = ROUNDS
    paired: bool = False
    """It collects both sides itself, so that each decision has its own baseline."""
    chained: bool = False
    """Its runs are so long that rounds share their baselines."""
    noise: Noise = "quiet"

    @property
    def name(self) -> str:
        """Names it among what can be run."""
        return self.tool if self.noise == "quiet" else f"{self.tool}@{self.noise}"


def noise_of(record: Mapping[str, Any]) -> Noise:
    """Load under which a decision was made; the first sessions, quiet all, do not name it."""
    noise: Noise = record.get("noise", "quiet")
    return noise


class Rivals:
    """Makes rounds of rivals' decisions.

    Args:
        records: Where decisions go.
        cache: Folder of trained models.
    """

    def __init__(self, records: Records, cache: str) -> None:
        self.records, self.cache = records, cache
        self.model = records.path.parent / "int8.tflite"
        self._done: dict[tuple[str, str], int] = {}
        for record in records:
            name = record["rival"], noise_of(record)
            self._done[name] = max(self._done.get(name, 0), record["round"] + 1)

    @property
    def all(self) -> list[Rival]:
        """The rivals that are installed, quiet ones first."""
        found = [
            Rival("pytest-benchmark", _pytest(), _pytest_decides),
            Rival("pytest-benchmark, equal time, pinned", _pytest(EQUAL_S), _pytest_decides),
            Rival("pyperf, equal time, pinned", _pyperf(("-p", "4"), pinned=True), _pyperf_decides),
            Rival("pyperf", _pyperf(()), _pyperf_decides, rounds=ROUNDS + 1, chained=True),
            Rival("benchmatrix paired", _pytest(), _pytest_decides, paired=True),
        ]
        if shutil.which("hyperfine"):
            decides = _hyperfine_decides
            found.append(Rival("hyperfine", _hyperfine, decides, rounds=ROUNDS + 1, chained=True))
        return [*found, *(replace(rival, noise="bursts", rounds=round(BESIDE_BURSTS * rival.rounds))
                          for rival in found)]  # fmt: skip

    def share(self, rival: Rival) -> float:
        """Share of its rounds that is done."""
        return self._done.get((rival.tool, rival.noise), 0) / rival.rounds

    def round(self, rival: Rival) -> None:
        """One decision for each effect, and one A/A decision.

        Raises:
            TfbenchError: The tool failed.
        """
        if not self.model.exists():
            _run([sys.executable, "-m", "research.precision.work", "export", str(self.model),
                  self.cache], dict(os.environ))  # fmt: skip
        number = self._done.get((rival.tool, rival.noise), 0)
        rng = random.Random(f"{rival.name}/{number}")
        with tempfile.TemporaryDirectory() as folder:
            make = (
                self._paired if rival.paired
                else self._chained if rival.chained
                else self._one_by_one
            )  # fmt: skip
            with bursts(number, rival.noise == "bursts"):
                decisions = make(rival, rng, Path(folder))
        for effect, decision, wall_s in decisions:
            self.records.append(
                {"rival": rival.tool, "noise": rival.noise, "round": number, "effect": effect,
                 "wall_s": wall_s, **decision}
            )  # fmt: skip
        self._done[rival.tool, rival.noise] = number + 1

    def _one_by_one(
        self, rival: Rival, rng: random.Random, folder: Path
    ) -> list[tuple[float, dict[str, Any], float]]:
        effects = rng.sample(rival.effects, len(rival.effects))
        half = len(effects) // 2
        order: list[float] = [*effects[:half], 0.0, 0.0, *effects[half:]]
        files, walls = [], []
        for place, effect in enumerate(order):
            files.append(folder / f"{place}.json")
            begun = time.monotonic()
            rival.measure(self._environment(effect), files[-1])
            walls.append(time.monotonic() - begun)
        first, second = files[half], files[half + 1]
        results = [(0.0, rival.decide(first, second), walls[half] + walls[half + 1])]
        for place, effect in enumerate(order):
            if effect:
                base = half if place < half else half + 1
                decision = rival.decide(files[base], files[place])
                results.append((effect, decision, walls[base] + walls[place]))
        return results

    def _chained(
        self, rival: Rival, rng: random.Random, folder: Path
    ) -> list[tuple[float, dict[str, Any], float]]:
        effects = rng.sample(rival.effects, len(rival.effects))
        half = len(effects) // 2
        files, walls = {}, {}
        for each in (*effects[:half], 0.0, *effects[half:]):
            files[each] = folder / f"{each:g}.json"
            begun = time.monotonic()
            rival.measure(self._environment(each), files[each])
            walls[each] = time.monotonic() - begun
        results = [
            (each, rival.decide(files[0.0], files[each]), walls[0.0] + walls[each])
            for each in effects
        ]
        before = self.records.path.parent / f"{rival.name}.json"
        if before.exists() and time.time() - before.stat().st_mtime < NEIGHBOURS_S:
            results.append((0.0, rival.decide(before, files[0.0]), 2 * walls[0.0]))
        shutil.copy(files[0.0], before)
        return results

    def _paired(
        self, rival: Rival, rng: random.Random, folder: Path
    ) -> list[tuple[float, dict[str, Any], float]]:
        results = []
        for effect in rng.sample((0.0, *rival.effects), len(rival.effects) + 1):
            begun = time.monotonic()
            out = folder / f"pairs-{effect:g}"
            decision = _benchmatrix(self._environment(0.0), effect, out, rng.randrange(1 << 30))
            results.append((effect, decision, time.monotonic() - begun))
        return results

    def _environment(self, effect: float) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        return {**os.environ, "PYTHONPATH": path, MODEL: str(self.model.resolve()),
                SLOWDOWN: f"{effect:g}"}  # fmt: skip


def _run(command: Sequence[str], environment: dict[str, str], pinned: bool = False) -> str:
    cores = sorted(os.sched_getaffinity(0))
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=900,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores[-1:])) if pinned else None,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise TfbenchError(f"{Path(command[0]).name} failed: {' '.join(last)}")
    return done.stdout


# --- pytest-benchmark -------------------------------------------------------------------------


def _pytest(timed_s: float = 0.0) -> Callable[[dict[str, str], Path], None]:
    """At its defaults; or pinned, with as many rounds as take `timed_s`, found by a first run.

    Its own limit of time does not give it that time: it divides the limit by what the first call
    takes, which is longer than the others, and so ends early.
    """
    rounds: list[int] = []

    def run(environment: dict[str, str], out: Path, *flags: str) -> None:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                   "--benchmark-only", f"--benchmark-json={out}", *flags,
                   str(FOLDER / "work_pytest.py")]  # fmt: skip
        _run(command, environment, pinned=bool(timed_s))

    def measure(environment: dict[str, str], out: Path) -> None:
        if timed_s and not rounds:
            run(environment, out)
            rounds.append(math.ceil(timed_s / _pytest_stats(out)["median"]))
        run(environment, out, *(f"--benchmark-min-rounds={n}" for n in rounds))

    return measure


def _pytest_stats(path: Path) -> dict[str, Any]:
    stats: dict[str, Any] = json.loads(path.read_text())["benchmarks"][0]["stats"]
    return stats


def _pytest_decides(base: Path, candidate: Path) -> dict[str, Any]:
    """What `--benchmark-compare-fail` with mean:5% and min:5% says, by its own class."""
    from pytest_benchmark.utils import PercentageRegressionCheck

    old, new = _pytest_stats(base), _pytest_stats(candidate)
    flags = {f"{field}:5%": bool(PercentageRegressionCheck(field, 5.0).fails(new, old))
             for field in ("mean", "min")}  # fmt: skip
    return {"ln": math.log(new["mean"] / old["mean"]), "ln_min": math.log(new["min"] / old["min"]),
            "flags": flags}  # fmt: skip


# --- pyperf -----------------------------------------------------------------------------------


def _pyperf(flags: Sequence[str], pinned: bool = False) -> Callable[[dict[str, str], Path], None]:
    def measure(environment: dict[str, str], out: Path) -> None:
        command = [sys.executable, str(FOLDER / "work_pyperf.py"), "-q", "-o", str(out),
                   f"--inherit-environ={MODEL},{SLOWDOWN},PYTHONPATH", *flags]  # fmt: skip
        _run(command, environment, pinned)

    return measure


def _pyperf_decides(base: Path, candidate: Path) -> dict[str, Any]:
    """What `pyperf compare_to` says."""
    import pyperf

    text = _run([sys.executable, "-m", "pyperf", "compare_to", str(base), str(candidate)],
                dict(os.environ))  # fmt: skip
    old, new = (pyperf.Benchmark.load(str(p)).mean() for p in (base, candidate))
    return {"ln": math.log(new / old), "flags": {"compare_to": "slower" in text}}


# --- benchmatrix ------------------------------------------------------------------------------


def _benchmatrix(
    environment: dict[str, str], effect: float, out: Path, seed: int
) -> dict[str, Any]:
    """Its paired mode at its defaults: alternating pairs of pytest-benchmark runs."""
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-only",
            str(FOLDER / "work_benchmatrix.py")]  # fmt: skip
    slowed = ["env", f"{SLOWDOWN}={effect:g}", *test]
    tool = [sys.executable, "-m", "benchmatrix"]
    _run([*tool, "collect-paired", "--random-seed", str(seed), "--output", str(out), "--", *test,
          ":::", *slowed], environment)  # fmt: skip
    text = _run([*tool, "compare", str(out), "--paired", "--no-config", "--format", "json"],
                environment)  # fmt: skip
    cell = json.loads(text)["comparisons"][0]
    return {"ln": math.log(cell["ratio"]), "flags": {"paired": cell["regression"] == "regressed"},
            "verdict": cell["regression"], "pairs": cell["inference"]["pair_count"]}  # fmt: skip


# --- hyperfine --------------------------------------------------------------------------------

COMMAND_STEPS = 5000


def _hyperfine(environment: dict[str, str], out: Path) -> None:
    command = f"{sys.executable} -m research.precision.work {COMMAND_STEPS}"
    _run(["hyperfine", "-N", "--export-json", str(out), command], environment)


def _hyperfine_decides(base: Path, candidate: Path) -> dict[str, Any]:
    """Slower where its `ratio ± σ` lies above 1; it times the whole command, start-up included."""
    old, new = (json.loads(p.read_text())["results"][0] for p in (base, candidate))
    ratio = new["mean"] / old["mean"]
    spread = ratio * math.hypot(*(statistics.stdev(r["times"]) / r["mean"] for r in (old, new)))
    return {"ln": math.log(ratio), "flags": {"ratio ± σ": ratio - spread > 1}}
