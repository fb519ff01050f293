"""Comparing with stored runs: for trends. Other sessions are other machines, so less is seen.

What cancels a machine's drift within a run, the baseline in the same group, is used again: of a
scenario with a baseline the *effects* of both runs are compared, not the latencies.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median, stdev
from typing import Any

from bench.guard.comparison import counted, exact
from bench.guard.comparison.launcher import Subject
from bench.guard.comparison.values import Comparison, Judgement, Verdict
from bench.guard.rule import decide
from bench.guard.rule.decide import Limit
from bench.guard.rule.evidence import Evidence, change
from bench.guard.rule.limits import Limits
from bench.results.as_json import from_json
from bench.results.errors import UsageError
from bench.results.quantiles import student
from bench.results.store import Run
from bench.results.values import Configuration, Estimate, Launch, Scenario
from bench.sweep.environment import VARIABLES
from bench.sweep.probing import COLD_BUILD_S

MUST_MATCH = ("cpu", "cpu_flags", "cores", "gpus", "system", "python", "packages", "variables")
"""Parts of the fingerprint without which figures cannot be compared at all."""
MAY_DIFFER = ("host", "kernel", "governor", "memory_bytes")
"""Parts that make sessions differ more: assumed deviations are doubled."""
ASSUMED_EFFECT, ASSUMED_LATENCY = 0.10, 0.20
"""Deviation between sessions of an effect and of a latency, where too few runs are stored to
estimate it: assumptions, on the wide side. Where both sides of an effect share a runtime, sessions
of a shared machine differed by 1 to 2 %; but LiteRT over tf.function was 4.77 and, minutes later,
4.10, as the machine's arithmetic alone had been half as fast, and the latter's latency 1.99 and
1.12 ms."""
RUNS_TO_ESTIMATE = 3
MADE_RATIO = 5
"""Making an artifact took 20 times as long as finding it, and more."""
MADE_THERE = "one of both runs made its artifact in the process whose memory it looked at"
KNOWN = 1000
"""Degrees of freedom of what is as good as known."""


def compare(runs: Sequence[Run], new: Run, limits: Limits) -> Comparison:
    """Judge a run by stored ones, the last of which is the base.

    Raises:
        UsageError: Environment or workload differ, so that nothing can be compared.
    """
    base = runs[-1]
    check_workload(base.facts, new.facts)
    differing = check_environment(base.facts, new.facts)
    warnings = ["stored results: only large changes are seen; `--base REF` compares live"]
    if differing:
        warnings.append(f"{', '.join(differing)} differ: assumed deviations are doubled")
    if len(runs) < RUNS_TO_ESTIMATE:
        wide = 2 if differing else 1
        warnings.append(
            f"deviation between sessions assumed: {wide * ASSUMED_EFFECT:.0%} of effects, "
            f"{wide * ASSUMED_LATENCY:.0%} of latencies (store {RUNS_TO_ESTIMATE} runs or more "
            "in one folder to have it estimated)"
        )
    subjects = list(_subjects(base, new))
    level = decide.FAMILY / max(1, len(subjects))
    judgements: list[Judgement] = []
    failed = []
    for subject in subjects:
        found = exact.presence(subject)
        before, after = (run.effects.row(subject.id, subject.configuration.name)
                         for run in (base, new))  # fmt: skip
        if found or before is None or after is None:
            judgements += [found] if found else []
            continue
        if before.status == "ok" and after.status not in ("ok", "unsupported"):
            reason = f"newly {after.status}: {after.reason}"
            judgements.append(
                Judgement(subject.id, subject.configuration.name, "outcome", "regression", reason)
            )
        elif after.status not in ("ok", "unsupported"):
            failed.append(f"{subject.key}: {after.status}: {after.reason}")
        elif before.status == after.status == "ok":
            judgements += _probed(subject, base, new, limits)
            judgements += _timed(subject, runs, new, limits, level, bool(differing))
    seconds = float(new.facts.get("ended", 0.0)) - float(new.facts.get("started", 0.0))
    return Comparison(
        f"stored run {base.name}", f"run {new.name}", tuple(judgements), max(seconds, 0.0),
        max(seconds, 0.0), tuple(failed), tuple(warnings), (),
        dict(new.facts.get("environment", {})), "stored",
    )  # fmt: skip


def check_environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Parts of the fingerprint that differ but may.

    Raises:
        UsageError: A part differs that must not.
    """
    before, after = old.get("environment", {}), new.get("environment", {})
    refused = []
    for key in MUST_MATCH:
        one, other = before.get(key), after.get(key)
        if key == "packages":
            one, other = (_without_own(p or {}) for p in (one, other))
        if key == "variables":  # earlier versions kept more of them
            one, other = (
                {k: v for k, v in (p or {}).items() if k in VARIABLES} for p in (one, other)
            )
        if one != other:
            refused.append(f"{key} ({_difference(one, other)})")
    if refused:
        raise UsageError(
            f"the stored run is of another environment: {'; '.join(refused)}. Compare live, which "
            "needs no stored results: --base REF or --base-python PATH"
        )
    return [key for key in MAY_DIFFER if before.get(key) != after.get(key)]


