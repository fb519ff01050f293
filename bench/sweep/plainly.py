"""Launches that look at the workload or the machine, not at a scenario."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.results.values import Configuration, Scenario
from bench.sweep import describing
from bench.sweep.interpreter import Environment
from bench.sweep.members import Process
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
from bench.sweep.sources import ROOT


class Plainly:
    """Starts them.

    Args:
        pool: From which they are forked.
        example: A scenario of the run, for what all have in common.
    """

    keras = 3
    """2: the workload's model is one of tf_keras."""

    def __init__(self, pool: Pool, example: Scenario) -> None:
        self.pool, self._example = pool, example
        self._tried: set[str] = set()

    def environment(self, scenario: Scenario | None, configuration: Configuration) -> Environment:
        """A scenario's, or that of the workload itself."""
        plain = dataclasses.replace(self._example, environment={}, keras=self.keras)
        return Environment.of(scenario or plain, configuration, configuration.python, ROOT)

    def versions(self, configuration: Configuration) -> dict[str, str]:
        """Of what the launches import; waits until they are ready."""
        return self.pool.process(self.environment(None, configuration)).versions

    def start(self, configuration: Configuration) -> Callable[[], Process]:
        """How one is started."""
        environment = self.environment(None, configuration)
        return partial(self.pool.launch, environment, self._example, configuration)

    def begin(self, scenarios: Sequence[Scenario], configurations: Sequence[Configuration]) -> None:
        """Let the processes that these are forked from import TensorFlow meanwhile."""
        for scenario in scenarios:
            for configuration in configurations:
                self.pool.process(self.environment(scenario, configuration))

    def ceilings(
        self, configurations: Sequence[Configuration], known: dict[str, Any], disk: Path,
        reporter: Reporter,
    ) -> None:  # fmt: skip
        """Measure the machine's peaks in each configuration, once.

        Args:
            configurations: Of the run.
            known: By configuration, run.json's `ceilings`: what is found joins it.
            disk: Folder on the disk that is meant.
            reporter: Told what happens.
        """
        for each in configurations:
            if each.name in known or each.name in self._tried:
                continue
            self._tried.add(each.name)
            reporter.begin(f"measuring the machine's ceilings in {each.name}")
            try:
                known[each.name] = describing.ceilings(self.start(each), str(disk.resolve()))
            except LaunchFailed as error:
                reporter.note(f"ceilings of {each.name}: {error.reason}")
