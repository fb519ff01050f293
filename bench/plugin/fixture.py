"""What pytest loads: the fixture `effect` and its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bench.plugin import callables
from bench.plugin.effects import MeasuredEffect, Scenarios, alone, launcher, until_precise
from bench.results.as_json import from_json
from bench.results.errors import Unsupported, UsageError
from bench.results.values import WorkloadSpec
from bench.sweep.running import LaunchFailed

Measure = Callable[..., MeasuredEffect]
OPTIONS = {
    "effect_skip_inconclusive": "skip tests whose effect stays less precise than asked",
    "effect_configuration": "configuration of scenarios in effects (cpu-1)",
    "effect_data": "data of scenarios in effects (digits)",
    "effect_model": "model of scenarios in effects (cnn)",
    "effect_cache": "folder of trained models (the user's cache folder)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings in pytest's configuration file, and the flag that turns open results into skips."""
    for name, text in OPTIONS.items():
        if name.endswith("inconclusive"):
            parser.addini(name, text, type="bool")
        else:
            parser.addini(name, text)
    parser.getgroup("tfbench").addoption(
        "--effect-skip-inconclusive", action="store_true", help=OPTIONS["effect_skip_inconclusive"]
    )


@pytest.fixture(scope="session")
def _effect_scenarios(pytestconfig: pytest.Config) -> Iterator[Callable[[], Scenarios]]:
    """The session's preloaded processes, started by the first effect of scenarios."""
    started: list[Scenarios] = []

    def get() -> Scenarios:
        if not started:
            names = {k: str(pytestconfig.getini(f"effect_{k}")) for k in ("data", "model", "cache")}
            given = {name: value for name, value in names.items() if value}
            workload = from_json(WorkloadSpec, given)
            chosen = str(pytestconfig.getini("effect_configuration")) or "cpu-1"
            started.append(Scenarios(workload, chosen))
        return started[0]

    yield get
    for each in started:
        each.close()


@pytest.fixture
def effect(
    pytestconfig: pytest.Config,
    record_property: Callable[[str, object], None],
    _effect_scenarios: Callable[[], Scenarios],
) -> Measure:
    """Measure how much faster one thing is than another.

    `effect("infer/litert-int8", over="infer/litert-float32")` compares scenarios,
    `effect(new, over=old)` two functions without arguments. Both take turns in fresh launches;
    only one measurement runs at a time, under xdist too. The result has `speedup`, `speedup_low`
    and `speedup_high`; keyword `within` (0.02) is the half-width that suffices, and
    `skip_inconclusive=True` skips the test where it is not reached.
    """

    def measure(
        new: str | Callable[[], Any],
        *,
        over: str | Callable[[], Any],
        within: float = 0.02,
        skip_inconclusive: bool | None = None,
    ) -> MeasuredEffect:
        try:
            with alone():
                found = _measured(new, over, within, _effect_scenarios)
        except Unsupported as error:
            pytest.skip(str(error))
        except LaunchFailed as error:
            if error.outcome != "unsupported":
                raise
            pytest.skip(error.reason)
        record_property("effect", str(found))
        wanted = skip_inconclusive
        if wanted is None:
            wanted = bool(
                pytestconfig.getoption("--effect-skip-inconclusive")
                or pytestconfig.getini("effect_skip_inconclusive")
            )
        if wanted and not found.precise:
            pytest.skip(f"inconclusive: {found}; ±{within:.1%} was asked for")
        return found

    return measure


def _measured(
    new: str | Callable[[], Any],
    over: str | Callable[[], Any],
    within: float,
    scenarios: Callable[[], Scenarios],
) -> MeasuredEffect:
    if isinstance(new, str) and isinstance(over, str):
        return until_precise(new, over, scenarios().launcher(new, over), within)
    if callable(new) and callable(over):
        launch = launcher(callables.members(new, over), callables.PROFILE)
        return until_precise(callables.name(new), callables.name(over), launch, within)
    raise UsageError("effect compares two scenario ids or two functions, not one of each")
