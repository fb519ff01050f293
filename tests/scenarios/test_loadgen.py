"""Driving a model by loadgen: every example is answered, in the asked-for batches."""

import threading

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("scenario", "batch"), [("SingleStream", 1), ("MultiStream", 8), ("Offline", 32), ("Server", 1)]
)
def test_each_scenario_runs_and_says_what_it_measured(scenario, batch):
    pytest.importorskip("mlperf_loadgen")
    pytest.importorskip("tensorflow")
    from scenarios.serve.loadgen import Load

    sizes = []
    pause = threading.Event()

    def infer(x):
        sizes.append(len(x))
        pause.wait(0.0002)

    examples = [np.full((1, 2), i, np.float32) for i in range(16)]
    load = Load(infer, examples, scenario, batch)
    load.run()
    assert set(sizes) == {batch}
    proof = load.proof()
    assert "Result is" in proof
    assert any("percentile latency" in name for name in proof)
    figures = load.figures()
    assert 0 < figures["p50_ns"] <= figures["p90_ns"] <= figures["p99_ns"]
    assert figures["valid"] in (0, 1)
    assert ("answers_per_s" in figures) == (scenario != "MultiStream")
    assert ("bound_ns" in figures) == (scenario == "Server")


def test_proof_refuses_another_scenario():
    pytest.importorskip("tensorflow")
    from bench.results.errors import NotEngaged
    from scenarios.serve.loadgen import Load

    load = Load(lambda x: x, [], "Server", summary={"Scenario": "Offline"})
    with pytest.raises(NotEngaged):
        load.proof()


def test_summary_reads_names_and_values():
    pytest.importorskip("tensorflow")
    from scenarios.serve.loadgen import summary

    text = "Scenario : Server\nResult is : VALID\n * Early stopping estimate: 7\n=====\n"
    assert summary(text) == {
        "Scenario": "Server", "Result is": "VALID", "Early stopping estimate": "7",
    }  # fmt: skip
