"""Asks launches about a workload of a user's: what it is, and what a scenario makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from bench.results.as_json import to_json
from bench.results.values import Launch, Scenario, WorkloadSpec
from bench.sweep.applying import Facts
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.probing import probe
from bench.sweep.running import RunningLaunch
from bench.sweep.settings import PROFILES, find_configuration

HERE = Path(__file__).parent
SCENARIOS = discover()
CPU = find_configuration("cpu-all", {})
LIMIT_S = 240.0


def builder(file: str, function: str = "build") -> str:
    """The name of a case's model."""
    return f"{HERE / file}.py:{function}"


@dataclass(frozen=True)
class Asked:
    """A workload, and the preloaded processes that launch its scenarios."""

    pool: Pool
    spec: WorkloadSpec
    _probed: dict[str, Launch] = field(default_factory=dict)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the describing launch says."""
        return dict(self._once("describe")["facts"])

    @cached_property
    def baseline(self) -> dict[str, Any]:
        """What `prepare` says of the shared baseline, which it trains."""
        return dict(self._once("prepare", train=True)["facts"])

    @property
    def said(self) -> str:
        """All that a user learns of the workload before measuring starts."""
        facts = self.facts
        return " | ".join([facts["line"], *facts["notes"], *facts["warnings"]])

    def missing(self, id: str) -> str:
        """Why the sweep does not measure a scenario here; "" where it does."""
        return Facts.of(self.facts).missing(SCENARIOS[id])

    def probed(self, id: str) -> Launch:
        """What a scenario's probe says; its outcome is not looked at."""
        if id not in self._probed:
            self._probed[id] = self._probe(id)
        return self._probed[id]

    def _probe(self, id: str) -> Launch:
        _ = self.baseline
        scenario = SCENARIOS[id]

        def start(**which: Any) -> RunningLaunch:
            return self._launch(scenario, **which)

        record = Launch(id, CPU.name, purpose="probe")
        profile = PROFILES["smoke"]
        return probe(start, record, scenario, profile, compared=scenario.kind == "train")

    def ok(self, id: str) -> Launch:
        """The probe of a scenario that must apply and end well."""
        missing = self.missing(id)
        assert not missing, f"{id}: {missing}"
        found = self.probed(id)
        packaged = found.outcome == "unsupported" and "needs the package" in found.reason
        if packaged:
            pytest.skip(found.reason)
        assert found.outcome == "ok", f"{id} {found.outcome}: {found.reason}\n{found.output}"
        return found

    def refused(self, id: str) -> str:
        """The reason for which a scenario that must not run is unsupported."""
        missing = self.missing(id)
        if missing:
            return missing
        found = self.probed(id)
        assert found.outcome == "unsupported", f"{id} {found.outcome}: {found.reason}"
        return found.reason

    def _once(self, do: str, **arguments: Any) -> dict[str, Any]:
        launch = self._launch(SCENARIOS["infer/function"])
        try:
            return launch.call(do, LIMIT_S, **arguments)
        finally:
            launch.close()

    def _launch(
        self, scenario: Scenario, training: int = 0, comparable: bool = False
    ) -> RunningLaunch:
        workload = to_json(self.spec) | {"training": training, "comparable": comparable}
        request = {
            "scenario": to_json(scenario),
            "configuration": to_json(CPU),
            "workload": workload,
        }
        process = self.pool.process(Environment.of(scenario, CPU, "", ROOT))
        return process.fork(request, self.pool.memory_bytes)


Ask = Callable[..., Asked]


def slow(*values: object) -> object:
    """A parameter that only the full tests take."""
    return pytest.param(*values, marks=pytest.mark.slow)
