"""`python -m research.precision`: measure within a budget, resume later, and write the page."""

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

from bench.results.errors import TfbenchError, UsageError
from bench.results.quantities import seconds
from bench.sweep.discovery import ROOT, discover
from bench.sweep.environment import fingerprint, git_state
from research.precision import check, page
from research.precision.cases import cases
from research.precision.ours import Ours
from research.precision.records import NAMES, Records
from research.precision.rivals import RIVALS, Rivals


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
            budget_s, numbers = seconds(options.budget or "570s"), options.docs / "precision.json"
            return check.check(options.out, budget_s, options.cache, numbers)
        out = options.out or Path("runs/precision")
        if not options.report:
            measure(out, seconds(options.budget or "1h"), options.only, options.cache)
        page.write(out, options.docs, options.planted, options.note)
    except TfbenchError as error:
        print(f"precision: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("precision: interrupted; run it again to go on", file=sys.stderr)
        return 130
    print(f"page: {options.docs / 'precision.md'}")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m research.precision", description=__doc__)
    add = parser.add_argument
    add("--check", action="store_true", help="check for 10 minutes that it is as the page says")
    add("--out", type=Path, help="folder of the results (default: runs/precision), where a run "
        "goes on; with --check: the JSON file of the result")  # fmt: skip
    add("--budget", metavar="TIME", help="such as 90s or 2h (default: 1h; of --check: 570s)")
    add("--only", action="append", default=[], metavar="GLOB",
        help="units to run, such as 'LiteRT*', '*bursts*' or 'pyperf*'")  # fmt: skip
    add("--report", action="store_true", help="only write the page anew")
    add("--planted", type=Path, help="folder of python -m research.planted, to show")
    add("--note", action="append", default=[], help="sentence that the page carries")
    add("--docs", type=Path, default=ROOT / "docs", help="where the page goes (default: docs)")
    add("--cache", default=os.environ.get("TFBENCH_CACHE", ""), help="folder of trained models")
    return parser.parse_args(arguments)


def measure(out: Path, budget_s: float, only: Sequence[str], cache: str) -> None:
    """Run units, the one that is furthest behind its share first, until the budget is spent."""
    started = time.monotonic()
    scenarios = discover()
    machine = fingerprint()
    stamp = {"session": time.time(), "cpu": machine["cpu"]}
    sessions, own, others = (Records(out / f"{name}.jsonl", stamp) for name in NAMES[:3])
    sessions.append({"environment": machine, "git": git_state(ROOT)})
    ours, rivals = Ours(scenarios, own, cache), Rivals(others, cache)
    units = [Unit(c.name, partial(ours.share, c), partial(ours.block, c)) for c in cases(scenarios)]
    units += [Unit(r.tool, partial(rivals.share, r), partial(rivals.round, r)) for r in RIVALS]
    if only:
        units = [u for u in units if any(fnmatch.fnmatchcase(u.name, p) for p in only)]
    if not units:
        raise UsageError(f"--only {' '.join(only)} names no unit")
    try:
        while (left := budget_s - (time.monotonic() - started)) > 0:
            units = [u for u in units if u.share() < 1]
            if not units:
                break
            unit = min(units, key=lambda u: u.share())
            print(f"{left / 60:5.1f} min left  {unit.name}", flush=True)
            try:
                unit.run()
            except TfbenchError as error:
                units.remove(unit)
                print(f"left out: {error}", flush=True)
    finally:
        ours.close()


if __name__ == "__main__":
    sys.exit(main())
