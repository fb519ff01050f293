"""Several runs as one: more launches of one machine, and other machines as columns beside it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.results.errors import StoreError, UsageError
from bench.results.store import Run
from bench.results.values import Launch
from bench.sweep import controls, resuming

PLACES = ("path", "line", "module")
"""Of a scenario: where its source lies."""


@dataclass(frozen=True)
class Merged:
    """The runs as one."""

    facts: dict[str, Any]
    launches: list[Launch]
    columns: tuple[dict[str, str], ...]
    """Of each run: its configurations' names, and what they are called here."""


def merge(runs: Sequence[Run]) -> Merged:
    """Put runs together.

    Launches of one machine, code and configuration are pooled: parts of a run, or repetitions. What
    was measured elsewhere becomes columns of its own, for effects are never pooled over machines.

    Args:
        runs: At least two. The first one's facts stand where they can differ.

    Raises:
        UsageError: Two measured other workloads or other scenarios under one name; or one is there
            twice.
        StoreError: One is no run of scenarios, or lacks what all of them say.
    """
    for run in runs:
        _check_whole(run)
    first = runs[0]
    for number, run in enumerate(runs[1:], start=1):
        for other in runs[:number]:
            _check(other, run)
    columns: list[dict[str, str]] = []
    taken: dict[str, str] = {}
    facts: dict[str, Any] = {"configurations": [], "columns": {}, "versions": {}, "ceilings": {}}
    launches: list[Launch] = []
    for number, run in enumerate(runs):
        names: dict[str, str] = {}
        for each in run.facts["configurations"]:
            kind = _kind(run, each)
            label = next((name for name, own in taken.items() if own == kind), "")
            if not label:
                label = _label(run, each["name"], taken)
                taken[label] = kind
                facts["configurations"].append({**each, "name": label})
                facts["columns"][label] = {"environment": _environment(run, each["name"])}
            names[each["name"]] = label
            for what in ("versions", "ceilings"):
                if each["name"] in run.facts.get(what, {}):
                    facts[what].setdefault(label, run.facts[what][each["name"]])
        columns.append(names)
        launches += [_renamed(x, names, number) for x in run.launches]
    scenarios = {s["id"]: s for run in reversed(runs) for s in run.facts["scenarios"]}
    order = dict.fromkeys(s["id"] for run in runs for s in run.facts["scenarios"])
    facts = {**first.facts, **facts, "scenarios": [scenarios[id] for id in order]}
    for name in ("selection", "plan", "interrupted"):  # it cannot go on
        facts.pop(name, None)
    facts["started"] = min(run.facts["started"] for run in runs)
    facts["ended"] = max(run.facts.get("ended", run.facts["started"]) for run in runs)
    facts["merged"] = [
        {"name": run.name, "command": run.facts.get("command", ""), "columns": names}
        for run, names in zip(runs, columns, strict=True)
    ]
    facts["controls"] = controls.verdicts(launches)
    said = [*controls.warnings(facts["controls"]), *_unlike(runs)]
    said += [line for run in runs for line in resuming.warnings(run.facts)]
    facts["warnings"] = list(dict.fromkeys(said))
    return Merged(facts, launches, tuple(columns))


def _check_whole(run: Run) -> None:
    """Refuse what says too little of itself to stand beside others."""
    if "guard" in run.facts:
        raise StoreError(f"{run.folder} is a guard's: merge runs of scenarios")
    for name in ("configurations", "environment", "scenarios", "started"):
        if name not in run.facts:
            raise StoreError(f"{run.folder / 'run.json'} lacks {name!r}: it cannot be merged")


def _check(one: Run, other: Run) -> None:
    """Refuse what cannot stand in one table."""
    names = f"{one.name} and {other.name}"
    if one.launches and one.launches[:1] == other.launches[:1]:
        raise UsageError(f"{names} hold the same launches: give each run once")
    for what, a, b in _of_workload(one, other):
        if a != b:
            raise UsageError(
                f"{names} measured other workloads: {what} {resuming.change(a, b)}: merge runs of "
                "one model and one set of data"
            )
    for id in one.scenarios.keys() & other.scenarios.keys():
        mine, theirs = (dataclasses.asdict(run.scenarios[id]) for run in (one, other))
        for field in mine.keys() - set(PLACES):
            if mine[field] != theirs[field]:
                raise UsageError(
                    f"{names} have another {id} each: its {field} {mine[field]} → {theirs[field]}; "
                    "merge runs of one version of it"
                )


def _of_workload(one: Run, other: Run) -> Iterator[tuple[str, Any, Any]]:
    """What must be the same of two workloads: name, and what each run says of it."""
    a, b = (dict(run.facts.get("workload_spec", {})) for run in (one, other))
    for name in sorted((a.keys() | b.keys()) - {"cache"}):
        yield name, a.get(name), b.get(name)
    for name in ("train_examples", "test_examples", "classes", "line", "parameters"):
        a, b = (run.facts.get("workload", {}) for run in (one, other))
        if name in a and name in b:
            yield name, a[name], b[name]
    mine, theirs = (sorted(run.facts.get("files", {}).values()) for run in (one, other))
    yield "files", mine, theirs


def _unlike(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        if "ended" not in run.facts:
            yield f"{run.name} has not ended: launches of it are missing"
    profiles = dict.fromkeys(
        str(run.facts.get("settings", {}).get("profile", "")) for run in runs
    )  # fmt: skip
    if len(profiles) > 1:
        yield f"launches of different profiles are put together: {', '.join(profiles)}"


def _environment(run: Run, configuration: str) -> Mapping[str, Any]:
    """Of the machine on which a column of a run was measured."""
    own = run.facts.get("columns", {}).get(configuration)
    found: Mapping[str, Any] = (own or run.facts)["environment"]
    return found


def _kind(run: Run, configuration: Mapping[str, Any]) -> str:
    """All that must be the same where launches are pooled."""
    name = configuration["name"]
    own = {**configuration, "name": name.partition("@")[0]}
    code = run.facts.get("code"), run.facts.get("git", {}).get("commit")
    return json.dumps([own, _environment(run, name), code], sort_keys=True)


def _label(run: Run, name: str, taken: Mapping[str, str]) -> str:
    """A column's name that is not taken yet: with the host's, or the run's."""
    plain = name.partition("@")[0]
    host = _environment(run, name).get("host", "")
    for label in (name, f"{plain}@{host}", f"{plain}@{run.name}"):
        if label not in taken:
            return label
    return next(label for n in range(2, 1000) if (label := f"{plain}@{run.name}-{n}") not in taken)


def _renamed(launch: Launch, names: Mapping[str, str], number: int) -> Launch:
    """Under its column's name, and in a group that other runs' launches are not paired with."""
    name = names.get(launch.configuration, launch.configuration)
    group = launch.group.replace(f"@{launch.configuration}", f"@{name}")
    return dataclasses.replace(
        launch,
        configuration=name,
        side=names.get(launch.side, launch.side),
        group=f"{group} of run {number + 1}" if group and number else group,
    )
