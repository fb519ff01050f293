"""The guard on other projects' own benchmarks, unchanged: real code that does more work.

    python -m research.planted.suites cattrs SOURCE --out FOLDER [--kinds same,5] [--count 4]

SOURCE is the project's unpacked source package; what its benchmarks import must be installed. Each
case appends a line to FOLDER/results.jsonl; what was done is not repeated, so that the experiment
goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.results.statistics import clopper_pearson
from bench.sweep.environment import fingerprint
from research.planted.plants import SLOWER
from research.planted.rivals import git, rival
from research.planted.table import RULES, results
from research.precision.records import Records

KINDS = ("same", "2", "5", "10")
"""Nothing, or how many percent slower."""
BUDGET_S = 17
"""For each benchmark: three minutes for ten."""


@dataclass(frozen=True)
class Suite:
    """A project's benchmarks, and where its code is made slower."""

    tests: str
    chosen: str
    """As pytest's -k: benchmarks of 8 µs and more, for the plant itself costs some 0.2 µs."""
    count: int
    paths: str
    """What Python must find, from the project's folder."""
    file: str
    methods: tuple[str, ...]


CATTRS = (
    "src", "src/cattrs/converters.py", ("BaseConverter.structure", "BaseConverter.unstructure")
)  # fmt: skip
SUITES = {
    "cattrs": Suite(
        "bench",
        "(lists or mappings or (primitives and test_structure_attrs and BaseConverter)) "
        "and not DICT-Converter",
        10,
        *CATTRS,
    ),
    "cattrs-plain": Suite(
        "bench",
        "BaseConverter and (lists or (primitives and test_structure_attrs))",
        4,
        *CATTRS,
    ),
}


def main() -> None:
    """Run the cases that are missing, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--count", type=int, default=10, help="cases of each kind")
    parser.add_argument("--budget", type=int, help="seconds for each case, not 17 a benchmark")
    parser.add_argument("--rivals", type=int, default=10, help="cases that pytest-benchmark judges")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    clone = repository(options.source, options.out.resolve() / options.suite)
    for number in range(options.count):
        for kind in options.kinds.split(","):
            done = {(r["suite"], r["kind"], r["number"]) for r in results(options.out)}
            if (options.suite, kind, number) not in done:
                budget_s = options.budget or BUDGET_S * SUITES[options.suite].count
                found = case(options.suite, kind, number, clone, options.out, budget_s)
                if number < options.rivals:
                    found |= {"rivals": beside(options.suite, clone, found["seconds"])}
                results(options.out).append(found)
                print(json.dumps(found), flush=True)
    print("\n".join(rows(results(options.out))))


def repository(source: Path, clone: Path) -> Path:
    """A git repository of a project's source, tagged `unchanged`."""
    if not clone.exists():
        shutil.copytree(source, clone)
        git(clone, "init", "-q")
        git(clone, "config", "user.name", "experiment")
        git(clone, "config", "user.email", "experiment@localhost")
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "-m", "as it is published")
        git(clone, "tag", "unchanged")
    return clone


def change(suite: Suite, kind: str, number: int, clone: Path) -> None:
    """Edit the project's code: a comment, or methods that take longer by a share."""
    file = clone / suite.file
    text = f"\n# nothing changed, number {number}\n"
    if kind != "same":
        share = int(kind) / 100
        lines = [f"{name} = _slower({name}, {share})" for name in suite.methods]
        text = SLOWER.replace("{share:.0%}", f"{share:.0%}") + "\n".join(lines) + "\n"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def case(
    name: str, kind: str, number: int, clone: Path, folder: Path, budget_s: int
) -> dict[str, Any]:
    """Plant one change, and compare it with the code before."""
    suite = SUITES[name]
    git(clone, "reset", "-q", "--hard", "unchanged")
    git(clone, "clean", "-qfd")
    change(suite, kind, number, clone)
    git(clone, "commit", "-qam", f"{kind} {number}")
    out = folder.resolve() / "last"
    shutil.rmtree(out, ignore_errors=True)
    began = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-P", "-m", "tfbench", "guard", "--base", "unchanged",
            "--configuration", "cpu-1", "--pytest", suite.tests, "-k", suite.chosen,
            "--budget", f"{budget_s}s", "--out", str(out),
        ],
        cwd=clone, capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.monotonic() - began
    if not (out / "guard.json").exists():
        raise SystemExit(f"the guard did not end: {done.stderr[-2000:]}")
    judged = json.loads((out / "guard.json").read_text(encoding="utf-8"))["judgements"]
    timed = [j for j in judged if j["metric"] == "latency"]
    return {
        "suite": name,
        "kind": kind,
        "number": number,
        "cpu": fingerprint()["cpu"],
        "started": time.time() - seconds,
        "seconds": round(seconds, 1),
        "exit_code": done.returncode,
        "regressions": [j["scenario"] for j in timed if j["verdict"] == "regression"],
        "other_alarms": [f"{j['scenario']} {j['metric']}" for j in judged
                         if j["metric"] != "latency" and j["verdict"] == "regression"],
        "changes": {j["scenario"]: j["change"] for j in timed},
    }  # fmt: skip


def beside(name: str, clone: Path, seconds: float) -> dict[str, Any]:
    """What pytest-benchmark finds of the same change in the same time."""
    suite = SUITES[name]
    environment = os.environ | {"PYTHONPATH": str(clone / suite.paths)}
    return rival(clone, seconds, (suite.tests, "-k", suite.chosen), suite.count, environment)


def rows(cases: Records) -> list[str]:
    """A Markdown table: of each kind, in how many suites something was called a regression."""
    lines = [f"| change | tfbench guard | {' | '.join(RULES)} |", "|---|---|---|---|"]
    every = list(cases)
    for kind in KINDS:
        own = [each for each in every if each["kind"] == kind]
        if own:
            hits = sum(bool(each["regressions"]) for each in own)
            low, high = clopper_pearson(hits, len(own))
            judged = [each["rivals"] for each in own if "rivals" in each]
            others = [f"{sum(bool(e[rule]) for e in judged)} of {len(judged)}" for rule in RULES]
            what = "nothing" if kind == "same" else f"{kind} % slower"
            found = f"{hits} of {len(own)} ({low:.0%} to {high:.0%})"
            lines.append(f"| {what} | {found} | {' | '.join(others)} |")
    return lines


if __name__ == "__main__":
    main()
