"""All that needs no timing: presence, outcomes, exact figures, accuracy and memory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.guard.comparison import counted, exact
from bench.guard.comparison.counted import Counted
from bench.guard.comparison.launcher import Launcher, Pair, Side, Subject
from bench.guard.comparison.values import Judgement
from bench.guard.rule.limits import Limits
from bench.results.values import Launch

FRESH_PROBES = 3
"""Further pairs of probes that confirm a change of memory or accuracy."""
CONFIRM_SHARE = 0.25
"""Of the budget: more is not spent on further probes, or no time is left for timing."""
OUT_OF_TIME: Mapping[str, Any] = {
    "verdict": "inconclusive",
    "reason": "no time was left to confirm it on fresh launches",
    "confirmed": False,
}


@dataclass
class Probing:
    """The first part of a comparison.

    Args:
        launcher: Makes probes.
        limits: What counts.
        budget_s: Time for the whole comparison, of which confirming takes its share.
    """

    launcher: Launcher
    limits: Limits
    judgements: list[Judgement] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Subjects that fail on both sides, with the reason."""
    budget_s: float = math.inf
    _later: list[tuple[Subject, Counted, Judgement]] = field(default_factory=list)
    """What grew or shrank, still to be confirmed."""
    _pair_s: float = 0.0
    """What a probe of both sides takes."""
    _spent_s: float = 0.0
    """Spent on further probes."""

    def run(self, subjects: Sequence[Subject]) -> list[Subject]:
        """Judge what needs no timing; returns the subjects that both sides can time, in order."""
        both = []
        for subject in subjects:
            found = exact.presence(subject)
            if found:
                self.judgements.append(found)
            else:
                both.append(subject)
        sides: tuple[Side, Side] = ("base", "head")
        begun = self.launcher.seconds()
        launches = list(self.launcher.probe([(s, side) for s in both for side in sides]))
        self._pair_s = (self.launcher.seconds() - begun) / max(1, len(both))
        timed, again = [], []
        for subject, base, head in zip(both, launches[::2], launches[1::2], strict=True):
            found = exact.outcomes(subject, base, head)
            if found and found.verdict == "regression":
                again.append(subject)  # a failure by chance must not look like this change's
            elif found:
                self.judgements.append(found)
            elif base.outcome == head.outcome == "ok":
                timed.append(subject)
                self._judge(subject, base, head)
            elif head.outcome != "unsupported":
                self.failed.append(f"{subject.key}: {head.outcome}: {head.reason}")
        for subject in again:
            base, head = self._pairs(subject, 1)[0]
            found = exact.outcomes(subject, base, head)
            if found:
                self.judgements.append(found)
            elif base.outcome == head.outcome == "ok":
                timed.append(subject)
                self._judge(subject, base, head)
        self._confirm()
        return [s for s in subjects if s in timed]

    def _judge(self, subject: Subject, base: Launch, head: Launch) -> None:
        self.judgements += exact.exact(subject, base, head, self.limits)
        fresh: list[Pair] = []
        accuracy = exact.accuracy(subject, base, head, self.limits)
        if accuracy is not None and accuracy.verdict in ("regression", "improved"):
            fresh = self._pairs(subject, 1)
            accuracy = exact.agreed(accuracy, exact.accuracy(subject, *fresh[0], self.limits))
        if accuracy is not None:
            self.judgements.append(accuracy)
        first = base, head
        differing = [c for c in counted.ALL if counted.differs(c, subject, first, self.limits)]
        if differing and not fresh and self._affords(1):
            fresh = self._pairs(subject, 1)  # the first may have converted its artifact
        again = [c for c in differing for p in fresh if counted.differs(c, subject, p, self.limits)]
        if again and self._affords(FRESH_PROBES - 1):
            fresh += self._pairs(subject, FRESH_PROBES - 1)
        for each in counted.ALL:
            known = fresh if fresh and each in differing else [first]
            found = counted.judge(each, subject, known, self.limits)
            if found is not None and found.verdict in ("regression", "improved"):
                self._later.append((subject, each, found))
            elif found is not None:
                self.judgements.append(found)

    def _confirm(self) -> None:
        """Probe again in newly started processes, as a change of time is confirmed."""
        if self._later and self._affords(FRESH_PROBES):
            self.launcher.restart()
        pairs: dict[str, list[Pair]] = {}
        for subject, each, found in self._later:
            if subject.key not in pairs and not self._affords(FRESH_PROBES):
                self.judgements.append(dataclasses.replace(found, **OUT_OF_TIME))
                continue
            if subject.key not in pairs:
                pairs[subject.key] = self._pairs(subject, FRESH_PROBES)
            fresh = counted.judge(each, subject, pairs[subject.key], self.limits)
            self.judgements.append(exact.agreed(found, fresh))

    def _affords(self, pairs: int) -> bool:
        """Whether confirming leaves time for timing."""
        return self._spent_s + pairs * self._pair_s <= CONFIRM_SHARE * self.budget_s

    def _pairs(self, subject: Subject, count: int) -> list[Pair]:
        begun = self.launcher.seconds()
        sides: list[tuple[Subject, Side]] = [(subject, "base"), (subject, "head")]
        launches = list(self.launcher.probe(sides * count))  # alternating, so that drift cancels
        self._spent_s += self.launcher.seconds() - begun
        return list(zip(launches[::2], launches[1::2], strict=True))
