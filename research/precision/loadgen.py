"""Absolute latency: tfbench's median against MLPerf loadgen's p50, alternating in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.results.errors import TfbenchError
from bench.results.histogram import histogram_quantile
from bench.results.values import Configuration, Scenario, WorkloadSpec, to_json
from bench.sweep.discovery import ROOT, discover
from bench.sweep.settings import find_configuration
from research.precision.records import Records

SCENARIOS = ("infer/litert-float32", "infer/function", "infer/function-b32", "infer/eager")
ALTERNATIONS = 90
PART_MS = 40
"""Each tool's part of an alternation: in longer ones the machine's speed changes more. In parts of
0.2 s on a noisy one the median of 18 ratios had a standard error of 2 to 7 %."""
ROUNDS = 4


class Absolute:
    """Alternates tfbench's turns with loadgen's SingleStream tests on the same built path.

    In one process, for processes differ by more than the two tools do.

    Args:
        records: Where both medians of each alternation go.
        cache: Folder of trained models.
    """

    def __init__(self, records: Records, cache: str) -> None:
        self.records = records
        self.spec = WorkloadSpec(cache=cache)
        self._done = len({(r["round"]) for r in records})

    def share(self) -> float:
        """Share of its rounds that is done."""
        return self._done / ROUNDS

    def round(self) -> None:
        """A fresh process for each scenario.

        Raises:
            TfbenchError: A process failed, or loadgen is not installed.
        """
        found: Mapping[str, Scenario] = discover()
        configuration = find_configuration("cpu-1", {})
        for name in SCENARIOS:
            if name in found:
                for number, answer in enumerate(self._alternate(found[name], configuration)):
                    self.records.append(
                        {"round": self._done, "scenario": name, "number": number} | answer
                    )
        self._done += 1

    def _alternate(self, scenario: Scenario, configuration: Configuration) -> list[dict[str, Any]]:
        request = {"scenario": to_json(scenario), "configuration": to_json(configuration),
                   "workload": to_json(self.spec)}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", __name__, json.dumps(request)], cwd=ROOT, text=True,
            capture_output=True,
        )  # fmt: skip
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise TfbenchError(
                f"the loadgen process ended: {''.join(last)}; is mlcommons-loadgen installed? "
                "python -m pip install mlcommons-loadgen"
            )
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


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
                answer["mean_ns"] = launch.turn(steps)["elapsed_ns"] / steps
                answer["median_ns"] = histogram_quantile(launch.timer.histogram, 0.5)
            else:
                times: list[int] = []
                answer["loadgen_ns"] = stream(steps, times=times)
                answer["inside_ns"] = median(times)
        print(json.dumps(answer | {"samples": steps}), flush=True)


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

    settings = lg.TestSettings()
    settings.scenario = lg.TestScenario.SingleStream
    settings.mode = lg.TestMode.PerformanceOnly
    settings.min_duration_ms = 1  # or there would be more queries than are asked for
    settings.min_query_count = queries
    with tempfile.TemporaryDirectory() as folder:
        output = lg.LogOutputSettings()
        output.outdir = folder
        output.copy_summary_to_stdout = False
        log = lg.LogSettings()
        log.log_output = output
        log.enable_trace = False
        sut = lg.ConstructSUT(issue, lambda: None)
        qsl = lg.ConstructQSL(16, 16, load, lambda _: None)
        os.sched_setaffinity(0, cores)
        lg.StartTestWithLogSettings(sut, qsl, settings, log)
        lg.DestroyQSL(qsl)
        lg.DestroySUT(sut)
        text = (Path(folder) / "mlperf_log_summary.txt").read_text()
    return p50(text)


def p50(summary: str) -> float:
    """The 50th percentile of a loadgen summary, ns.

    Raises:
        ValueError: It holds none.
    """
    for line in summary.splitlines():
        if line.strip().startswith("50.00 percentile latency (ns)"):
            return float(line.rpartition(":")[2])
    raise ValueError("loadgen's summary holds no 50.00 percentile latency")


if __name__ == "__main__":
    alternate(json.loads(sys.argv[1]))
