"""What a comparison is to do."""

from __future__ import annotations

from dataclasses import dataclass

from bench.guard.rule.limits import Limits
from bench.guard.sources.source import Source
from bench.results.values import Configuration, WorkloadSpec


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
    warnings: tuple[str, ...] = ()
    """What is to be said of it with the verdict."""
