"""Going on with a run: what may have changed since, and what of its journal is whole."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.results.as_json import from_json, to_json
from bench.results.errors import UsageError
from bench.results.store import Run
from bench.results.values import Configuration, Launch
from bench.sweep import planning
from bench.sweep.journal import Journal
from bench.sweep.pieces import Turns
from bench.sweep.planning import Plan
from bench.sweep.settings import find_configuration

MACHINE = ("host", "cpu", "cpu_flags", "cores", "memory_bytes", "gpus", "system")
"""Facts that tell one machine from another."""
BUILTIN = ("cpu-1", "cpu-all")
REST = ("kernel", "governor", "python")
"""Facts of a machine's state that change figures."""
TAKEN = ("workload", "scenarios", "code", "files", "git")
"""Facts that are those of the continuation."""
DERIVED = ("warnings", "notes", "seconds")
"""Of a workload's description: what may be said in other words."""


def moved(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run is gone on with on another machine."""
    a, b = then.get("environment", {}), plain(now["environment"])
    return any(a.get(name) != b.get(name) for name in MACHINE)


@dataclass(frozen=True)
class Continued:
    """An earlier run, taken over."""

    facts: dict[str, Any]
    launches: list[Launch]
    configurations: tuple[Configuration, ...]
    """Elsewhere than where it began: columns of their own."""
    wanted: frozenset[str] | None
    """What is to be measured in them; None: all."""


def go_on(earlier: Run, now: dict[str, Any], plan: Plan, force: bool) -> Continued:
    """What a run goes on from.

    Args:
        earlier: As it is stored.
        now: The facts with which it would begin today; the workload described.
        plan: As it was then.
        force: Whether a change is only written down.

    Raises:
        UsageError: Something has changed; the message names it.
    """
    then = earlier.facts
    found = differences(then, now)
    if found and not force:
        raise UsageError(
            f"{earlier.folder} cannot go on, for this has changed: {'; '.join(found)}. Undo it, "
            "start a new run, or go on by --force, and the run will say so"
        )
    launches = whole(plan, earlier.launches)
    note = {"at": time.time(), "command": now["command"], "differs": found}
    facts = {**then, **{name: now[name] for name in TAKEN if name in now}}
    facts["resumed"] = [*then.get("resumed", ()), note]
    for name in ("ended", "interrupted"):
        facts.pop(name, None)
    if not moved(then, now):
        return Continued(facts, launches, plan.configurations, plan.wanted)
    columns: dict[str, Any] = dict(then.get("columns", {}))
    mine = [name for name, own in columns.items() if not moved(own, now)]
    if not mine:
        wanted = sorted(unfinished(plan, launches))
        host, taken = str(now["environment"]["host"]), {c["name"] for c in then["configurations"]}
        here = [elsewhere(each, host, taken) for each in plan.configurations]
        facts["configurations"] = [*then["configurations"], *map(to_json, here)]
        own = {"environment": now["environment"], "wanted": wanted}
        facts["columns"] = columns | {each.name: own for each in here}
        return Continued(facts, launches, tuple(here), frozenset(wanted))
    known = {c["name"]: from_json(Configuration, c) for c in then["configurations"]}
    wanted = columns[mine[0]]["wanted"]
    return Continued(facts, launches, tuple(known[name] for name in mine), frozenset(wanted))


def warnings(facts: Mapping[str, Any]) -> list[str]:
    """What rows say of a run that went on though something had changed."""
    changed = (x for each in facts.get("resumed", ()) for x in each.get("differs", ()))
    return [f"in the middle of the run this changed: {each}" for each in dict.fromkeys(changed)]


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is no longer as it was when the run began, each with what it was and is.

    Args:
        then: The run's facts.
        now: The facts with which it would begin today; the workload described.
    """
    return list(_differences(then, plain(now)))


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if then.get("code") != now["code"]:
        commits = [str(facts.get("git", {}).get("commit", ""))[:8] for facts in (then, now)]
        yield "code: " + change(*(commits if commits[0] != commits[1] else
                                   (then.get("code"), now["code"])))  # fmt: skip
    a, b = then.get("environment", {}), now["environment"]
    here = not moved(then, now)  # elsewhere nothing is pooled, so that these may differ
    for name in REST if here else ():
        if a.get(name) != b.get(name):
            yield f"{name}: {change(a.get(name), b.get(name))}"
    for what in ("packages", "variables") if here else ():
        one, other = a.get(what, {}), b.get(what, {})
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name):
                yield f"{name}: {change(one.get(name), other.get(name))}"
    one, other = then.get("files", {}), now["files"]
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield f"{name}: {change(one.get(name), other.get(name))}"
    one, other = then.get("workload"), now.get("workload")
    for name, value in (other or {}).items():
        derived = name in DERIVED or name in now["workload_spec"]
        if one is not None and not derived and one.get(name) != value:
            yield f"workload's {name}: {change(one.get(name), value)}"


def whole(plan: Plan, launches: Sequence[Launch]) -> list[Launch]:
    """The launches without those of a group's last launch that were not all written."""
    if not launches or not launches[-1].group:
        return list(launches)
    last = launches[-1]
    count = 0
    for each in reversed(launches):
        if (each.group, each.index) != (last.group, last.index):
            break
        count += 1
    before = list(launches[:-count])
    pieces = planning.next_pieces(plan, before)
    wanted = next((p for p in pieces if isinstance(p, Turns)), None)
    if wanted is None or (wanted.group.name, wanted.index) != (last.group, last.index):
        return list(launches)
    return before if count < len(wanted.seats) else list(launches)


def unfinished(plan: Plan, launches: Sequence[Launch]) -> frozenset[str]:
    """Ids that are still to be measured, wholly or in part."""
    journal = Journal(launches)
    known = planning.outline(plan, journal)
    found = {p.scenario for p in known.probes
             if journal.probe(p.scenario, p.configuration) is None}  # fmt: skip
    for group in known.groups:
        if turns := planning.next_launch(plan, group, journal):
            alone = len(turns.seats) == 1
            found |= {s.scenario for s in turns.seats if s.role == "candidate" or alone}
    return frozenset(found)


def elsewhere(configuration: Configuration, host: str, taken: Collection[str]) -> Configuration:
    """The same configuration on another machine, under a name of its own."""
    name = configuration.name.partition("@")[0]
    builtin = name in BUILTIN or name.startswith("gpu-")
    here = find_configuration(name, {} if builtin else {name: _table(configuration)})
    label, number = f"{name}@{host}", 2
    while label in taken:
        label, number = f"{name}@{host}-{number}", number + 1
    return dataclasses.replace(here, name=label)


def _table(configuration: Configuration) -> dict[str, Any]:
    return {
        "threads": configuration.threads,
        "cpus": configuration.cpus,
        "device": configuration.device,
        "environment": configuration.environment,
    }


def change(old: Any, new: Any) -> str:
    """`old → new`, in a line."""
    return f"{_short(old)} → {_short(new)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "none" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As it is read back from run.json."""
    kept: dict[str, Any] = json.loads(json.dumps(dict(facts)))
    return kept
