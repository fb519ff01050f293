"""`python -m research.precision`: measure within a budget, resume later, and write the report."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.guard.rule.limits import seconds
from bench.results.errors import TfbenchError, UsageError
from bench.sweep.discovery import ROOT, discover
from bench.sweep.environment import fingerprint, git_state
from research.precision import cases as cases_
from research.precision import check
from research.precision.kept import NAMES
from research.precision.loadgen import Absolute
from research.precision.ours import Ours
from research.precision.records import Records
from research.precision.rivals import Rivals


@dataclass(frozen=True)
class Unit:
    """A piece of the experiment that is run again until its share is reached."""

    name: str
    share: Callable[[], float]
    """What is done of what is wanted."""
    run: Callable[[], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = parse(arguments)
    try:
        if options.check:
            out = options.out or check.default_out()
            reference = options.docs / "precision.json"
            return check.check(out, seconds(options.budget), options.cache, reference)
        options.out = options.out or Path("runs/precision")
        if not options.report:
            measure(options.out, options.minutes * 60, options.only, options.cache, options.beside)
        from research.precision.report import write

        write(options.out, options.docs, options.guard)
    except TfbenchError as error:
        print(f"precision: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("precision: interrupted; run it again to go on", file=sys.stderr)
        return 130
    print(f"report: {options.docs / 'precision.md'}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m research.precision", description=__doc__)
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of the results (default: runs/precision); a run goes on where it stopped; "
        "with --check: the JSON file of the result",
    )
    parser.add_argument("--check", action="store_true",
                        help="check for 10 minutes that precision is as the page says")  # fmt: skip
    parser.add_argument("--budget", default=f"{check.BUDGET_S:.0f}s", help="time of --check")
    parser.add_argument("--minutes", type=float, default=60.0, help="budget (default: 60)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="GLOB",
        help="units to run, such as 'LiteRT*', '*bursts*' or 'rival *'",
    )
    parser.add_argument("--beside", default="", help="what else runs on the machine: is reported")
    parser.add_argument("--report", action="store_true", help="only write the report anew")
    parser.add_argument("--guard", type=Path, help="research.planted's folder, to show")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where the report goes")
    parser.add_argument("--cache", default=os.environ.get("TFBENCH_CACHE", ""),
                        help="folder of trained models")  # fmt: skip
    return parser.parse_args(arguments)


def measure(out: Path, budget_s: float, only: Sequence[str], cache: str, beside: str = "") -> None:
    """Run units, the one that is furthest behind its share first, until the budget is spent."""
    started = time.monotonic()
    scenarios = discover()
    machine = fingerprint()
    stamp = {"session": time.time(), "cpu": machine["cpu"]}
    all_sessions, own, others, absolutes = (Records(out / f"{name}.jsonl", stamp) for name in NAMES)
    all_sessions.append({"environment": machine, "git": git_state(ROOT),
                         "load": os.getloadavg(), "beside": beside})  # fmt: skip
    ours, rivals = Ours(scenarios, own, cache), Rivals(others, cache)
    absolute = Absolute(absolutes, cache)
    units = [Unit(c.name, partial(ours.share, c), partial(ours.block, c))
             for c in cases_.cases(scenarios, bool(beside))]  # fmt: skip
    units += [Unit(f"rival {r.name}", partial(rivals.share, r), partial(rivals.round, r))
              for r in rivals.all]  # fmt: skip
    units.append(Unit("absolute latency", absolute.share, absolute.round))
    if only:
        units = [u for u in units if any(fnmatch.fnmatchcase(u.name, p) for p in only)]
    if not units:
        raise UsageError(f"--only {' '.join(only)} names no unit")
    broken: set[str] = set()
    try:
        while time.monotonic() - started < budget_s:
            waiting = [u for u in units if u.name not in broken and u.share() < 1]
            if not waiting:
                break
            unit = min(waiting, key=lambda u: u.share())
            begun = time.monotonic()
            try:
                unit.run()
                note = f"{time.monotonic() - begun:.0f} s"
            except TfbenchError as error:
                broken.add(unit.name)
                note = f"left out: {error}"
            left = (budget_s - (time.monotonic() - started)) / 60
            print(f"{left:5.1f} min left  {unit.name}: {note}", flush=True)
    finally:
        ours.close()


if __name__ == "__main__":
    sys.exit(main())
