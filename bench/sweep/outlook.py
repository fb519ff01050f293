"""What a run would do and how long it takes, said before it is started (`--dry-run`)."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.results import extras, needs
from bench.results.values import Configuration, Scenario
from bench.sweep.applying import Facts
from bench.sweep.environment import packages
from bench.sweep.settings import Settings, gpus


@dataclass(frozen=True)
class Outlook:
    """What would be measured, what not and why, and how long it takes."""

    line: str
    notes: tuple[str, ...]
    measured: tuple[Scenario, ...]
    unsupported: Mapping[str, str]
    """Id → reason."""
    trains: bool
    """Whether the shared baseline is trained first, unless the cache holds it."""
    launches: int
    """Processes that are started: probes, and members of groups."""
    jobs: int
    """Scenarios that are a whole job (a search, a training): how long is not known beforehand."""
    seconds: float
    """Roughly, without the baseline's training and jobs."""


def look(
    scenarios: Sequence[Scenario],
    refused: Mapping[str, str],
    groups: Iterable[Sequence[Scenario]],
    settings: Settings,
    facts: Facts,
    described_s: float,
    trains: bool,
) -> Outlook:
    """The outlook of a run.

    Args:
        scenarios: All of it.
        refused: Those that do not fit the workload, with reasons.
        groups: Members of each group.
        settings: Of the run.
        facts: Of the workload.
        described_s: What the describing launch took: a launch of this model takes no less.
        trains: Whether a baseline is trained.
    """
    unsupported = dict(refused)
    for each in scenarios:
        lacking = [lacks(each, c) for c in settings.configurations]
        if all(lacking):
            unsupported.setdefault(each.id, lacking[0])
    measured = tuple(s for s in scenarios if s.id not in unsupported)
    members = [s for group in groups for s in group if s.id not in unsupported]
    probes = [s for s in measured for _ in settings.configurations]
    cores = max(1, min(len(c.cpus) for c in settings.configurations))
    profile, times = settings.profile, settings.profile.looks[0]
    steps_s = times * sum(profile.warmup_s + profile.member_s for s in members if s.unit == "step")
    starts_s = described_s * (times * len(members) + len(probes) / cores)
    return Outlook(
        facts.line,
        facts.notes,
        measured,
        unsupported,
        trains,
        len(probes) + times * len(members),
        sum(s.unit == "job" for s in measured),
        starts_s + steps_s,
    )


def lacks(scenario: Scenario, configuration: Configuration) -> str:
    """What this machine lacks of a scenario's needs, as far as that shows without TensorFlow."""
    for need in scenario.needs:
        reasons = [_lacking(way, configuration) for way in needs.alternatives(need)]
        if all(reasons):
            return reasons[0]
    return ""


def _lacking(need: str, configuration: Configuration) -> str:
    kind, _, name = need.partition(":")
    if need == "gpu" and not gpus():
        return "needs a GPU; there is none"
    if configuration.python:  # another environment's packages show in its launches
        return ""
    if kind == "package" and importlib.util.find_spec(name) is None:
        return extras.lacking(name)
    installed = packages().get("tensorflow")
    if need.startswith("tensorflow") and installed:
        return needs.other_tensorflow(need, installed)
    return ""
