"""Absolute latency: tfbench's median beside MLPerf loadgen's p50, of the same built path.

    python -m research.absolute --out runs/precision

Both tools take turns in one process, for processes differ by more than the two tools do.
`nox -s precision -- --report` shows what was found in the same folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.results.as_json import to_json
from bench.results.errors import TfbenchError
from bench.results.histogram import histogram_quantile
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.environment import fingerprint
from bench.sweep.settings import find_configuration
from research.precision.records import Records

SCENARIOS = ("infer/litert-float32", "infer/function", "infer/function-b32", "infer/eager")
ALTERNATIONS = 90
PART_MS = 40
"""Each tool's part of an alternation: in longer ones the machine's speed changes more."""
ROUNDS = 4
MODULE = "research.absolute"


def measure(records: Records, cache: str) -> None:
    """Each round a fresh process for each scenario; goes on after the rounds that are recorded.

    Raises:
        TfbenchError: A process failed, or loadgen is not installed.
    """
    known, done = discover(), len({record["round"] for record in records})
    for number, name in itertools.product(range(done, ROUNDS), SCENARIOS):
        request = {"scenario": to_json(known[name]), "workload": to_json(WorkloadSpec(cache=cache)),
                   "configuration": to_json(find_configuration("cpu-1", {}))}  # fmt: skip
        command = [sys.executable, "-m", MODULE, json.dumps(request)]
        ended = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
        if ended.returncode:
            last = "".join(ended.stderr.strip().splitlines()[-1:])
            raise TfbenchError(f"loadgen's process ended: {last}; is mlcommons-loadgen installed?")
        answers = [json.loads(line) for line in ended.stdout.splitlines() if line[:1] == "{"]
        records.append(*({"round": number, "scenario": name} | answer for answer in answers))
        print(f"round {number + 1} of {ROUNDS}: {name}", flush=True)


def reached(records: Iterable[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """By scenario, shares: tfbench's median step ÷ loadgen's p50 - 1; what its binding adds."""
    ratios: dict[str, list[tuple[float, float]]] = {}
    for r in records:
        pair = r["median_ns"] / r["loadgen_ns"] - 1, r["loadgen_ns"] / r["inside_ns"] - 1
        ratios.setdefault(r["scenario"], []).append(pair)
    return {name: (median(off for off, _ in pairs), median(added for _, added in pairs))
            for name, pairs in ratios.items()}  # fmt: skip


def alternate(request: dict[str, Any]) -> None:
    """Build the path as a launch does; let both tools time it in turn, either one first."""
    from bench.launch.worker import LaunchProcess

    cores = os.sched_getaffinity(0)
    launch = LaunchProcess(request)
    launch.build()
    warm = launch.warm(turn_ns=20_000_000, cap_ns=1_000_000_000)
    # Of an even number loadgen takes the upper of the two middle ones, a median either or both.
    steps = max(3, round(PART_MS * 1e6 / warm["step_ns"]) | 1)
    lead_in = partial(launch.timer.lead_in, steps)
    stream = partial(single_stream, launch.path.advance, lead_in=lead_in, cores=cores)
    stream(21, times=[])  # loadgen is warm too
    for number in range(ALTERNATIONS):
        answer: dict[str, Any] = {}
        for tool in ("tfbench", "loadgen") if number % 2 else ("loadgen", "tfbench"):
            if tool == "tfbench":
                launch.timer.histogram.clear()
                launch.turn(steps)
                answer["median_ns"] = histogram_quantile(launch.timer.histogram, 0.5)
            else:
                times: list[int] = []
                answer["loadgen_ns"] = stream(steps, times=times)
                answer["inside_ns"] = median(times)
        print(json.dumps(answer), flush=True)


def single_stream(
    advance: Any,
    queries: int,
    times: list[int],
    lead_in: Callable[[], None],
    cores: Collection[int],
) -> float:
    """p50 latency, ns, of loadgen's SingleStream in performance mode, from its own summary.

    Args:
        advance: Makes a step.
        queries: Number of queries.
        times: Gets each query's step as tfbench's clock times it, ns, without loadgen's callbacks.
        lead_in: Makes untimed steps, as before a turn; called where samples are loaded.
        cores: Where the thread that writes loadgen's log may run; steps stay where they are.
    """
    import mlperf_loadgen as lg

    from bench.launch.devices import finish

    own = os.sched_getaffinity(0)
    # Whatever the callback does beside the step counts as latency: nothing is looked up or made.
    clock, complete, keep = time.perf_counter_ns, lg.QuerySamplesComplete, times.append
    response = lg.QuerySampleResponse(0, 0, 0)
    responses = [response]

    def load(_: Any) -> None:
        os.sched_setaffinity(0, own)  # the log's thread has been started by now
        lead_in()

    def issue(samples: Any) -> None:
        response.id = samples[0].id  # a query of this scenario is one sample
        began = clock()
        finish(advance())
        ended = clock()
        complete(responses)
        keep(ended - began)

    settings, log = lg.TestSettings(), lg.LogSettings()
    settings.scenario, settings.mode = lg.TestScenario.SingleStream, lg.TestMode.PerformanceOnly
    settings.min_duration_ms = 1  # or there would be more queries than are asked for
    settings.min_query_count = queries
    log.enable_trace = False
    system, library = (
        lg.ConstructSUT(issue, lambda: None),
        lg.ConstructQSL(16, 16, load, lambda _: None),
    )
    with tempfile.TemporaryDirectory() as folder:
        log.log_output.outdir = folder
        os.sched_setaffinity(0, cores)
        lg.StartTestWithLogSettings(system, library, settings, log)
        summary = (Path(folder) / "mlperf_log_summary.txt").read_text()
    lg.DestroyQSL(library)
    lg.DestroySUT(system)
    return p50(summary)


def p50(summary: str) -> float:
    """The 50th percentile of a loadgen summary, ns; raises ValueError where it holds none."""
    for line in summary.splitlines():
        if line.strip().startswith("50.00 percentile latency (ns)"):
            return float(line.rpartition(":")[2])
    raise ValueError("loadgen's summary holds no 50.00 percentile latency")


def main() -> None:
    """Measure; or be the process that does, which gets its request as the only argument."""
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        alternate(json.loads(sys.argv[1]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/precision"))
    parser.add_argument("--cache", default=os.environ.get("TFBENCH_CACHE", ""))
    options = parser.parse_args()
    stamp = {"session": time.time(), "cpu": fingerprint()["cpu"]}
    try:
        measure(Records(options.out / "absolute.jsonl", stamp), options.cache)
    except TfbenchError as error:
        sys.exit(f"absolute: {error}")


if __name__ == "__main__":
    main()
