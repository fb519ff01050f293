"""What a comparison of two versions found: judgements, each with its figure and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["regression", "inconclusive", "improved", "changed", "no change"]
Metric = Literal[
    "latency", "first_step", "cpu_time", "peak_memory", "allocated", "bytes_read", "bytes_written",
    "instructions", "files", "processes", "size", "accuracy", "operations", "parameters", "traces",
    "artifact", "losses", "outcome", "presence",
]  # fmt: skip

KIND = "guard"
"""What run.json calls a live comparison of two versions."""
REGRESSION, INCONCLUSIVE, FAILED, GOOD = 1, 3, 4, 0


@dataclass(frozen=True)
class OperationChange:
    """One operation's or function's own time on both sides, in ns a step."""

    name: str
    base_ns: float
    head_ns: float
    base_count: float
    head_count: float
    """Times a step."""


@dataclass(frozen=True)
class Judgement:
    """One metric of one scenario, judged."""

    scenario: str
    configuration: str
    metric: Metric
    verdict: Verdict
    reason: str = ""
    """One sentence, where the figures alone do not say enough."""
    change: float | None = None
    """Share by which head is worse (0.02: 2 % slower, larger, ...); accuracy: points lost ÷ 100."""
    low: float | None = None
    high: float | None = None
    """95 % interval of `change`, where it is an estimate."""
    base: float | None = None
    head: float | None = None
    """Typical figures of both sides, in `unit`; timed ones are for orientation only."""
    unit: str = ""
    limit: float | None = None
    """The change that matters."""
    allowance: float | None = None
    """Change by which unchanged versions may differ: the lower bound of a regression is above."""
    launches: int = 0
    needed: int | None = None
    """Launches still missing for a verdict; None: none, or unknown."""
    visible: float | None = None
    """Smallest change that would have been seen (97.5 % power)."""
    noise: float | None = None
    """Standard deviation of one launch's effect, a share: the noise of this environment."""
    confirmed: bool = False
    """Whether a second set of fresh launches, from newly started processes, agreed."""
    p_value: float | None = None
    """One-sided, of being slower at all; for the list of warnings only."""
    operations: tuple[OperationChange, ...] = ()

    @property
    def where(self) -> str:
        """Scenario and configuration."""
        return f"{self.scenario}@{self.configuration}"


@dataclass(frozen=True)
class Comparison:
    """Everything one run of the guard has to say."""

    base: str
    """What was compared with, for people."""
    head: str
    judgements: tuple[Judgement, ...]
    seconds: float
    budget_s: float
    failed: tuple[str, ...] = ()
    """Scenarios that fail on both sides, with their reasons: not this change's doing."""
    warnings: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    """Places that look slower but did not pass (Benjamini-Hochberg, q = 0.10)."""
    environment: dict[str, Any] = field(default_factory=dict)
    kind: Literal["live", "stored"] = "live"
    noun: str = "scenario"
    """What a subject is called."""
    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Where subjects are written: file below the folder of the code, and line."""

    def of(self, verdict: Verdict) -> tuple[Judgement, ...]:
        """The judgements with this verdict."""
        return tuple(each for each in self.judgements if each.verdict == verdict)

    @property
    def exit_code(self) -> int:
        """1 regression; 4 scenarios that fail anyway; 3 inconclusive; 0 good."""
        if self.of("regression"):
            return REGRESSION
        if self.failed:
            return FAILED
        return INCONCLUSIVE if self.of("inconclusive") else GOOD
