"""The trained model in LiteRT under load, by MLPerf's load generator and its four scenarios."""

import queue
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.results.errors import NotEngaged
from scenarios.core import JobPath, Workload, scenario
from scenarios.core.lookup import behind
from scenarios.infer.tools.converting import converted
from scenarios.infer.tools.litert import finished, litert_path

LEAST_QUERIES = 1024  # loadgen needs 662 or more to be sure of a 99th percentile
STREAMS = 8  # samples a query in MultiStream
PROBE_QUERIES = 128
SERVER_LOAD = 0.5  # share of the model's single-stream rate at which queries arrive
OFFLINE_SECONDS = 2
RATES = ("Completed samples per second", "Samples per second", "QPS w/o loadgen overhead")
LATENCY_BOUND = 10  # times the single-stream latency: what a server may take at the 99th percentile


@scenario(
    needs=("model:litert", "package:mlperf_loadgen", "package:ai_edge_litert"),
    unit="job",
    suite="full",
)
def single_stream(workload: Workload) -> JobPath:
    """One query after another: latency of a single client."""
    return _loaded(workload, "SingleStream")


@scenario(
    needs=("model:litert", "package:mlperf_loadgen", "package:ai_edge_litert"),
    unit="job",
    suite="full",
)
def multi_stream(workload: Workload) -> JobPath:
    """Queries of eight examples, answered as one batch."""
    return _loaded(workload, "MultiStream", batch=STREAMS)


@scenario(
    needs=("model:litert", "package:mlperf_loadgen", "package:ai_edge_litert"),
    unit="job",
    suite="full",
)
def offline(workload: Workload) -> JobPath:
    """All examples at once, in batches of 32: the highest throughput."""
    return _loaded(workload, "Offline", batch=32)


@scenario(
    needs=("model:litert", "package:mlperf_loadgen", "package:ai_edge_litert"),
    unit="job",
    suite="full",
)
def server(workload: Workload) -> JobPath:
    """Poisson arrivals at half the single-stream rate, under a bound of the 99th percentile."""
    return _loaded(workload, "Server")


def _loaded(workload: Workload, name: str, batch: int = 1) -> JobPath:
    workload = behind(workload)
    file = finished(workload) or converted(workload, "served", batch=batch)
    path = litert_path(workload, file, batch=batch)
    load = Load(path.infer, workload.inputs(batch=1, count=64), name, batch)
    return JobPath(load.run, predict=path.predict, proof=load.proof, figures=load.figures)


@dataclass
class Load:
    """One of loadgen's scenarios on a model that answers `batch` examples at a time.

    Attributes:
        infer: Class scores of inputs [batch, H, W, C].
        examples: Single examples [1, H, W, C] to draw from; they are put together here.
        scenario: `SingleStream`, `MultiStream`, `Offline` or `Server`.
        batch: Examples a call.
        summary: What loadgen said of the last run, by its own names.
    """

    infer: Callable[[np.ndarray], Any]
    examples: Sequence[np.ndarray]
    scenario: str
    batch: int = 1
    summary: dict[str, str] = field(default_factory=dict)
    single_call_ns: float = 0.0

    def run(self) -> dict[str, str]:
        """Run the scenario to its end; the summary."""
        if not self.single_call_ns:
            probe = Load(self.infer, self.examples, "SingleStream", self.batch)
            facts = probe._drive(PROBE_QUERIES)
            self.single_call_ns = float(facts["50.00 percentile latency (ns)"])
        self.summary = self._drive(LEAST_QUERIES)
        return self.summary

    def proof(self) -> dict[str, Any]:
        """What loadgen measured, in its own words.

        Raises:
            NotEngaged: It did not run this scenario.
        """
        if self.summary.get("Scenario") != self.scenario:
            raise NotEngaged(f"loadgen ran {self.summary.get('Scenario')}, not {self.scenario}")
        wanted = ("percentile latency", "per second", "QPS", "Result is", "target_")
        return {k: v for k, v in self.summary.items() if any(word in k for word in wanted)}

    def figures(self) -> dict[str, float]:
        """What loadgen measured in the last run.

        Returns:
            `p50_ns`, `p90_ns` and `p99_ns`, the latencies of queries; `valid`, 1 where loadgen
            accepts the run, else 0; where the scenario has them `answers_per_s`, `offered_per_s`
            and `bound_ns`, what the 99th percentile may reach.
        """
        found = {f"p{q}_ns": float(self.summary[f"{q}.00 percentile latency (ns)"])
                 for q in (50, 90, 99)}  # fmt: skip
        found["valid"] = float(self.summary["Result is"] == "VALID")
        rate = next((name for name in RATES if name in self.summary), None)
        if rate:
            found["answers_per_s"] = float(self.summary[rate])
        if self.scenario == "Server":
            found["offered_per_s"] = float(self.summary["target_qps"])
            found["bound_ns"] = float(self.summary["target_latency (ns)"])
        return found

    def _drive(self, queries: int) -> dict[str, str]:
        import mlperf_loadgen as lg

        waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def answer() -> None:
            while (samples := waiting.get()) is not None:
                for start in range(0, len(samples), self.batch):
                    block = samples[start : start + self.batch]
                    filled = [*block, *[block[-1]] * (self.batch - len(block))]
                    inputs = [self.examples[s.index] for s in filled]
                    self.infer(inputs[0] if self.batch == 1 else np.concatenate(inputs))
                    lg.QuerySamplesComplete([lg.QuerySampleResponse(s.id, 0, 0) for s in block])

        worker = threading.Thread(target=answer)
        worker.start()
        system = lg.ConstructSUT(waiting.put, lambda: None)
        library = lg.ConstructQSL(
            len(self.examples), len(self.examples), lambda _: None, lambda _: None
        )
        try:
            with tempfile.TemporaryDirectory() as folder:
                log = lg.LogSettings()
                log.log_output.outdir = folder
                log.enable_trace = False
                lg.StartTestWithLogSettings(system, library, self._settings(lg, queries), log)
                return summary((Path(folder) / "mlperf_log_summary.txt").read_text())
        finally:
            waiting.put(None)
            worker.join()
            lg.DestroyQSL(library)
            lg.DestroySUT(system)

    def _settings(self, lg: Any, queries: int) -> Any:
        settings = lg.TestSettings()
        settings.scenario = getattr(lg.TestScenario, self.scenario)
        settings.mode = lg.TestMode.PerformanceOnly
        settings.min_duration_ms = 0
        settings.min_query_count = settings.max_query_count = queries
        if self.scenario == "MultiStream":
            settings.multi_stream_samples_per_query = STREAMS
        if self.scenario == "Offline":  # one query of so many samples
            settings.min_query_count = settings.max_query_count = 1
            settings.min_duration_ms = 1000
            settings.offline_expected_qps = OFFLINE_SECONDS * self.batch * 1e9 / self.single_call_ns
        if self.scenario == "Server":
            settings.server_target_qps = SERVER_LOAD * 1e9 / self.single_call_ns
            settings.server_target_latency_ns = round(LATENCY_BOUND * self.single_call_ns)
            settings.server_target_latency_percentile = 0.99
        return settings


def summary(text: str) -> dict[str, str]:
    """The `name : value` lines of loadgen's mlperf_log_summary.txt."""
    return dict(re.findall(r"^[ *]*([^:\n]+?)[ ]*:[ ]*(\S.*?)[ ]*$", text, flags=re.MULTILINE))
