"""One live comparison from refs to a `Comparison`; what the command and the bisection share."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import Comparison
from bench.guard.loop import going_on, journal
from bench.guard.loop.budget import Guard
from bench.guard.loop.journal import Answer, Journal, Untold
from bench.guard.loop.planned import Plan
from bench.guard.sources.scenarios import Scenarios
from bench.guard.sources.source import Wanted, changed_files
from bench.results.effects import left_out
from bench.results.store import Run, RunFolder
from bench.sweep.environment import fingerprint
from bench.sweep.progress import Reporter


@dataclass(frozen=True)
class Kept:
    """Where a comparison is kept, and what was kept of it before it was interrupted."""

    folder: RunFolder
    asked: Mapping[str, Any] = field(default_factory=dict)
    """What the command was asked for, so that it can be asked again."""
    earlier: Run | None = None


def compare(
    base: Checkout, head: Checkout, plan: Plan, reporter: Reporter, kept: Kept | None = None
) -> Comparison:
    """Compare two versions, live, and store every launch as it ends.

    Raises:
        UsageError: Nothing is selected, a side does not start, or an earlier comparison that is to
            go on was of something else.
    """
    environment = fingerprint()
    facts: dict[str, Any] = {}
    known: list[Answer] = []
    if kept is not None:
        facts = going_on.facts(kept.folder.folder.name, kept.asked, base, head, plan, environment)
        if kept.earlier is not None:
            going_on.check(kept.earlier, facts)
            base = dataclasses.replace(
                base, label=str(kept.earlier.facts.get("base") or base.label)
            )
            known = journal.read(kept.earlier)
            journal.rewrite(kept.folder, known)
            spent = known[-1].until_s if known else 0.0
            count = sum(len(each.launches) for each in known)
            reporter.note(
                f"goes on after {count} launches and {spent:.0f} s of {plan.budget_s:.0f} s"
            )
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
        if kept is not None and kept.earlier is None:
            kept.folder.write_facts(facts)
        launcher = Journal(opened.launcher, kept.folder if kept else None, known)
        guard = Guard(
            launcher, opened.subjects, plan.limits, plan.budget_s,
            Untold(reporter, launcher, known), explain=plan.explain,
        )  # fmt: skip
        judgements = guard.run()
        return Comparison(
            base.label,
            head.label,
            tuple(judgements),
            launcher.seconds(),
            plan.budget_s,
            tuple(guard.failed),
            (
                *plan.warnings,
                *base.warnings,
                *head.warnings,
                *opened.warnings(launcher.launches),
                *changed_files(opened.subjects, base, head),
                *left_out(launcher.launches),
            ),
            guard.watch(),
            environment,
            noun=opened.noun,
            places=opened.places,
        )
