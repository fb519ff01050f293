"""Does the guard find what it must, and only that? Real changes in a scratch clone, via `--base`.

    python -m research.planted --out FOLDER [--kinds same,core-2] [--no-rivals]

Each case appends a line to FOLDER/results.jsonl; what this version has done is not repeated, so
that the experiment goes on where it stopped. A new version of `bench/`, FOLDER/clone being
removed, starts anew beside the old results. pytest-benchmark gets the same change and the same
time. `nox -s precision -- --report --planted FOLDER` shows what was found.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from bench.sweep.discovery import ROOT
from bench.sweep.environment import fingerprint
from research.planted.plants import SUITE, Plant, plant
from research.planted.rivals import git, rival
from research.planted.table import results

CASES = {
    "same": 20, "core-2": 10, "one-2": 10, "core-5": 5, "one-5": 5,
    "memory": 3, "retrace": 3, "size": 3, "accuracy": 3,
}  # fmt: skip
RIVALLED = ("same", "core-2", "one-2", "core-5", "one-5")
BUDGET_S = 170
MICROBENCH = ("research/microbench/test_steps.py",)
SEEDS = 4
"""A new seed's baseline is trained first, which takes half of a suite's time."""


def main() -> None:
    """Run the cases that are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kinds", default=",".join(CASES))
    parser.add_argument("--count", type=int, help="cases of each kind, instead of the full number")
    parser.add_argument("--budget", type=int, default=BUDGET_S, help="seconds for each case")
    parser.add_argument("--no-rivals", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clone = fresh_clone(options.out)
    commit = _version(clone)
    for kind in options.kinds.split(","):
        for number in range(options.count or CASES[kind]):
            done = {(r["kind"], r["number"], r["commit"]) for r in results(options.out)}
            if (kind, number, commit) in done:
                continue
            found = case(kind, number, clone, options.out, options.budget, not options.no_rivals)
            results(options.out).append(found)
            print(json.dumps({k: v for k, v in found.items() if k != "judgements"}), flush=True)


def fresh_clone(folder: Path) -> Path:
    """A clone of this repository's last commit, kept for all cases of a folder."""
    clone = folder.resolve() / "clone"
    if not clone.exists():
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        git(clone, "config", "user.name", "experiment")
        git(clone, "config", "user.email", "experiment@localhost")
        git(clone, "tag", "unchanged")
    return clone


def case(
    kind: str, number: int, clone: Path, folder: Path, budget_s: int, rivals: bool
) -> dict[str, Any]:
    """Plant one change, compare it with the commit before, and judge the judges."""
    git(clone, "reset", "-q", "--hard", "unchanged")
    git(clone, "clean", "-qfd")
    change = plant(kind, number, folder)
    change.apply(clone)
    git(clone, "commit", "-qam", f"{kind} {number}")
    out = folder / "last"
    shutil.rmtree(out, ignore_errors=True)
    before, began = psutil.cpu_times(), time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-m", "tfbench", "guard", *SUITE, "--base", "unchanged",
            "--configuration", "cpu-1", "--budget", f"{budget_s}s",
            "--seed", str(number % SEEDS), "--out", str(out.resolve()),
        ],
        cwd=clone, env=_environment(clone), capture_output=True, text=True,
    )  # fmt: skip
    seconds, after = time.monotonic() - began, psutil.cpu_times()
    if not (out / "guard.json").exists():
        raise SystemExit(f"the guard did not end: {done.stderr[-2000:]}")
    judged = json.loads((out / "guard.json").read_text(encoding="utf-8"))
    regressions = [j for j in judged["judgements"] if j["verdict"] == "regression"]
    timed = [j for j in judged["judgements"] if j["metric"] == "latency"]
    return {
        "kind": kind,
        "number": number,
        "commit": _version(clone),
        "cpu": fingerprint()["cpu"],
        "budget_s": budget_s,
        "started": time.time() - seconds,
        "seconds": round(seconds, 1),
        "stolen": round(stolen(before, after), 4),
        "exit_code": done.returncode,
        "found": any(_hit(j, change) for j in regressions),
        "alarms": [f"{j['scenario']} {j['metric']} {j['change']}" for j in regressions],
        "verdicts": {v: sum(j["verdict"] == v for j in timed) for v in
                     ("regression", "inconclusive", "improved", "no change")},
        "judgements": [{k: j[k] for k in ("scenario", "metric", "verdict", "change", "low", "high",
                                          "base", "head", "launches", "visible", "noise")}
                       for j in judged["judgements"]],
        "rivals": rival(clone, seconds, MICROBENCH, len(SUITE), _environment(clone))
        if rivals and kind in RIVALLED else None,
    }  # fmt: skip


def stolen(before: Any, after: Any) -> float:
    """Share of all cores' time between two `psutil.cpu_times` that other tenants took."""
    total = sum(after) - sum(before)
    return (after.steal - before.steal) / total if total and hasattr(after, "steal") else 0.0


def _hit(judgement: dict[str, Any], change: Plant) -> bool:
    return judgement["metric"] in change.metrics and judgement["scenario"] in change.scenarios


def _environment(clone: Path) -> dict[str, str]:
    steps = {"TFBENCH_STEPS": ",".join(SUITE)}
    return os.environ | {"PYTHONPATH": str(clone), "PYTHONDONTWRITEBYTECODE": ""} | steps


def _version(clone: Path) -> str:
    """The git tree of `bench/`, the same for all commits that leave it alone."""
    return git(clone, "rev-parse", "--short=10", "unchanged:bench")


if __name__ == "__main__":
    main()
