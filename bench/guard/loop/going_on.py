"""What a comparison keeps of itself, and what of it must be as it was so that it can go on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from bench.guard.checkouts import states
from bench.guard.checkouts.worktrees import Checkout
from bench.guard.comparison.values import KIND
from bench.guard.loop.planned import Plan
from bench.results.as_json import to_json
from bench.results.errors import UsageError
from bench.results.store import Run
from bench.sweep import recording
from bench.sweep.resuming import change, plain

TITLES = {
    "head": "",
    "base": "the base's ",
    "baseline": "",
    "plan": "",
    "environment": "",
    "code": "code of tfbench",
    "files": "",
}
"""Parts of run.json that must be as they were, and how a difference in them is introduced."""
MOST = 4
"""Differences that are named."""


def facts(
    name: str,
    asked: Mapping[str, Any],
    base: Checkout,
    head: Checkout,
    plan: Plan,
    environment: Mapping[str, Any],
) -> dict[str, Any]:
    """What run.json says of a comparison.

    Args:
        name: The folder's.
        asked: What the command was asked for.
        base: One side.
        head: The other.
        plan: What is compared.
        environment: The fingerprint.
    """
    sides = {"base": base.python, "head": head.python}
    return {
        "name": name,
        "kind": KIND,
        "base": base.label,
        "head": head.label,
        "configurations": [to_json(c) for c in plan.configurations],
        "workload": to_json(plan.workload),
        "environment": environment,
        "scenarios": [],
        "guard": {
            "asked": asked,
            "base": {"commit": base.commit, "packages": states.packages(sides["base"])},
            "head": {**states.working_tree(head.root), "packages": states.packages(sides["head"])},
            "plan": planned(plan),
            "code": recording.code_digest(plan.folders),
            "files": recording.files(plan.workload),
        },
    }


def planned(plan: Plan) -> dict[str, Any]:
    """What run.json says of a plan; its limits whole, so that one that changes is named."""
    source = repr(plan.source) if plan.source else "scenarios"
    return {**to_json(plan), "limits": dataclasses.asdict(plan.limits), "source": source}


def check(earlier: Run, now: Mapping[str, Any]) -> None:
    """Refuse to go on with a comparison of something else.

    Raises:
        UsageError: Code, packages, settings or machine are not as they were; it names them.
    """
    then = earlier.facts
    found = list(dict.fromkeys(_differences(_parts(then), _parts(plain(now)))))
    if found:
        more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
        changed = "; ".join(found[:MOST]) + more
        raise UsageError(
            f"{earlier.folder} cannot go on, for this has changed: {changed}. Undo it, or start a "
            "new one"
        )


def _parts(found: Mapping[str, Any]) -> dict[str, Any]:
    own = found.get("guard")
    return {**(own if isinstance(own, Mapping) else {}), "environment": found.get("environment")}


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for part, title in TITLES.items():
        one, other = dict(_flat(then.get(part))), dict(_flat(now.get(part)))
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                yield f"{title}{key}: {change(one.get(key), other.get(key))}"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What a nest of mappings holds; what only groups others is not named."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, each in value.items():
        grouped = name and name not in ("packages", "changes", "variables")
        yield from _flat(each, f"{name}.{key}" if grouped else str(key))
