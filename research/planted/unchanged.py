"""How far unchanged code's stage means scatter beyond their launches, by kind of path.

    python -m research.planted.unchanged --minutes 60

Each unit is one suite: a comment is edited in a fresh clone, and the guard compares it with the
commit before. It appends a line to `results/unchanged.jsonl`, so that the experiment is made in as
many sittings as it takes; some 30 suites tell a spread to an eighth of it. Suites of functions
without a change are those of `research.planted.suites`. The table says what `ALLOWANCES`
(`bench.guard.rule.limits`) would have to be; with `--minutes 0` only that is done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.sweep.discovery import ROOT, discover
from research.planted.__main__ import fresh_clone
from research.planted.chunks import RESULTS, Unit, work
from research.planted.plants import comment
from research.planted.rivals import git
from research.planted.spread import Mean, rows, screens
from research.precision.records import Records

SUITES: Mapping[str, tuple[str, ...]] = {
    "inference": (
        "infer/function", "infer/function-b32", "infer/savedmodel", "infer/frozen",
        "infer/litert-float32", "infer/litert-int8", "infer/litert-dynamic",
    ),
    "others": ("train/function", "train/linear", "input/memory", "input/preprocessed"),
    "command": ("--command", f"{sys.executable} -c 'import json, email.message'"),
}  # fmt: skip
"""What the guard is given; of each kind of path enough for several stage means a suite."""
BUDGETS_S = {"inference": 170, "others": 120, "command": 40}
ENDS_S = 30
"""That a suite may take beyond its budget."""


def main() -> None:
    """Measure what fits, and show the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, help="as many suites as fit; else all")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the records")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--count", type=int, default=30, help="of each suite")
    options = parser.parse_args()
    records = Records(options.out / "unchanged.jsonl")
    work(in_turns(options.suites.split(","), options.count), records, options.minutes)
    others = Records(options.out / "cattrs.jsonl")
    print("\n".join(rows(by_kind([*records, *others]))))


def in_turns(suites: Sequence[str], count: int) -> Iterator[Unit]:
    """One of each suite, then the next of each."""
    for number in range(count):
        for name in suites:
            key = {"suite": name, "number": number}
            yield Unit(key, BUDGETS_S[name] + ENDS_S, partial(compared, name, number))


def compared(name: str, number: int) -> dict[str, Any]:
    """Edit a comment, every second time in what all scenarios share, and compare."""
    with tempfile.TemporaryDirectory(prefix=f"tfbench-unchanged-{number}-") as folder:
        clone = fresh_clone(Path(folder))
        comment(clone, number)
        git(clone, "commit", "-qam", f"unchanged {number}")
        out = Path(folder) / "out"
        command = [
            sys.executable, "-m", "tfbench", "guard", *SUITES[name], "--base", "unchanged",
            "--configuration", "cpu-1", "--budget", f"{BUDGETS_S[name]}s",
            "--out", str(out),
        ]  # fmt: skip
        environment = os.environ | {"PYTHONPATH": str(clone)}
        done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True)
        if not (out / "guard.json").exists():
            raise SystemExit(f"the guard did not end: {done.stderr[-2000:]}")
        judged = json.loads((out / "guard.json").read_text(encoding="utf-8"))["judgements"]
        return {
            "exit_code": done.returncode,
            "alarms": [f"{j['scenario']} {j['metric']}" for j in judged
                       if j["verdict"] == "regression"],
            "screens": screens(out),
        }  # fmt: skip


def by_kind(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Mean]]:
    """The stage means of unchanged code, by kind of path."""
    known = discover(ROOT)
    found: dict[str, list[Mean]] = {}
    for record in records:
        if record.get("suite") == "command":
            found.setdefault("command", []).extend(record["screens"].values())
        elif "suite" in record:
            for id, mean in record["screens"].items():
                found.setdefault(known[id].path_kind, []).append(mean)
        elif record.get("kind") == "same" and record["by"] == "guard":
            found.setdefault("call", []).extend(each for each in record["screens"] if each)
    return found


if __name__ == "__main__":
    main()
