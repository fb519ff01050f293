"""What a comparison is about: the scenarios of both sides, in each configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.launcher import Subject
from bench.results.values import Configuration
from bench.sweep.discovery import ROOT, discover, select


def subjects(
    base: Checkout,
    head: Checkout,
    patterns: Sequence[str],
    configurations: Sequence[Configuration],
    suite: str = "quick",
) -> list[Subject]:
    """What exists on either side and is wanted, in each configuration.

    Raises:
        UsageError: A pattern names no scenario of either side.
    """
    before, after = (discover(_scenario_root(side.root)) for side in (base, head))
    union = {**before, **after}
    wanted = {s.id for s in select(union, patterns, suite)}
    if patterns:  # the baselines that `select` adds are no subjects of their own here
        bare = {id: dataclasses.replace(s, baseline=None) for id, s in union.items()}
        wanted = {s.id for s in select(bare, patterns)}
    return [
        Subject(id, configuration, before.get(id), after.get(id))
        for configuration in configurations
        for id in union
        if id in wanted
    ]


def _scenario_root(root: Path) -> Path:
    """A user's own repository has no scenarios: the installed ones are applied to its model."""
    return root if (root / "scenarios").is_dir() else ROOT
