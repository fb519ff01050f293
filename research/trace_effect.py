"""Does recording a trace change the timings? Decided by the guard's own rule.

    python -m research.trace_effect [PAIRS] [--cache FOLDER]

Launches with and without the trace pass alternate, in both orders. In each a member that is never
traced takes turns with the one that is, so that the machine's drift cancels; a pair's value is what
the log ratio of the two changes by when one is traced.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.guard.rule.decide import ALPHA, sign
from bench.guard.rule.evidence import Evidence
from bench.results.effects import launch_effect
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.groups import run_launch
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.settings import find_configuration
from research.precision.cases import Case
from research.precision.decisions import default_limit

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
            start = pool.starting(environment)
            never = Member(scenarios[id], configuration, start, "control-same")
            found = evidence([never, dataclasses.replace(never, role="candidate")], pairs)
            verdicts.append(sign(found, default_limit("cpu-1"), ALPHA))
            change, low, high = (
                f"{100 * x:+.2f} %" for x in (found.theta, found.bound(0.025), found.bound(0.975))
            )
            verdict = verdicts[-1] or "no difference"
            print(
                f"{id}: with traces {change} ({low} to {high}), {pairs} pairs: {verdict}",
                flush=True,
            )
    finally:
        pool.close()
    return not any(verdicts)


def evidence(members: Sequence[Member], pairs: int) -> Evidence:
    """What pairs of launches say of the log ratio of traced to untraced step times."""
    values = []
    for index in range(pairs):
        first, second = index % 2 > 0, index % 2 < 1
        before, after = (effect(members, traced, index) for traced in (first, second))
        values.append((after - before) * (1 if second else -1))
    found = Evidence.of(values, [index % 2 for index in range(pairs)])
    assert found is not None, "two pairs at least"
    return found


def effect(members: Sequence[Member], traced: bool, index: int) -> float:
    """Log ratio of the second member's step time to the first's in a launch, traced or not."""
    id = members[0].scenario.id
    profile = Case(id, id, "cpu-1", "quiet", 0.5, 20, 1).profile()
    with tempfile.TemporaryDirectory() as folder:
        traces = Path(folder) if traced else None
        launches = run_launch(id, members, index, profile, 0, traces)
        found = launch_effect(*launches)
        if found is None or traced != any(Path(folder).rglob("*.xplane.pb")):
            raise SystemExit(f"{id}: {launches[0].reason or launches[1].reason or 'no trace'}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=int, nargs="?", default=12)
    parser.add_argument("--cache", default=os.environ.get("TFBENCH_CACHE", ""))
    options = parser.parse_args()
    sys.exit(not main(options.pairs, options.cache))
