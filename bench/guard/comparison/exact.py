"""What needs no statistics: presence, outcome, size, operations, traces; and accuracy.

All from probe launches. Exact figures are compared exactly. Accuracy has its paired interval and is
confirmed on further fresh launches.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from bench.guard.comparison.launcher import Subject
from bench.guard.comparison.values import Judgement, Metric, Verdict
from bench.guard.rule.limits import Limits
from bench.results.accuracy import accuracy_change, mean_accuracy
from bench.results.tolerance import first_difference
from bench.results.values import Launch

EXACT: tuple[tuple[Metric, str, str, str], ...] = (
    ("size", "artifact_bytes", "bytes", "size"),
    ("parameters", "parameters", "parameters", "operations"),
    ("operations", "multiply_adds", "multiply-adds", "operations"),
    ("operations", "flops_per_step", "operations a step", "operations"),
    ("traces", "traces", "traces", "operations"),
)
"""Metric, field of the launch or of its probes, unit, and the limit that governs it."""
WORDS = {
    "artifact_bytes": "its artifact",
    "parameters": "the model",
    "multiply_adds": "its forward pass",
    "flops_per_step": "its step",
    "traces": "its tf.function",
}


def presence(subject: Subject) -> Judgement | None:
    """A finding where a scenario exists on one side only."""
    if subject.head is None:
        reason = "it vanished: it exists in the base only"
        return _plain(subject, "presence", "regression", reason)
    if subject.base is None:
        return _plain(subject, "presence", "changed", "it is new: nothing to compare with")
    return None


def outcomes(subject: Subject, base: Launch, head: Launch) -> Judgement | None:
    """A finding where a scenario works on one side only; None where both work or both fail."""
    good = (base.outcome == "ok", head.outcome == "ok")
    if good == (True, False):
        return _plain(subject, "outcome", "regression", f"newly {head.outcome}: {head.reason}")
    if good == (False, True):
        return _plain(subject, "outcome", "improved", f"works now; before: {base.reason}")
    return None


def exact(subject: Subject, base: Launch, head: Launch, limits: Limits) -> Iterator[Judgement]:
    """Artifact, parameters, operations and traces of two probes that went well."""
    same = _same_artifact(base, head)
    for metric, name, unit, governed in EXACT:
        margin = limits.margin(governed, subject.id, subject.configuration.name)
        before, after = figure(base, name), figure(head, name)
        if margin is None or before is None or after is None:
            continue
        if metric == "size" and same:
            after = before  # digits of counters in names, which any act of saving may change
        change = after / before - 1 if before else float(after > before)
        worse = after > before * (1 + margin)
        verdict: Verdict = "regression" if worse else "improved" if after < before else "no change"
        if after > before and not worse:
            verdict = "changed"
        if metric == "traces" and verdict == "regression":
            reason = f"{WORDS[name]} is traced {after:g} times, {before:g} before"
        elif after == before:
            reason = ""
        else:
            reason = f"{WORDS[name]}: {before:,.0f} → {after:,.0f} {unit}"
        yield Judgement(
            subject.id, subject.configuration.name, metric, verdict, reason, change,
            base=before, head=after, unit=unit, limit=margin, confirmed=True,
        )  # fmt: skip
    if same is False and base.artifact_bytes == head.artifact_bytes:
        reason = "the artifact's content changed, its size did not"
        yield _plain(subject, "artifact", "changed", reason)
    step = (
        first_difference(head.step_losses, base.step_losses, "float32")
        if base.step_losses
        else None
    )
    if step is not None:
        reason = f"training does other work: its losses leave the base's at step {step + 1}"
        yield _plain(subject, "losses", "changed", reason)


def _same_artifact(base: Launch, head: Launch) -> bool | None:
    """Whether both artifacts hold the same; None where a launch has none.

    By what they compute where both sides say so, for no two acts of saving a model write the same
    bytes; else (an older base) by their bytes.
    """
    for name in ("artifact_canonical_sha256", "artifact_sha256"):
        before, after = (x.probes.get(name) for x in (base, head))
        if before and after:
            return bool(before == after)
    return None


def figure(launch: Launch, name: str) -> float | None:
    """A figure of a launch, from its fields or its probes."""
    value = getattr(launch, name, None)
    if value is None:
        value = launch.probes.get(name)
    if value is None:
        value = launch.proof.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


# --- what is confirmed on fresh launches ----------------------------------------------------------


def accuracy(subject: Subject, base: Launch, head: Launch, limits: Limits) -> Judgement | None:
    """Accuracy on the same test examples, paired.

    A regression: it fell by the margin or more, and the paired 95 % interval excludes that it did
    not fall.
    """
    name = "accuracy" if subject.either.kind == "infer" else "training_accuracy"
    margin = limits.margin(name, subject.id, subject.configuration.name)
    before, after = mean_accuracy(base), mean_accuracy(head)
    if margin is None or before is None or after is None:
        return None
    change = before - after
    paired = accuracy_change(base, head)
    low, high = (-paired.high, -paired.low) if paired else (None, None)
    verdict: Verdict = "no change"
    if change >= margin and change > 0:
        verdict = "regression" if low is None or low > 0 else "inconclusive"
    elif -change >= margin and change < 0 and (high is None or high < 0):
        verdict = "improved"
    reason = ""
    if verdict == "inconclusive":
        reason = f"{len(base.correct)} test examples are too few to show a loss of {margin:.1%}"
    return Judgement(
        subject.id, subject.configuration.name, "accuracy", verdict, reason, change, low, high,
        100 * before, 100 * after, "%", margin, 1,
    )  # fmt: skip


def agreed(first: Judgement, second: Judgement | None) -> Judgement:
    """A screened judgement after fresh launches were judged in the same way."""
    if second is None or second.verdict != first.verdict:
        reason = "fresh launches did not show it again"
        return dataclasses.replace(
            second or first, verdict="inconclusive", reason=reason, confirmed=False
        )
    return dataclasses.replace(second, confirmed=True, launches=first.launches + second.launches)


def _plain(
    subject: Subject, metric: Metric, verdict: Verdict, reason: str, **more: Any
) -> Judgement:
    name = subject.configuration.name
    return Judgement(subject.id, name, metric, verdict, reason, confirmed=True, **more)
