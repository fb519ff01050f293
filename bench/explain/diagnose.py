"""A diagnosis: take a path apart in a launch of its own, read its trace, judge, try next steps."""

from __future__ import annotations

import dataclasses
import fnmatch
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from bench.explain import apart as apart_
from bench.explain import traces, verdict
from bench.results.errors import LaunchError, TfbenchError, UsageError
from bench.results.store import RunFolder
from bench.results.values import Configuration, Effect, Scenario
from bench.sweep.discovery import ROOT, discover, select
from bench.sweep.interpreter import Environment
from bench.sweep.preloaded import Pool
from bench.sweep.progress import Reporter
from bench.sweep.running import LaunchFailed
from bench.sweep.schedule import Sweep
from bench.sweep.settings import Settings

PIPELINES = (
    "input/prefetch", "input/map-parallel", "input/cache", "input/tfrecord", "input/vectorized-map"
)  # fmt: skip
EAGER = ("train/eager", "infer/eager")
"""Paths whose baseline is the step to take: shown the other way round."""
STEPS = (
    ("mixed precision", ("compute", "memory", "balanced"), ("train/mixed-*",)),
    ("input pipeline", ("input", "io", "balanced"), PIPELINES),
    ("graphs instead of Python", ("overhead",), (*EAGER, "train/fit-steps*")),
    ("fewer exchanges", ("communication",), ("train/*accumulation*", "train/batch*")),
    ("slimmer model", ("compute", "memory", "balanced"), ("infer/separable*",)),
    ("quantization", ("compute", "memory", "overhead", "balanced"), ("infer/litert-int8",)),
    ("compilation", ("compute", "memory", "overhead", "balanced"), ("*/xla",)),
    ("pruning and distillation", ("compute", "memory"), ("infer/pruned*", "infer/distilled*")),
)
"""The reference guide's order of work: name, the bounds it helps against, its scenarios."""


@dataclass(frozen=True)
class Diagnosis:
    """What bounds a path in a configuration."""

    subject: str
    configuration: str
    step_s: float
    verdict: verdict.Verdict
    trace: traces.Trace | None
    warnings: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why a variant of the step could not be timed, by its name."""


@dataclass(frozen=True)
class NextStep:
    """A scenario tried on this workload because of the verdict."""

    name: str
    scenario: str
    against: str
    speedup: float | None
    """None where there is no figure; `reason` says why."""
    accuracy_pp: float | None
    reason: str

    @classmethod
    def of(cls, name: str, effect: Effect) -> NextStep:
        """The step that an effect measured."""
        pp, speedup = effect.accuracy_delta_pp, effect.speedup
        reason = ""
        if effect.status != "ok" or speedup is None:
            speedup, reason = None, f"{effect.status}: {effect.reason or 'no figure'}"
        if effect.scenario not in EAGER:
            return cls(name, effect.scenario, effect.baseline, speedup, pp, reason)
        turned = None if speedup is None else 1 / speedup
        lost = None if pp is None else -pp
        return cls(name, effect.baseline, effect.scenario, turned, lost, reason)


def subject(what: str, folders: Sequence[str] = ()) -> Scenario:
    """The scenario of an id, or of `path/to/file.py:function`, which gets the workload.

    Raises:
        UsageError: There is no such scenario or file.
    """
    place, _, function = what.rpartition(":")
    if place.endswith(".py"):
        if not Path(place).exists():
            raise UsageError(f"{place} does not exist: give the path of your .py file")
        file = str(Path(place).resolve())
        return Scenario(what, "train", "", file, function, file, 1)
    found = discover(folders=folders)
    if what not in found:
        select(found, [what])  # says which id is near
        raise UsageError(f"{what!r} names several scenarios: name one")
    return found[what]


def diagnose(
    what: Scenario,
    settings: Settings,
    configuration: Configuration,
    devices: int | None = None,
    pool: Pool | None = None,
) -> Diagnosis:
    """What bounds this path here.

    Args:
        what: The path.
        settings: The workload.
        configuration: Where it runs.
        devices: Logical devices, for a path of the user's own that has replicas.
        pool: Preloaded processes for this workload; None: of its own.

    Raises:
        LaunchError: The path cannot be built or taken apart.
    """
    if pool is None:
        with Pool(settings.workload, settings.memory_bytes) as own:
            return diagnose(what, settings, configuration, devices, own)
    scenario = dataclasses.replace(what, devices=devices or what.devices)
    environment = Environment.of(scenario, configuration, "", ROOT)
    with tempfile.TemporaryDirectory(prefix="tfbench-diagnose-") as folder:
        launch = partial(pool.launch, environment, scenario, configuration)
        try:
            apart = apart_.take(launch, scenario, configuration, Path(folder))
        except LaunchFailed as error:
            raise LaunchError(f"{scenario.id} cannot be diagnosed: {error.reason}") from None
        trace, warnings = None, list(apart.trace["warnings"])
        if "file" in apart.trace:
            try:
                trace = traces.read(Path(apart.trace["file"]))
            except TfbenchError as error:
                warnings.append(str(error))
    judged = verdict.judge(apart.seconds, apart.facts, trace.shares if trace else {})
    return Diagnosis(
        what.id, configuration.name, median(apart.seconds["full"]), judged, trace,
        tuple(warnings), apart.missing,
    )  # fmt: skip


def next_steps(
    found: Diagnosis, kind: str, settings: Settings, reporter: Reporter, most: int
) -> list[NextStep]:
    """What to try, in the reference guide's order, each with the effect measured on this workload.

    Args:
        found: The diagnosis.
        kind: `train`, `infer` or `input`: training paths are also offered the input pipeline.
        settings: As for `tfbench run`: workload, configurations, profile.
        reporter: Shows what happens.
        most: Most scenarios to run.
    """
    known = discover(folders=settings.folders)
    effects = [id for id, each in known.items() if each.baseline]
    others = [id for id in effects if id != found.subject or id in EAGER]
    chosen = one_of_each(candidates(found.verdict.bound, kind, others), most)
    if not chosen:
        return []
    quick = dataclasses.replace(settings.profile, trace=False, controls=False, looks=(2,))
    configurations = tuple(c for c in settings.configurations if c.name == found.configuration)
    settings = dataclasses.replace(settings, profile=quick, configurations=configurations)
    scenarios = select(known, [id for _, id in chosen])
    with (
        tempfile.TemporaryDirectory(prefix="tfbench-steps-") as folder,
        RunFolder.create(Path(folder) / "run") as place,
    ):
        measured = Sweep(settings, scenarios, place, reporter, known=known).run()
    rows = {row.scenario: row for row in measured.rows}
    return [NextStep.of(name, rows[id]) for name, id in chosen if id in rows]


def one_of_each(found: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """At most so many: one scenario of each step before a second of any; their order is kept."""
    seen: Counter[str] = Counter()
    ranked = []
    for place, (name, _) in enumerate(found):
        seen[name] += 1
        ranked.append((seen[name], place))
    return [found[place] for place in sorted(place for _, place in sorted(ranked)[:most])]


def candidates(bound: str, kind: str, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Names and ids of the scenarios that help against a bound, in the reference guide's order."""
    families = ("infer/",) if kind == "infer" else ("train/", "input/")
    return [
        (name, id)
        for name, bounds, patterns in STEPS
        if bound in bounds
        for pattern in patterns
        for id in ids
        if fnmatch.fnmatchcase(id, pattern) and id.startswith(families)
    ]
