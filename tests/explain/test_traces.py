"""Traces as tables, and two of them compared; events swept by hand-made intervals."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.explain import events, traces
from bench.results.errors import StoreError, UsageError
from tfbench.command import trace as command


def facts(**self_us: float) -> dict[str, object]:
    return {
        "steps": 10,
        "step_ms": 2.0,
        "shares": {"compute": 0.75, "python": 0.25},
        "device_share": None,
        "operations": [
            {"name": f"model/{kind}", "kind": kind, "place": "host", "count": 20, "self_us": us}
            for kind, us in self_us.items()
        ],
        "pipeline": {},
        "memory": {
            "allocator": "cpu",
            "peak_bytes": 2**20,
            "holders": [{"name": "model/Conv2D", "bytes": 2**19, "shape": "float[1,2]"}],
        },
    }


def test_shares_of_self_time() -> None:
    trace = traces.from_facts("a@cpu-1", facts(Relu=100.0, Conv2D=300.0))
    assert [o.kind for o in trace.operations] == ["Conv2D", "Relu"]
    assert [o.share for o in trace.operations] == [0.75, 0.25]
    assert trace.per_step_us(trace.operations[0]) == 30.0


def test_what_got_faster_slower_new_and_gone() -> None:
    before = traces.from_facts("a@x", facts(Conv2D=300.0, Relu=100.0, MatMul=50.0, Add=10.0))
    after = traces.from_facts("b@x", facts(Conv2D=100.0, Relu=150.0, Cast=40.0, Add=10.0))
    found = {c.kind: c.verdict for c in traces.difference(before, after)}
    assert found == {
        "Conv2D": "faster", "Relu": "slower", "MatMul": "gone", "Cast": "new", "Add": "same",
    }  # fmt: skip
    assert traces.difference(before, after)[0].kind == "Conv2D"


def test_a_moment_counts_once_and_by_rank() -> None:
    seen = events.Events(steps=[(0, 100)])
    seen.spans["memory"] = [(0, 40), (10, 30)]
    seen.spans["compute"] = [(20, 50)]
    seen.spans["input"] = [(40, 80)]
    shares = events.shares(seen)
    assert shares == {
        "communication": 0.0, "compute": 0.3, "memory": 0.2, "input": 0.3, "python": 0.2,
    }  # fmt: skip


def test_time_outside_the_steps_does_not_count() -> None:
    seen = events.Events(steps=[(0, 10), (90, 100)])
    seen.spans["compute"] = [(5, 95)]
    assert events.shares(seen)["compute"] == pytest.approx(0.5)


def test_no_operations_no_shares() -> None:
    assert events.shares(events.Events(steps=[(0, 10)])) == {}


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("_MklNativeConv2DBackpropFilter", "compute"), ("BatchMatMulV2", "compute"),
        ("dot_add_fusion", "compute"), ("convolution", "compute"), ("AddV2", "memory"),
        ("CollectiveReduceV2", "communication"), ("ncclDevKernel_AllReduce", "communication"),
        ("FusedBatchNormV3", "memory"),
    ],
)  # fmt: skip
def test_states_of_kinds(kind: str, state: str) -> None:
    assert events.state_of(kind) == state


def test_a_huge_trace_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a@x/plugins/profile/steps/x.xplane.pb"
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        out.truncate(traces.MOST_BYTES + 1)
    with pytest.raises(UsageError, match="2 GB of memory: trace fewer steps"):
        traces.read(file)


def test_a_damaged_trace_is_an_error_of_ours(tmp_path: Path) -> None:
    file = tmp_path / "a@x/plugins/profile/steps/x.xplane.pb"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff\xff not a trace")
    with pytest.raises(StoreError, match="cannot be converted"):
        traces.read(file)


def test_traces_are_converted_by_several_processes_and_told_in_order(tmp_path: Path) -> None:
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for name, planes in (("a", 1), ("b", 400), ("c", 1), ("d", 200)):
        file = tmp_path / f"traces/{name}@x/plugins/profile/steps/{name}.xplane.pb"
        file.parent.mkdir(parents=True)
        space = xplane_pb2.XSpace(planes=[xplane_pb2.XPlane(name="/host:CPU")] * planes)
        file.write_bytes(space.SerializeToString())
    assert traces.top_operations(tmp_path) == {f"{name}@x": [] for name in "abcd"}
    (tmp_path / "traces/c@x/plugins/profile/steps/c.xplane.pb").write_bytes(b"\xff\xff no trace")
    with pytest.raises(StoreError, match=r"c\.xplane\.pb cannot be converted"):
        traces.top_operations(tmp_path)


def test_finding_a_trace_names_what_is_there(tmp_path: Path) -> None:
    for label in ("train-x@cpu-1", "train-x@cpu-all"):
        folder = tmp_path / "traces" / label / "plugins/profile/steps"
        folder.mkdir(parents=True)
        (folder / f"{label}.xplane.pb").touch()
    assert traces.find(tmp_path, "train/x", "cpu-1").parents[3].name == "train-x@cpu-1"
    with pytest.raises(UsageError, match="--configuration"):
        traces.find(tmp_path, "train/x")
    with pytest.raises(UsageError, match="train-x@cpu-1, train-x@cpu-all"):
        traces.find(tmp_path, "train/y")


def test_tables_print(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    out = Console(width=140)
    before = traces.from_facts("a@x", facts(Conv2D=300.0), ["tracing costs something"])
    for part in command.one(before, top=5):
        out.print(part)
    for part in command.two(before, traces.from_facts("b@x", facts(Cast=1.0)), top=5):
        out.print(part)
    text = capsys.readouterr().out
    for words in ("75.0 %", "30.0 µs", "1.0 MiB", "warning: tracing costs", "gone", "new"):
        assert words in text


def test_a_run_without_traces_has_no_operations(tmp_path: Path) -> None:
    assert traces.top_operations(tmp_path) == {}
