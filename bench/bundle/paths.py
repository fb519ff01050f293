"""Training paths of bundles: what they name, looked up in this installation, and measured by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.bundle import scripts
from bench.bundle.claim import Claim
from bench.bundle.measuring import PROFILE, Answered, Pair, by_turns, memory_bytes
from bench.results import data_names, model_names
from bench.results.as_json import from_json
from bench.results.checked import check
from bench.results.errors import UsageError
from bench.results.values import Configuration, Scenario, WorkloadSpec
from bench.sweep import applying, describing
from bench.sweep.discovery import ROOT, discover
from bench.sweep.interpreter import Environment
from bench.sweep.members import Member
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter

BUILT_IN = ("digits", "mnist", "cifar10", "synthetic")
"""Data that no file of a stranger's takes part in."""
MODELS = ("default", "application")
SCRIPT = "scenario.py"


@dataclass(frozen=True)
class Paths:
    """A training path and its baseline, as this installation has them."""

    scenario: Scenario
    baseline: Scenario
    workload: WorkloadSpec

    def pair(
        self, where: Configuration, answered: Answered, until_s: float, reporter: Reporter
    ) -> Pair | None:
        """What launches of both show; see `bench.bundle.measuring.by_turns`.

        Raises:
            UsageError: The workload cannot be built here.
        """
        with Pool(self.workload, memory_bytes()) as pool:

            def member(scenario: Scenario, role: Any) -> Member:
                environment = Environment.of(scenario, where, where.python, ROOT)
                return Member(scenario, where, pool.starting(environment), role)

            plain = member(self.baseline, "baseline")
            reporter.begin("preparing the model")
            trained = applying.looks_at_trained((self.scenario, self.baseline))
            describing.prepare(lambda: plain.launch(where, 0), PROFILE, trained)
            both = [plain, member(self.scenario, "candidate")]
            control = member(self.baseline, "control-same")
            return by_turns([*both, control], answered, until_s, reporter)


def here(bundle: Path, claim: Claim) -> Paths:
    """What a bundle's claim names: nothing of the bundle itself is run.

    Raises:
        UsageError: This installation has other lines, or the workload is the author's own.
    """
    again = claim.commands.get("run", "tfbench run")
    known = discover()
    scenario, baseline = known.get(claim.scenario), known.get(claim.baseline)
    if scenario is None or baseline is None:
        raise UsageError(
            f"{claim.scenario} against {claim.baseline or 'nothing'} is no training path of this "
            f"tfbench, and a bundle's Python is not run; measure it where it was written: {again}"
        )
    workload = _workload(claim.workload)
    if workload is None:
        raise UsageError(
            "its data or model are the author's own, whose code is not run here; measure it "
            f"where they are: {again}"
        )
    own = scripts.script(scenario, ROOT / scenario.path, workload)
    if (bundle / SCRIPT).read_bytes() != own.encode():
        raise UsageError(
            f"{SCRIPT} is not what this tfbench has for {claim.scenario}: changed, or of another "
            "version; verify it with the version that wrote it"
        )
    return Paths(scenario, baseline, workload)


def _workload(named: Mapping[str, Any]) -> WorkloadSpec | None:
    """The claim's workload; None where building it runs code or reads files that it names."""
    try:
        spec = from_json(WorkloadSpec, dict(named))
        check(WorkloadSpec, spec, "workload")
    except (TypeError, ValueError) as error:
        raise UsageError(f"its workload cannot be read: {error}") from None
    plain = WorkloadSpec()
    if (spec.factory, spec.workloads, spec.cache) != (plain.factory, plain.workloads, ""):
        return None
    if spec.weights or ":" in spec.metric or model_names.form(spec.model) not in MODELS:
        return None
    return spec if data_names.source(spec.data)[0] in BUILT_IN else None
