"""All that needs no timing: presence, outcomes, exact figures, accuracy and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.guard.comparison import exact
from bench.guard.comparison.launcher import Launcher, Pair, Side, Subject
from bench.guard.comparison.values import Judgement
from bench.guard.rule.limits import Limits
from bench.results.values import Launch

FRESH_PROBES = 3
"""Further pairs of probes that confirm a change of memory or accuracy."""


@dataclass
class Probing:
    """The first part of a comparison.

    Args:
        launcher: Makes probes.
        limits: What counts.
        keep: Stores launches as they end.
    """

    launcher: Launcher
    limits: Limits
    keep: Callable[[Sequence[Launch]], None]
    judgements: list[Judgement] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Subjects that fail on both sides, with the reason."""
    _memory: list[tuple[Subject, Judgement]] = field(default_factory=list)
    """What grew or shrank, still to be confirmed."""

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
        launches = self.launcher.probe([(s, side) for s in both for side in sides])
        self.keep(launches)
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
        self._confirm_memory()
        return [s for s in subjects if s in timed]

    def _judge(self, subject: Subject, base: Launch, head: Launch) -> None:
        self.judgements += exact.exact(subject, base, head, self.limits)
        fresh: list[Pair] = []
        accuracy = exact.accuracy(subject, base, head, self.limits)
        if accuracy is not None and accuracy.verdict in ("regression", "improved"):
            fresh = self._pairs(subject, 1)
            accuracy = exact.agreed(accuracy, exact.accuracy(subject, *fresh[0], self.limits))
        margin = self.limits.margin("peak_memory", subject.id, subject.configuration.name)
        memory = exact.memory(subject, [(base, head)], self.limits)
        if memory is not None and margin is not None and exact.memory_differs(base, head, margin):
            fresh = fresh or self._pairs(subject, 1)  # the first may have converted its artifact
            if exact.memory_differs(*fresh[0], margin):
                fresh += self._pairs(subject, FRESH_PROBES - 1)
            memory = exact.memory(subject, fresh, self.limits)
        if memory is not None and memory.verdict in ("regression", "improved"):
            self._memory.append((subject, memory))
            memory = None
        self.judgements += [each for each in (accuracy, memory) if each is not None]

    def _confirm_memory(self) -> None:
        """Probe again in newly started processes, as a change of time is confirmed."""
        if self._memory:
            self.launcher.restart()
        for subject, found in self._memory:
            fresh = self._pairs(subject, FRESH_PROBES)
            self.judgements.append(exact.agreed(found, exact.memory(subject, fresh, self.limits)))

    def _pairs(self, subject: Subject, count: int) -> list[Pair]:
        launches = self.launcher.probe(
            [(subject, "base"), (subject, "head")] * count  # alternating, so that drift cancels
        )
        self.keep(launches)
        return list(zip(launches[::2], launches[1::2], strict=True))
