"""What a comparison is about: the scenarios of both sides, in each configuration."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Subject
from bench.guard.sources.launching import LiveLauncher
from bench.guard.sources.source import Opened, Wanted
from bench.results.errors import UsageError
from bench.results.values import Configuration, WorkloadSpec
from bench.sweep.discovery import ROOT, discover, select
from bench.sweep.progress import Reporter
from bench.sweep.sources import holds_scenarios


@dataclass(frozen=True)
class Scenarios:
    """Scenarios on a workload."""

    workload: WorkloadSpec
    suite: str = "quick"
    folders: tuple[str, ...] = ()
    """Users' folders of scenarios."""

    @contextlib.contextmanager
    def open(
        self, base: Checkout, head: Checkout, wanted: Wanted, reporter: Reporter
    ) -> Iterator[Opened]:
        """Find both sides' scenarios and start their preloaded processes."""
        found = subjects(
            base, head, wanted.patterns, wanted.configurations, self.suite, self.folders,
            wanted.exclude,
        )  # fmt: skip
        if not found:
            raise UsageError("no scenario to compare: `tfbench list` shows them")
        with LiveLauncher(
            base, head, self.workload, wanted.memory_bytes, reporter, seed=wanted.seed
        ) as launcher:
            launcher.prepare(found)
            yield Opened(found, launcher)


def subjects(
    base: Checkout,
    head: Checkout,
    patterns: Sequence[str],
    configurations: Sequence[Configuration],
    suite: str = "quick",
    folders: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> list[Subject]:
    """What exists on either side and is wanted, in each configuration.

    Args:
        base: One side.
        head: The other.
        patterns: Scenario ids and globs; none: those of the suite.
        configurations: Where they run.
        suite: quick or full.
        folders: Users' folders of scenarios; those inside the head's code are the base's own there.
        exclude: Ids and globs of scenarios that are not wanted.

    Raises:
        UsageError: A pattern names no scenario of either side.
    """
    theirs = [path for each in folders if (path := _at(base.root, head.root, Path(each))).is_dir()]
    before = discover(_scenario_root(base.root), theirs)
    after = discover(_scenario_root(head.root), folders)
    union = {**before, **after}
    wanted: set[str] = set()
    for known in (union, {**after, **before}):  # a change must not take itself out of the suite
        if patterns:  # the baselines that `select` adds are no subjects of their own here
            known = {id: dataclasses.replace(s, baseline=None) for id, s in known.items()}
        wanted |= {s.id for s in select(known, patterns, suite, exclude)}
    return [
        Subject(id, configuration, before.get(id), after.get(id))
        for configuration in configurations
        for id in union
        if id in wanted
    ]


def _scenario_root(root: Path) -> Path:
    """A user's own repository has no scenarios: the installed ones are applied to its model."""
    return root if holds_scenarios(root) else ROOT


def _at(base: Path, head: Path, folder: Path) -> Path:
    """The base's version of a folder of the head; a folder elsewhere is the same for both."""
    inside = folder.is_relative_to(head.absolute())
    return base / folder.relative_to(head.absolute()) if inside else folder
