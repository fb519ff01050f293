"""The settings of `[tool.tfbench.guard]`."""

from __future__ import annotations

from typing import Any

import pytest

from bench.guard.rule import limits
from bench.results.errors import UsageError


def test_defaults_and_overrides() -> None:
    table: dict[str, Any] = {
        "budget": "5m",
        "latency": 0.03,
        "size": False,
        "scenarios": {"infer/*": {"latency": 0.1}, "infer/xla": {"latency": 0.05}},
    }
    found = limits.load(table)
    assert found.budget_s == 300
    assert found.margin("latency", "train/eager", "cpu-1") == 0.03
    assert found.margin("latency", "train/eager", "cpu-all") == limits.NOISY_LATENCY
    assert found.margin("latency", "infer/function", "cpu-1") == 0.1
    assert found.margin("latency", "infer/xla", "cpu-1") == 0.05
    assert found.margin("size", "infer/xla", "cpu-1") is None
    timed = found.timed("latency", "train/eager", "cpu-1")
    assert timed is not None
    assert timed.floor == 0.015


@pytest.mark.parametrize(
    "table",
    [
        {"latncy": 0.1},
        {"latency": "2 %"},
        {"latency": True},
        {"latency": 0},
        {"latency": -0.1},
        {"budget": "soon"},
        {"scenarios": {"infer/*": {"speed": 1}}},
    ],
)
def test_mistakes_are_named(table: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        limits.load(table)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600)])
def test_times(text: str, seconds: float) -> None:
    assert limits.seconds(text) == seconds
