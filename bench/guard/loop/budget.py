"""The comparison: probe, screen, confirm on fresh launches, within a budget of time.

Written against `Launcher`, so that all of it runs in tests on invented launches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from bench.guard.comparison import exact
from bench.guard.comparison.launcher import Launcher, Stage, Subject, Upcoming
from bench.guard.comparison.probing import Probing
from bench.guard.comparison.timing import Series, judge, timed
from bench.guard.comparison.values import Judgement, Metric
from bench.guard.rule import decide
from bench.guard.rule.evidence import benjamini_hochberg
from bench.guard.rule.limits import Limits
from bench.sweep.progress import Reporter

WATCH_RATE = 0.10
SUSPECT = 0.1
"""One-sided p of being slower below which a subject's launches come before the others'.

It hardly matters: on invented launches with this machine's noise, 400 suites of 170 s with 2 % in
one of ten scenarios, 348, 351 and 354 were found at 0.05, 0.1 and 0.2."""
RESTART_S = 12.0
"""Time kept for starting new preloaded processes, which took 7 to 10 s on two cores."""
LONG_JOB_S = 5.0
"""A job whose launches take longer is launched for its first look only."""
EXPLAINED, EXPLAIN_S = 3, 5.0
"""Regressions whose traces time is kept for, and that time for one; more where time is left."""


@dataclass
class Guard:
    """One comparison.

    Args:
        launcher: Makes launches.
        subjects: What is compared.
        limits: What counts.
        budget_s: Time for all of it; what is still open then is inconclusive.
        reporter: Shows progress.
    """

    launcher: Launcher
    subjects: Sequence[Subject]
    limits: Limits
    budget_s: float
    reporter: Reporter
    judgements: list[Judgement] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    explain: bool = True
    _planned: int = 0

    def run(self) -> list[Judgement]:
        """Do it all and judge."""
        for subject in self.subjects:
            self._limits(subject)  # a mistake in them is found before any time is spent
        probing = Probing(self.launcher, self.limits, self.judgements, self.failed, self.budget_s)
        good = probing.run(self.subjects)
        comparisons = sum(len(self._limits(s)) for s in good)
        self.level = decide.alpha(comparisons)
        screens = [Series(s, limits) for s in good if (limits := self._limits(s))]
        self._plan(2 * len(self.subjects) + decide.LOOKS[0] * len(screens))
        self._first_look(screens)
        self._go_on(screens, "screen")
        screens = self._without_failures(screens)
        flagged = [s for s in screens if s.signs(self.level)]
        # if time is short, as many as it allows: what got slower first
        flagged.sort(key=lambda s: (not s.slower(self.level), s.cost_s))
        confirms = [Series(s.subject, s.limits) for s in flagged]
        if confirms and self._left() >= RESTART_S + 2 * min(s.cost_s for s in flagged):
            self._plan(decide.LOOKS[0] * len(confirms))
            self.launcher.restart()
            pairs = zip(confirms, flagged, strict=True)
            self._looks([(s, decide.LOOKS[0], before) for s, before in pairs], "confirm")
            self._go_on(confirms, "confirm")
        self._judge(screens, confirms)
        return self.judgements

    def watch(self) -> tuple[str, ...]:
        """Places that look slower without passing the rule: Benjamini-Hochberg over the suite."""
        timed = [j for j in self.judgements if j.p_value is not None]
        if not timed:
            return ()
        rejected = benjamini_hochberg([float(j.p_value or 0) for j in timed], WATCH_RATE)
        return tuple(
            f"{j.where} {j.metric}: {j.change or 0:+.1%}"
            for j, no in zip(timed, rejected, strict=True)
            if no and j.verdict in ("no change", "inconclusive") and (j.change or 0) > 0
        )

    # --- timing -------------------------------------------------------------------------------

    def _limits(self, subject: Subject) -> dict[Metric, decide.Limit]:
        id, name, kind = subject.id, subject.configuration.name, subject.either.path_kind
        found = {metric: self.limits.timed(metric, id, name, kind) for metric in timed(kind)}
        return {metric: limit for metric, limit in found.items() if limit is not None}

    def _plan(self, units: int) -> None:
        """More probes and launches to come."""
        self._planned += units
        self.reporter.total(self._planned)

    def _left(self) -> float:
        return self.budget_s - self.launcher.seconds()

    def _first_look(self, screens: Sequence[Series]) -> None:
        """All subjects in turns up to the first look: each meets the machine at all times.

        Where time is too short for that, `_go_on` takes one after the other: some verdicts are
        better than launches of everybody and no verdict.
        """
        rounds = range(2, decide.LOOKS[0] + 1, 2)
        looks = [(s, launches, s) for launches in rounds for s in screens]
        self._looks(looks, "screen", lambda: self._enough(screens))

    def _enough(self, screens: Sequence[Series]) -> bool:
        """Whether there is time for everybody's first look and for confirming any one of them."""
        if any(s.launches < 2 for s in screens):
            return True  # what they cost is not known yet
        first = sum(max(0, decide.LOOKS[0] - s.launches) * s.cost_s for s in screens)
        return self._left() >= first + max(_confirm_s([s]) for s in screens)

    def _looks(
        self,
        looks: Sequence[tuple[Series, int, Series]],
        stage: Stage,
        enough: Callable[[], bool] = lambda: True,
    ) -> None:
        """Look at one after the other: (subject, until how many launches, one of known cost)."""
        for (series, until, known), following in zip_longest(looks, looks[1:]):
            if not enough():
                return
            then = (following[0].subject, stage, following[0].launches) if following else None
            self._look(series, stage, until, known.cost_s, then)

    def _look(
        self,
        series: Series,
        stage: Stage,
        until: int,
        cost_s: float,
        then: Upcoming | None = None,
    ) -> None:
        """Launch a subject until it has `until` launches, in pairs of both start orders."""
        while series.launches < until and self._left() >= 2 * cost_s:
            if series.launches >= 2 and not series.good:
                return
            for _ in range(2):
                began = self.launcher.seconds()
                self.reporter.begin(
                    f"{stage} {series.subject.key}: launch {series.launches + 1} of {until}"
                )
                number = series.launches
                own = (series.subject, stage, number + 1) if number + 1 < until else then
                pair = self.launcher.time(series.subject, stage, number, own)
                series.pairs.append(pair)
                series.seconds += self.launcher.seconds() - began
                self.reporter.done()

    def _go_on(self, every: Sequence[Series], stage: Stage) -> None:
        """Spend what is left of the budget where it is still open.

        First on what looks slower, the likeliest first, then on first looks that are missing, then
        where the least time settles it. How large an estimate is decides who is next, never when to
        stop: nobody stops for looking slow.
        """
        while True:
            open_ = [s for s in every if self._open(s)]
            suspects = [s for s in open_ if s.p_slower() < SUSPECT]
            chosen = self._affordable(suspects, self._reserve(every, stage, "slower"))
            if chosen:
                series = min(chosen, key=Series.p_slower)
            else:
                chosen = self._affordable(open_, self._reserve(every, stage, "slower", "faster"))
                if not chosen:
                    return
                series = min(chosen, key=self._effort)
            before = series.launches
            self._plan(_next_look(before) - before)
            self._look(series, stage, _next_look(before), series.cost_s)
            if series.launches == before:
                return

    def _effort(self, series: Series) -> tuple[bool, float]:
        """Seconds until a subject is settled, after those without a first look."""
        if series.launches < decide.LOOKS[0]:
            return False, self._next_cost(series)
        return True, series.still_needed(self.level) * series.cost_s

    def _affordable(self, every: Sequence[Series], kept_s: float) -> list[Series]:
        return [s for s in every if self._next_cost(s) <= self._left() - kept_s]

    def _open(self, series: Series) -> bool:
        long = series.subject.either.unit == "job" and series.cost_s >= LONG_JOB_S
        last = decide.LOOKS[0] if long else decide.LOOKS[-1]
        if not series.good or series.launches >= last:
            return False
        return not series.sharp_enough(self.level)

    def _next_cost(self, series: Series) -> float:
        return (_next_look(series.launches) - series.launches) * series.cost_s

    def _reserve(self, every: Sequence[Series], stage: Stage, *signs: decide.Sign) -> float:
        """Time to keep for confirming what is flagged by now, and for explaining it, s."""
        flagged = [s for s in every if set(s.signs(self.level).values()) & set(signs)]
        kept = EXPLAIN_S * min(EXPLAINED, len(flagged)) if self.explain else 0.0
        if stage == "screen" and flagged:
            kept += _confirm_s(flagged)
        return kept

    def _without_failures(self, screens: Sequence[Series]) -> list[Series]:
        """Judge subjects whose timed launches fail on one side; the others go on."""
        good = []
        for series in screens:
            if series.good:
                good.append(series)
            elif series.pairs:
                base, head = series.pairs[-1]
                found = exact.outcomes(series.subject, base, head)
                if found:
                    self.judgements.append(found)
                else:
                    self.failed.append(f"{series.subject.key}: {head.outcome}: {head.reason}")
            else:
                self.judgements.append(_unmeasured(series.subject))
        return good

    def _judge(self, screens: Sequence[Series], confirms: Sequence[Series]) -> None:
        by_key = {s.subject.key: s for s in confirms}
        for series in screens:
            confirm = by_key.get(series.subject.key)
            if confirm is not None and not confirm.pairs:
                confirm = None
            out = self._left() <= self._next_cost(confirm or series)
            if "latency" in series.limits and "latency" not in series.metrics:
                self.judgements.append(_unmeasured(series.subject))
            for metric in series.metrics:
                self.judgements.append(judge(metric, series, confirm, self.level, out))
        if self.explain:
            self._explain({s.subject.key: s.subject for s in screens})

    def _explain(self, subjects: Mapping[str, Subject]) -> None:
        """Which operations changed, of the largest regressions first, while time is left."""
        slower = [
            (-(judged.change or 0.0), place)
            for place, judged in enumerate(self.judgements)
            if judged.metric == "latency" and judged.verdict == "regression"
        ]
        for number, (_, place) in enumerate(sorted(slower)):
            if number and self._left() < EXPLAIN_S:
                return
            judged = self.judgements[place]
            if judged.where in subjects:
                self.reporter.begin(f"tracing {judged.where} on both sides")
                changes = self.launcher.operations(subjects[judged.where])
                self.judgements[place] = dataclasses.replace(judged, operations=changes)


def _confirm_s(every: Sequence[Series]) -> float:
    """Time for confirming these: as many launches again, in new processes."""
    return RESTART_S + sum(max(decide.LOOKS[0], s.launches) * s.cost_s for s in every)


def _unmeasured(subject: Subject) -> Judgement:
    reason = "the budget ended before it had two launches"
    name = subject.configuration.name
    return Judgement(subject.id, name, "latency", "inconclusive", reason, needed=decide.LOOKS[0])


def _next_look(launches: int) -> int:
    return next((look for look in decide.LOOKS if look > launches), decide.LOOKS[-1])
