"""Checks that need TensorFlow run in processes of their own, and print what they saw.

They are forked from the processes that tests share, as launches are: importing takes seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from dataclasses import dataclass, replace
from typing import Any

from bench.results.as_json import to_json
from bench.results.values import WorkloadSpec
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.running import LaunchFailed
from bench.sweep.settings import find_configuration

MEMORY_BYTES = 12 << 30


class Checks:
    """Takes the place of what makes workloads in a launch."""

    def read(self, spec: WorkloadSpec) -> None:
        """Nothing before the launch is forked."""

    def make(self, spec: WorkloadSpec, threads: int, devices: int) -> Check:
        """The check that `data` names; `model` holds its command line."""
        return Check(spec.data, json.loads(spec.model))


@dataclass(frozen=True)
class Check:
    """One module, run as a program."""

    module: str
    arguments: list[str]

    def describe(self) -> dict[str, Any]:
        """The JSON object in its last line."""
        printed = io.StringIO()
        sys.argv = [self.module, *self.arguments]
        with contextlib.redirect_stdout(printed):
            runpy.run_module(self.module, run_name="__main__")
        return {"seen": json.loads(printed.getvalue().splitlines()[-1])}


def saw(pool: Pool, module: str, *arguments: str, keras: int = 3, timeout_s: float = 600) -> Any:
    """What a module of checks saw.

    Args:
        pool: Of the processes that tests share.
        module: Its dotted name.
        arguments: Of its command line.
        keras: Version behind `tf.keras`.
        timeout_s: It must end within.
    """
    here = find_configuration("cpu-all", {})
    environment = Environment.of(None, here, "", ROOT)
    if keras == 2:
        environment = replace(environment, variables=(("TF_USE_LEGACY_KERAS", "1"),))
    spec = WorkloadSpec(data=module, model=json.dumps(arguments), workloads=f"{__name__}:Checks")
    request = {"scenario": next(iter(discover().values())), "configuration": here, "workload": spec}
    process = pool.process(environment)
    launch = process.fork({key: to_json(each) for key, each in request.items()}, MEMORY_BYTES)
    try:
        return launch.call("describe", timeout_s)["facts"]["seen"]
    except LaunchFailed as failure:
        raise AssertionError(f"{failure.reason}\n{launch.output()}") from None
    finally:
        launch.close()
