"""The work as a benchmatrix matrix of one cell; run by `rivals`, not collected otherwise."""

from benchmatrix import BenchmarkCase, make_benchmark_test

from research.precision.work import step

answer = step()
test_step = make_benchmark_test(
    {"litert": lambda _: answer()},
    [BenchmarkCase.from_values("one", [0], work_units=1, work_unit_name="answers")],
    metrics=("single_call_latency",),
)
