"""The work as a pytest-benchmark test; run by `rivals`, not collected otherwise."""

from typing import Any

from research.precision.work import step


def test_step(benchmark: Any) -> None:
    """One answer."""
    benchmark(step())
