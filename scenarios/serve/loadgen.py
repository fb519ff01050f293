"""The trained model in LiteRT under load, by MLPerf's load generator and its four scenarios."""

from pathlib import Path

import tensorflow as tf

from scenarios.core import JobPath, Workload, scenario
from scenarios.core.litert import litert_path
from scenarios.core.loadgen import STREAMS, Load


@scenario(needs=("package:mlperf_loadgen", "package:ai_edge_litert"), unit="job", suite="full")
def single_stream(workload: Workload) -> JobPath:
    """One query after another: latency of a single client."""
    return _loaded(workload, "SingleStream")


@scenario(needs=("package:mlperf_loadgen", "package:ai_edge_litert"), unit="job", suite="full")
def multi_stream(workload: Workload) -> JobPath:
    """Queries of eight examples, answered as one batch."""
    return _loaded(workload, "MultiStream", batch=STREAMS)


@scenario(needs=("package:mlperf_loadgen", "package:ai_edge_litert"), unit="job", suite="full")
def offline(workload: Workload) -> JobPath:
    """All examples at once, in batches of 32: the highest throughput."""
    return _loaded(workload, "Offline", batch=32)


@scenario(needs=("package:mlperf_loadgen", "package:ai_edge_litert"), unit="job", suite="full")
def server(workload: Workload) -> JobPath:
    """Poisson arrivals at half the single-stream rate, under a bound of the 99th percentile."""
    return _loaded(workload, "Server")


def _loaded(workload: Workload, name: str, batch: int = 1) -> JobPath:
    def convert(path: Path) -> None:
        converter = tf.lite.TFLiteConverter.from_keras_model(workload.trained_model())
        path.write_bytes(converter.convert())

    path = litert_path(workload, workload.artifact("served.tflite", convert), batch)
    load = Load(path.infer, workload.inputs(batch=1, count=64), name, batch)
    return JobPath(load.run, predict=path.predict, proof=load.proof, figures=load.figures)
