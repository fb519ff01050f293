"""Finding the commit that brought a regression: midpoints are compared live with the good one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.guard.checkouts import worktrees
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import GOOD, INCONCLUSIVE, REGRESSION, Comparison, Judgement
from bench.guard.loop.planned import Plan
from bench.guard.loop.running import compare
from bench.guard.outputs import words
from bench.results.errors import TfbenchError, UsageError
from bench.sweep.progress import Reporter

Compare = Callable[[Checkout, Checkout, Plan, Reporter], Comparison]
TIMED_OR_COUNTED = ("latency", "first_step", "cpu_time", "peak_memory", "allocated")
CheckOut = Callable[[Path, str], AbstractContextManager[Checkout]]


@dataclass(frozen=True)
class Culprit:
    """What a bisection ended with."""

    commits: tuple[str, ...]
    """One: the culprit. Several: the first bad one is among them. None: nothing regressed."""
    text: str
    """For people."""
    exit_code: int


def find(
    root: Path,
    span: str,
    plan: Plan,
    reporter: Reporter,
    measure: Compare = compare,
    checkout: CheckOut = worktrees.checkout,
) -> Culprit:
    """The first commit of GOOD..BAD that shows the regression between them.

    Every comparison may use the plan's whole budget; after the first one only scenarios that
    regressed are launched.

    Args:
        root: Folder of the code, inside a git repository.
        span: GOOD..BAD.
        plan: What is compared.
        reporter: Shows progress.
        measure: Compares two versions.
        checkout: Makes a version ready.

    Raises:
        UsageError: No such span.
    """
    good, dots, bad = span.partition("..")
    if not dots or not good or not bad or bad.startswith("."):
        raise UsageError(f"--bisect {span}: write GOOD..BAD, two commits")
    commits = worktrees.git(root, "rev-list", "--reverse", "--first-parent", span).split()
    if not commits:
        raise UsageError(f"--bisect {span}: no commits between them (is GOOD the older one?)")
    with checkout(root, good) as base:

        def against(ref: str, plan: Plan) -> Comparison:
            with checkout(root, ref) as head:
                return measure(base, head, plan, reporter)

        first = against(bad, plan)
        target = _target(first)
        if target is None:
            code = INCONCLUSIVE if first.of("inconclusive") else GOOD
            return Culprit((), f"{span}: {words.headline(first)}; nothing to look for", code)
        reporter.note(f"looking for: {words.sentence(target)}")
        narrow = dataclasses.replace(plan, patterns=(target.scenario,), explain=False)
        suspects = _narrowed(commits, target, lambda ref: against(ref, narrow), reporter)
    return _culprit(root, suspects, target)


def _narrowed(
    commits: list[str],
    target: Judgement,
    against: Callable[[str], Comparison],
    reporter: Reporter,
) -> tuple[str, ...]:
    """Binary search; commits that cannot be measured are stepped over (`git bisect skip`)."""
    low, high = -1, len(commits) - 1  # the good end, the first commit known to be bad
    skipped: set[int] = set()
    while high - low > 1:
        open_ = [i for i in range(low + 1, high) if i not in skipped]
        if not open_:
            break
        middle = min(open_, key=lambda i: abs(i - (low + high) / 2))
        reporter.note(f"{commits[middle][:9]}: {high - low - 1} commits left between good and bad")
        try:
            found = against(commits[middle])
            shows = has(found, target)
        except TfbenchError as error:
            reporter.note(f"{commits[middle][:9]} skipped: {error}")
            shows = None
        if shows is None:
            skipped.add(middle)
        elif shows:
            high = middle
        else:
            low = middle
    return tuple(commits[low + 1 : high + 1])


def has(found: Comparison, target: Judgement) -> bool | None:
    """Whether a version shows the target's change; None where it was not measured.

    A timed change counts as there when it is more than half as large: what lies between the two
    ends is one of them plus noise, whatever its own verdict.
    """
    if target.metric not in ("presence", "outcome"):
        same = [
            j for j in found.judgements if j.where == target.where and j.metric == target.metric
        ]
        if not same or same[0].change is None:
            return None
        if target.metric in TIMED_OR_COUNTED:
            return same[0].change > (target.change or 0.0) / 2
        return same[0].verdict == "regression"
    return any(j.where == target.where and j.verdict == "regression" for j in found.judgements)


def _target(found: Comparison) -> Judgement | None:
    """The regression to look for: an exact one where there is one, else the clearest."""
    regressions = found.of("regression")
    exact = [j for j in regressions if j.visible is None]
    if exact:
        return exact[0]
    clear = sorted(regressions, key=lambda j: -(j.change or 0.0) / max(j.visible or 1.0, 1e-9))
    return clear[0] if clear else None


def _culprit(root: Path, suspects: tuple[str, ...], target: Judgement) -> Culprit:
    lines = [worktrees.git(root, "log", "-1", "--format=%h %an: %s", commit) for commit in suspects]
    what = words.sentence(target)
    if len(lines) == 1:
        text = f"first bad commit: {lines[0]}\n{what}"
    else:
        text = "\n".join(["the first bad commit is one of:", *lines, what])
    return Culprit(suspects, text, REGRESSION)
