"""The settings of `[tool.tfbench.guard]`."""

from __future__ import annotations

from typing import Any

import pytest

from bench.guard.rule import limits
from bench.guard.rule.decide import Limit
from bench.results import quantities
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


def test_a_measured_allowance_is_by_kind_of_path() -> None:
    found = limits.load({"allowance": {"infer": 0.01}})
    given = {kind: found.timed("latency", "x", "cpu-1", kind) for kind in limits.ALLOWANCES}
    assert given["infer"] == Limit(0.02, 0.01, 0.01)
    assert given["infer-runtime"] == Limit(0.02, 0.01, limits.ALLOWANCE)
    for kind, limit in given.items():
        assert limit is not None
        assert limit.allowance == (0.01 if kind == "infer" else limits.ALLOWANCE)
    everywhere = limits.load({"allowance": 0.004})
    assert set(everywhere.allowances.values()) == {0.004}


def test_a_limit_within_the_allowance_says_so() -> None:
    found = limits.load({"allowance": {"train": 0.03}})
    with pytest.raises(UsageError, match=r"within the allowance of train, 3\.00%"):
        found.timed("latency", "train/function", "cpu-1", "train")


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
        {"allowance": {"litert": 0.01}},
        {"allowance": {"infer": "1 %"}},
        {"scenarios": []},
        {"scenarios": {"infer/*": 3}},
        {"noisy": "cpu-all"},
        {"noisy": [3]},
        {"budget": True},
    ],
)
def test_mistakes_are_named(table: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        limits.load(table)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600)])
def test_times(text: str, seconds: float) -> None:
    assert quantities.seconds(text) == seconds
