"""What differs between the environments of runs, and what that does to a comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bench.results.store import Run
from reports.facts.figures import flat

WORK = ("data", "model", "batch", "seed", "epochs", "classes", "examples", "input_shape")
"""Facts of the workload: where one differs, the runs did other work."""
MACHINE = ("host", "cpu", "cpu_flags", "cores", "memory_bytes", "gpus")
SOFTWARE = ("python", "packages", "system", "kernel")
STATE = ("governor", "variables")
Kind = Literal["work", "machine", "software", "state", "settings"]
MEANING: Mapping[str, str] = {
    "work": "unfair: the runs did other work",
    "machine": "another machine",
    "software": "other software",
    "state": "another state of the machine",
    "settings": "measured with other effort: intervals differ, figures do not",
}


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same in all runs."""

    kind: Kind
    name: str
    values: tuple[str, ...]
    """As text, one a run; empty where the run does not say."""


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Facts that differ, those that make a comparison unfair first."""
    found: list[Difference] = []
    parts = (
        ("work", "workload", WORK),
        ("machine", "environment", MACHINE),
        ("software", "environment", SOFTWARE),
        ("state", "environment", STATE),
        ("settings", "settings", None),
    )
    for kind, place, names in parts:
        texts = [_facts(run, place, names) for run in runs]
        for name in dict.fromkeys(name for text in texts for name in text):
            values = tuple(text.get(name, "") for text in texts)
            if len(set(values)) > 1:
                found.append(Difference(kind, name, values))  # type: ignore[arg-type]
    return found


def unfair(found: Sequence[Difference]) -> list[str]:
    """Why figures of these runs may not be compared, or not be put down to one cause."""
    said = []
    work = [d.name for d in found if d.kind == "work"]
    if work:
        said.append(f"The runs did other work ({', '.join(work)} differ): no figure compares.")
    kinds = {d.kind for d in found}
    if {"machine", "software"} <= kinds and not work:
        software = ", ".join(d.name for d in found if d.kind == "software")
        said.append(
            f"Machine and software ({software}) both differ: "
            "a difference of figures cannot be put down to either alone."
        )
    if "state" in kinds:
        state = ", ".join(d.name for d in found if d.kind == "state")
        said.append(f"The machines' state differs ({state}): set it equal and measure again.")
    return said


def equality(run_facts: Mapping[str, Any]) -> str:
    """A key that two runs share only where their figures may be put in one line."""
    workload = run_facts.get("workload") or {}
    environment = run_facts.get("environment") or {}
    key = {
        "work": {name: workload.get(name) for name in WORK},
        "place": {name: environment.get(name) for name in (*MACHINE, *SOFTWARE, *STATE)},
    }
    return json.dumps(key, sort_keys=True, default=str)


def _facts(run: Run, place: str, names: Sequence[str] | None) -> dict[str, str]:
    facts = run.facts.get(place) or {}
    chosen = {k: v for k, v in facts.items() if names is None or k in names}
    return dict(flat(chosen))
