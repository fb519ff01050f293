"""Absolute latency: tfbench's median against MLPerf loadgen's p50, alternating in one run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.results.errors import TfbenchError
from bench.results.statistics import histogram_quantile
from bench.results.values import Configuration, Scenario, WorkloadSpec, to_json
from bench.sweep.discovery import ROOT, discover
from bench.sweep.preloaded import Environment, Pool
from bench.sweep.settings import find_configuration
from benchmarks.precision.records import Records

SCENARIOS = ("infer/litert-float32", "infer/function", "infer/eager")
ALTERNATIONS = 8
PART_MS = 600
"""Each tool's part of an alternation."""
ROUNDS = 8
NULL = "nothing"
"""A system under test that answers at once: what loadgen's own callbacks cost."""


class Absolute:
    """Alternates tfbench's turns with loadgen's SingleStream tests, both processes alive.

    Args:
        records: Where both medians of each alternation go.
        cache: Folder of trained models.
    """

    def __init__(self, records: Records, cache: str) -> None:
        self.records = records
        self.spec = WorkloadSpec(cache=cache)
        self._pool: Pool | None = None
        self._done = len({(r["round"]) for r in records})

    def share(self) -> float:
        """Share of its rounds that is done."""
        return self._done / ROUNDS

    def round(self) -> None:
        """One fresh process of each tool for each scenario.

        Raises:
            TfbenchError: A process failed, or loadgen is not installed.
        """
        found: Mapping[str, Scenario] = discover()
        configuration = find_configuration("cpu-1", {})
        for name in SCENARIOS:
            if name in found:
                self._alternate(found[name], configuration)
        self._done += 1

    def close(self) -> None:
        """End the preloaded process."""
        if self._pool is not None:
            self._pool.close()

    def _alternate(self, scenario: Scenario, configuration: Configuration) -> None:
        self._pool = self._pool or Pool(self.spec, 8 << 30)
        environment = Environment.of(scenario, configuration, "", ROOT)
        launch = self._pool.launch(environment, scenario, configuration)
        peer = Peer(scenario, configuration, self.spec)
        try:
            launch.call("build", 300)
            warm = launch.call("warm", 300, turn_ns=20_000_000, cap_ns=1_000_000_000)
            steps = max(20, round(PART_MS * 1e6 / warm["step_ns"]))
            before: Counter[str] = Counter()
            for number in range(ALTERNATIONS):
                own = launch.call("turn", 300, steps=steps)["elapsed_ns"] / steps
                theirs = peer.test(PART_MS, max(20, steps))
                total = Counter(launch.call("done", 60)["histogram"])
                histogram, before = total - before, total
                self.records.append({
                    "round": self._done, "scenario": scenario.id, "number": number,
                    "mean_ns": own, "loadgen_ns": theirs["p50"], "null_ns": theirs["null"],
                    "samples": steps, "median_ns": histogram_quantile(histogram, 0.5),
                })  # fmt: skip
        finally:
            launch.close()
            peer.close()


class Peer:
    """A process that runs loadgen's SingleStream on the scenario's own path when told to."""

    def __init__(
        self, scenario: Scenario, configuration: Configuration, spec: WorkloadSpec
    ) -> None:
        request = {"scenario": to_json(scenario), "configuration": to_json(configuration),
                   "workload": to_json(spec)}  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, json.dumps(request)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def test(self, milliseconds: int, queries: int) -> dict[str, float]:
        """p50 of one test, ns, and that of a system that does nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{milliseconds} {queries}\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):
                answer: dict[str, float] = json.loads(line)
                return answer
        raise TfbenchError(
            "the loadgen process ended: is mlcommons-loadgen installed? "
            "python -m pip install mlcommons-loadgen"
        )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def serve(request: dict[str, Any]) -> None:
    """Be the peer: build the path as a launch does, then answer each line with one test."""
    from bench.launch.worker import LaunchProcess

    launch = LaunchProcess(request)
    launch.build()
    launch.warm(turn_ns=20_000_000, cap_ns=1_000_000_000)
    for line in sys.stdin:
        milliseconds, queries = map(int, line.split())
        answer = {
            "p50": single_stream(launch.path.advance, milliseconds, queries),
            "null": single_stream(lambda: None, 20, 1000),
        }
        print(json.dumps(answer), flush=True)


def single_stream(advance: Any, milliseconds: int, queries: int) -> float:
    """p50 latency, ns, of loadgen's SingleStream in performance mode, from its own summary."""
    import mlperf_loadgen as lg

    from bench.launch.turns import finish

    def issue(samples: Any) -> None:
        for sample in samples:
            finish(advance())
            lg.QuerySamplesComplete([lg.QuerySampleResponse(sample.id, 0, 0)])

    settings = lg.TestSettings()
    settings.scenario = lg.TestScenario.SingleStream
    settings.mode = lg.TestMode.PerformanceOnly
    settings.min_duration_ms = milliseconds
    settings.min_query_count = queries
    with tempfile.TemporaryDirectory() as folder:
        output = lg.LogOutputSettings()
        output.outdir = folder
        output.copy_summary_to_stdout = False
        log = lg.LogSettings()
        log.log_output = output
        log.enable_trace = False
        sut = lg.ConstructSUT(issue, lambda: None)
        qsl = lg.ConstructQSL(16, 16, lambda _: None, lambda _: None)
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
    serve(json.loads(sys.argv[1]))
