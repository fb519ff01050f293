"""Does recording a trace change the timings? Decided by the guard's own rule.

    python -m benchmarks.trace_effect [PAIRS] [--cache FOLDER]

Launches with and without the trace pass alternate, in both orders; a pair's value is the log ratio
of its two median step times, so drift cancels but the machine's noise from launch to launch stays.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.guard.decide import ALPHA, sign
from bench.guard.evidence import Evidence
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.groups import run_launch
from bench.sweep.members import Member
from bench.sweep.preloaded import Environment, Pool
from bench.sweep.settings import find_configuration
from benchmarks.precision.cases import Case
from benchmarks.precision.decisions import default_limit

SCENARIOS = ("infer/function", "train/function", "infer/litert-int8")
MEMORY_BYTES = 8 << 30


def main(pairs: int, cache: str) -> bool:
    """Compare each scenario; whether none differs."""
    scenarios, pool = discover(), Pool(WorkloadSpec(cache=cache), MEMORY_BYTES)
    configuration = find_configuration("cpu-1", {})
    verdicts = []
    try:
        for id in SCENARIOS:
            environment = Environment.of(scenarios[id], configuration, "", ROOT)
            member = Member(scenarios[id], configuration, environment, "baseline")
            found = evidence(pool, member, pairs)
            verdicts.append(sign(found, default_limit("cpu-1"), ALPHA))
            change, low, high = (
                f"{100 * x:+.2f} %" for x in (found.theta, found.bound(0.025), found.bound(0.975))
            )
            verdict = verdicts[-1] or "no difference"
            print(f"{id}: with traces {change} ({low} to {high}), {pairs} pairs: {verdict}")
    finally:
        pool.close()
    return not any(verdicts)


def evidence(pool: Pool, member: Member, pairs: int) -> Evidence:
    """What pairs of launches say of the log ratio of traced to untraced step times."""
    values = []
    for index in range(pairs):
        first, second = index % 2 > 0, index % 2 < 1
        before, after = step_ns(pool, member, first, index), step_ns(pool, member, second, index)
        values.append(math.log(after / before) * (1 if second else -1))
    found = Evidence.of(values, [index % 2 for index in range(pairs)])
    assert found is not None, "two pairs at least"
    return found


def step_ns(pool: Pool, member: Member, traced: bool, index: int) -> float:
    """Median time of a step in a launch that is traced afterwards, or is not, ns."""
    id = member.scenario.id
    profile = Case(id, id, "cpu-1", "quiet", 0.5, 20, 1).profile()
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder) if traced else None
        launch = run_launch(pool, id, [member], index, profile, 0, traces)[0]
        if launch.outcome != "ok" or traced != any(Path(folder).rglob("*.xplane.pb")):
            raise SystemExit(f"{id}: {launch.outcome} {launch.reason or 'without its trace'}")
    return median(turn.step_ns for turn in launch.turns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=12)
    parser.add_argument("--cache", default=os.environ.get("TFBENCH_CACHE", ""))
    options = parser.parse_args()
    sys.exit(not main(options.pairs, options.cache))
