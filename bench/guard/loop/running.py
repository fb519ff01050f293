"""One live comparison from refs to a `Comparison`; what the command and the bisection share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import Comparison
from bench.guard.loop.budget import Guard
from bench.guard.rule.limits import Limits
from bench.guard.sources.scenarios import Scenarios
from bench.guard.sources.source import Source, Wanted
from bench.results.as_json import to_json
from bench.results.store import RunFolder
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep.environment import fingerprint
from bench.sweep.progress import Reporter


@dataclass(frozen=True)
class Plan:
    """What is compared, and how."""

    patterns: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    workload: WorkloadSpec
    limits: Limits
    budget_s: float
    memory_bytes: int
    seed: int = 0
    suite: str = "quick"
    explain: bool = True
    folders: tuple[str, ...] = ()
    """Users' folders of scenarios."""
    exclude: tuple[str, ...] = ()
    """Ids and globs of scenarios that are not wanted."""
    source: Source | None = None
    """Where benchmarks come from; None: scenarios."""


def compare(
    base: Checkout, head: Checkout, plan: Plan, reporter: Reporter, folder: RunFolder | None = None
) -> Comparison:
    """Compare two versions, live, and store every launch as it ends.

    Raises:
        UsageError: Nothing is selected, or a side does not start.
    """
    environment = fingerprint()
    wanted = Wanted(
        plan.patterns,
        plan.configurations,
        plan.memory_bytes,
        plan.seed,
        plan.exclude,
        plan.budget_s,
    )
    source = plan.source or Scenarios(plan.workload, plan.suite, plan.folders)
    with source.open(base, head, wanted, reporter) as opened:
        if folder is not None:
            folder.write_facts(_facts(folder.folder, base, head, plan, environment))
        guard = Guard(
            opened.launcher, opened.subjects, plan.limits, plan.budget_s, reporter,
            explain=plan.explain,
        )  # fmt: skip
        if folder is not None:
            guard.keep = folder.append
        judgements = guard.run()
        return Comparison(
            base.label,
            head.label,
            tuple(judgements),
            opened.launcher.seconds(),
            plan.budget_s,
            tuple(guard.failed),
            (*base.warnings, *head.warnings, *opened.warnings()),
            guard.watch(),
            environment,
            noun=opened.noun,
            places=opened.places,
        )


def _facts(
    folder: Path, base: Checkout, head: Checkout, plan: Plan, environment: dict[str, object]
) -> dict[str, object]:
    return {
        "name": folder.name,
        "kind": "guard",
        "base": base.label,
        "head": head.label,
        "configurations": [to_json(c) for c in plan.configurations],
        "workload": to_json(plan.workload),
        "environment": environment,
        "scenarios": [],
    }