def check_workload(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise UsageError where another model, data or training was measured."""
    before, after = old.get("workload", {}), new.get("workload", {})
    for key in ("data", "model", "batch", "seed", "epochs", "parameters"):
        if key in before and key in after and before[key] != after[key]:
            raise UsageError(
                f"the stored run is of another workload: {key} {before[key]!r}, now {after[key]!r}"
            )


def _subjects(base: Run, new: Run) -> Iterator[Subject]:
    kinds = [from_json(Configuration, c) for c in new.facts.get("configurations", ())]
    measured = {launch.scenario for launch in new.launches}
    for configuration in kinds:
        for id in {**base.scenarios, **new.scenarios}:
            before, after = base.scenarios.get(id), new.scenarios.get(id)
            if id in measured or after is None:
                yield Subject(id, configuration, before, after)


def _probed(subject: Subject, base: Run, new: Run, limits: Limits) -> Iterator[Judgement]:
    before, after = (r.effects.probe(subject.id, subject.configuration.name) for r in (base, new))
    if before is None or after is None:
        return
    yield from exact.exact(subject, before, after, limits)
    memory = counted.judge(counted.MEMORY, subject, [(before, after)], limits)
    if memory is not None and _made_there(before, after):
        memory = dataclasses.replace(memory, verdict="inconclusive", reason=MADE_THERE)
    for found in (exact.accuracy(subject, before, after, limits), memory):
        if found is not None:
            yield found


def _made_there(before: Launch, after: Launch) -> bool:
    """Whether one of two probes seems to have made its artifact, and the other to have found it."""
    short, long = sorted(probe.build_s or 0.0 for probe in (before, after))
    return long > max(COLD_BUILD_S, MADE_RATIO * short)


def _timed(
    subject: Subject, runs: Sequence[Run], new: Run, limits: Limits, level: float, doubled: bool
) -> Iterator[Judgement]:
    kind = subject.either.path_kind
    limit = limits.timed("latency", subject.id, subject.configuration.name, kind)
    old = [f for f in (_figure(run, subject) for run in runs) if f is not None]
    now = _figure(new, subject)
    if limit is None or not old or now is None:
        return
    relative = bool(_scenario(subject).baseline)
    if len(old) >= RUNS_TO_ESTIMATE:
        centre, between = sum(e.theta for e in old) / len(old), stdev(e.theta for e in old)
        error = between * math.sqrt(1 + 1 / len(old))  # of a new session about their mean
        evidence = Evidence(now.theta - centre, error, len(old) - 1, now.launches)
    else:
        between = (ASSUMED_EFFECT if relative else ASSUMED_LATENCY) * (2 if doubled else 1)
        error = math.sqrt(now.error**2 + old[-1].error ** 2 + 2 * between**2)
        freedom = _freedom(error, (now, old[-1]))
        evidence = Evidence(now.theta - old[-1].theta, error, freedom, now.launches)
    yield _judged(subject, evidence, limit, level, relative, between)


def _freedom(error: float, sides: Sequence[Evidence]) -> int:
    """Degrees of freedom of a standard error that is known in part (Welch and Satterthwaite)."""
    estimated = sum(side.error**4 / side.freedom for side in sides)
    return round(min(KNOWN, error**4 / estimated)) if estimated else KNOWN


def _judged(
    subject: Subject,
    evidence: Evidence,
    limit: Limit,
    level: float,
    relative: bool,
    between: float,
) -> Judgement:
    """One stage only: stored launches cannot be launched again, so the level is stricter."""
    allowance = math.log1p(limit.allowance)
    floor = math.log1p(limit.floor)
    verdict: Verdict = "inconclusive"
    if evidence.bound(level) > allowance and evidence.theta > floor:
        verdict = "regression"
    elif evidence.bound(1 - level) < -allowance and evidence.theta < -floor:
        verdict = "improved"
    elif decide.unchanged(evidence, limit):
        verdict = "no change"
    what = "its effect over its baseline" if relative else "its latency"
    reason = f"compared by {what}, in which sessions deviate by {between:.1%}"
    return Judgement(
        subject.id, subject.configuration.name, "latency", verdict, reason,
        change(evidence.theta), change(evidence.bound(0.025)),
        change(evidence.bound(0.975)), limit=limit.margin, allowance=limit.allowance,
        launches=evidence.launches,
        visible=change(evidence.visible(level, allowance)),
    )  # fmt: skip


def _figure(run: Run, subject: Subject) -> Evidence | None:
    """A run's log effect over the baseline, or its log latency where there is no baseline."""
    info, name = _scenario(subject), subject.configuration.name
    if info.baseline:
        estimate = run.effects.log_ratio(subject.id, info.baseline, name)
        return None if estimate is None else _evidence(estimate)
    values = [
        math.log(median(t.step_ns for t in launch.turns) / launch.updates_per_step)
        for launch in run.effects.timed(subject.id, name)
    ]
    return Evidence.of(values, []) if len(values) > 1 else None


def _scenario(subject: Subject) -> Scenario:
    found = subject.either
    assert isinstance(found, Scenario), "a run holds scenarios"
    return found


def _evidence(estimate: Estimate) -> Evidence | None:
    if estimate.launches < 2 or not math.isfinite(estimate.high):
        return None
    freedom = estimate.launches - (2 if estimate.launches >= 6 else 1)
    reach = student(freedom, 0.5 + estimate.confidence / 2)
    error = (estimate.high - estimate.value) / reach
    return Evidence(estimate.value, error, freedom, estimate.launches)


UNTIMED = ("tfbench", "tensorboard-plugin-profile")
"""Packages in stored runs whose version changes no figure."""


def _without_own(packages: Mapping[str, str]) -> dict[str, str]:
    return {name: version for name, version in packages.items() if name not in UNTIMED}


def _difference(one: Any, other: Any) -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = [k for k in {**one, **other} if one.get(k) != other.get(k)]
        return ", ".join(f"{k} {one.get(k, '-')}, now {other.get(k, '-')}" for k in keys)
    return f"{one or '-'}, now {other or '-'}"
