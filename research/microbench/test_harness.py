"""pytest-benchmark on the harness's own hot paths: what runs between turns and for each launch."""

from __future__ import annotations

import json
import random
import socket
from typing import Any

from bench.guard.rule.evidence import Evidence
from bench.launch.timing.turns import Timer
from bench.results.as_json import from_json, to_json
from bench.results.effects import log_ratio
from bench.results.histogram import bucket, histogram_quantile
from bench.results.messages import Channel
from bench.results.statistics import over_launches
from bench.results.values import Launch, Turn
from bench.sweep.discovery import discover

RNG = random.Random(0)


def launch(index: int, role: Any) -> Launch:
    """A launch as large as those of a full run."""
    turns = tuple(Turn(i, i % 2, 20, RNG.randrange(9_000_000, 11_000_000)) for i in range(40))
    histogram = {str(b): 3 for b in range(7000, 7200)}
    return Launch(
        "infer/x", "cpu-1", "g", role, index=index, turns=turns, latency_histogram=histogram,
        start_order=index % 2, examples_per_step=1,
    )  # fmt: skip


def test_timer_of_an_empty_step(benchmark: Any) -> None:
    """Cost of the timing itself, 1000 single steps."""
    timer = Timer(lambda: None, lambda result: None, each=True)
    benchmark(timer.turn, 1000)


def test_message_there_and_back(benchmark: Any) -> None:
    """One turn's two messages."""
    one, other = socket.socketpair()
    ours, theirs = Channel(one.detach()), Channel(other.detach())

    def exchange() -> None:
        ours.send({"do": "turn", "steps": 20})
        theirs.receive()
        theirs.send({"elapsed_ns": 10_000_000, "retraced": 0})
        ours.receive()

    benchmark(exchange)


def test_bucket(benchmark: Any) -> None:
    """Where a single step's duration is counted."""
    benchmark(bucket, 123_456.0)


def test_quantile(benchmark: Any) -> None:
    """p99 of a histogram."""
    benchmark(histogram_quantile, launch(0, "baseline").latency_histogram, 0.99)


def test_effect_of_a_group(benchmark: Any) -> None:
    """From 24 launches of two members to an interval."""
    base = [launch(i, "baseline") for i in range(24)]
    own = [launch(i, "candidate") for i in range(24)]
    benchmark(log_ratio, base, own)


def test_interval(benchmark: Any) -> None:
    """A t-interval over 24 launches."""
    benchmark(over_launches, [RNG.gauss(0, 0.01) for _ in range(24)], [0, 1] * 12)


def test_guard_evidence(benchmark: Any) -> None:
    """The guard's trimmed estimate over 24 launches."""
    benchmark(Evidence.of, [RNG.gauss(0, 0.01) for _ in range(24)], [0, 1] * 12)


def test_launch_to_json_and_back(benchmark: Any) -> None:
    """Storing and reading one launch."""
    one = launch(0, "candidate")
    benchmark(lambda: from_json(Launch, json.loads(json.dumps(to_json(one)))))


def test_discovery(benchmark: Any) -> None:
    """Reading all scenarios' source."""
    benchmark(discover)
