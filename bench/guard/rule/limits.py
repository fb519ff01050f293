"""What counts as a regression: limits by metric and scenario, from `[tool.tfbench.guard]`."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.guard.rule.decide import Limit
from bench.results.errors import UsageError
from bench.results.quantities import seconds

DEFAULTS: dict[str, float] = {
    "latency": 0.02,
    "first_step": 0.20,
    "cpu_time": 0.02,
    "peak_memory": 0.05,
    "allocated": 0.05,
    "bytes_read": 0.02,
    "bytes_written": 0.02,
    "instructions": 0.02,
    "files": 0.0,
    "processes": 0.0,
    "size": 0.0,
    "operations": 0.0,
    "accuracy": 0.01,
    "training_accuracy": 0.05,
}
"""Shares; accuracies in points ÷ 100. Size and operations are exact, so that any growth counts."""
NOISY_LATENCY = 0.05
ALLOWANCE = 0.0025
"""Bias of a side that all of its launches share, so that more of them do not average it away: two
builds of the same code lie differently in memory. Unchanged suites showed no more of it."""
ALLOWANCES: Mapping[str, float] = {
    "infer": ALLOWANCE,  # by TensorFlow; not measured apart
    "infer-runtime": ALLOWANCE,  # by LiteRT, ONNX Runtime, OpenVINO, ...; not measured apart
    "train": ALLOWANCE,  # not measured apart
    "input": ALLOWANCE,  # not measured apart
    "serve": ALLOWANCE,  # not measured
    "call": ALLOWANCE,  # functions and tests of a user; not measured apart
    "command": ALLOWANCE,  # not measured
}
"""By kind of path, a share; the table `allowance` of the settings holds what was measured there."""
BUDGET_S = 600.0


@dataclass(frozen=True)
class Limits:
    """Limits by scenario and metric."""

    defaults: Mapping[str, float | None] = field(default_factory=lambda: dict(DEFAULTS))
    scenarios: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """By id or glob; the last match wins."""
    noisy: tuple[str, ...] = ("cpu-all",)
    """Configurations whose turns vary so much that 2 % would cost hours: latency 5 %."""
    allowances: Mapping[str, float] = field(default_factory=lambda: dict(ALLOWANCES))
    """By kind of path."""
    budget_s: float = BUDGET_S

    def margin(self, metric: str, scenario: str, configuration: str) -> float | None:
        """The change of a metric that matters, None where it is not guarded."""
        found = self.defaults.get(metric)
        timed = metric in ("latency", "cpu_time")
        if timed and found is not None and configuration in self.noisy:
            found = max(found, NOISY_LATENCY)
        for pattern, table in self.scenarios.items():
            named = scenario == pattern or fnmatch.fnmatchcase(scenario, pattern)
            if named and metric in table:  # a test's id may hold brackets
                found = table[metric]
        return found

    def timed(
        self, metric: str, scenario: str, configuration: str, path_kind: str = "infer"
    ) -> Limit | None:
        """The limit of a timed metric, None where it is not guarded.

        Raises:
            UsageError: The allowance leaves no room below the limit.
        """
        margin = self.margin(metric, scenario, configuration)
        if margin is None:
            return None
        allowance = self.allowances.get(path_kind, ALLOWANCE)
        if allowance >= margin:
            raise UsageError(
                f"the limit of {metric} of {scenario}, {margin:.2%}, is within the allowance of "
                f"{path_kind}, {allowance:.2%}, by which unchanged versions may differ: raise it"
            )
        return Limit.of(margin, allowance)


def load(table: Mapping[str, Any]) -> Limits:
    """Limits from the settings' table `guard`; `false` switches a metric off.

    Raises:
        UsageError: An unknown key, or a limit that is no share.
    """
    own = dict(table)
    scenarios = own.pop("scenarios", {})
    noisy = own.pop("noisy", Limits().noisy)
    budget = own.pop("budget", f"{BUDGET_S:.0f}s")
    _check_forms(scenarios, noisy, budget)
    allowances = _allowances(own.pop("allowance", {}))
    budget_s = seconds(str(budget))
    defaults = {**DEFAULTS, **_shares(own)}
    tables = {pattern: _shares(dict(values)) for pattern, values in scenarios.items()}
    return Limits(defaults, tables, tuple(noisy), allowances, budget_s)


def _check_forms(scenarios: Any, noisy: Any, budget: Any) -> None:
    """Raise UsageError where a setting that is no limit is of another form."""
    tables = isinstance(scenarios, Mapping) and all(
        isinstance(each, Mapping) for each in scenarios.values()
    )
    texts = isinstance(noisy, list | tuple) and all(isinstance(each, str) for each in noisy)
    time = isinstance(budget, str | int | float) and not isinstance(budget, bool)
    for key, value, fine, wanted in (
        ("scenarios", scenarios, tables, "tables of limits"),
        ("noisy", noisy, texts, "a list of configurations"),
        ("budget", budget, time, "a time"),
    ):
        if not fine:
            raise UsageError(f"setting guard.{key} = {value!r:.60} must be {wanted}")


def _allowances(given: Any) -> dict[str, float]:
    """By kind of path; one number is every kind's."""
    table = given if isinstance(given, Mapping) else dict.fromkeys(ALLOWANCES, given)
    for key in table:
        if key not in ALLOWANCES:
            raise UsageError(f"unknown allowance {key!r}: use {', '.join(ALLOWANCES)}")
    return {**ALLOWANCES, **{k: _share("allowance", v) or 0.0 for k, v in table.items()}}


def _shares(table: Mapping[str, Any]) -> dict[str, float | None]:
    for key in table:
        if key not in DEFAULTS:
            raise UsageError(
                f"unknown guard setting {key!r}: use budget, noisy, allowance, scenarios, "
                f"{', '.join(DEFAULTS)}"
            )
    return {key: _share(key, value) for key, value in table.items()}


def _share(key: str, value: Any) -> float | None:
    if value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 10:
        raise UsageError(f"guard setting {key} = {value!r} is no share: 0.02 is 2 %; false: off")
    if key in ("latency", "first_step", "cpu_time") and value == 0:
        raise UsageError(f"guard setting {key} = 0 cannot be met by any measurement: use 0.01")
    return float(value)
