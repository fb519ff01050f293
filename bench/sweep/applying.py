"""Which scenarios apply to a workload, why the others do not, and what each is compared with."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.results import needs
from bench.results.errors import UsageError
from bench.results.values import Scenario

LOOSER = ("float32", "float16", "bfloat16", "int8")
"""Precisions by how far apart outputs may be."""


OF_MODEL = ("model:", "architecture:", "trainable")


@dataclass(frozen=True)
class Facts:
    """What the describing launch found of a workload."""

    provides: frozenset[str] | None = None
    """Needs that it meets; None: nothing is known, so that each launch finds out itself."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Need → what is missing, and the way out."""
    plain: str = ""
    """Id of the path that runs the model as it is."""
    trained: bool = False
    """It came with its weights."""
    learns: bool = False
    """Its baseline is trained by `prepare`."""
    keras: int = 3
    """2: every launch needs tf_keras, whose model it is."""
    line: str = ""
    """The task in one sentence."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Facts:
        """The facts in a describing launch's answer."""
        provides = answer.get("provides")
        return cls(
            None if provides is None else frozenset(provides),
            dict(answer.get("lacks") or {}),
            str(answer.get("plain") or ""),
            bool(answer.get("trained")),
            bool(answer.get("learns")),
            int(answer.get("keras") or 3),
            str(answer.get("line") or ""),
            tuple(map(str, answer.get("notes") or ())),
            tuple(map(str, answer.get("warnings") or ())),
        )

    def missing(self, scenario: Scenario) -> str:
        """What the workload lacks of a scenario's needs, and the way out; "" where it applies."""
        if self.provides is None:
            return ""
        # First what no data could make up for: else its way out would lead to the next refusal.
        for need in sorted(scenario.needs, key=lambda need: not need.startswith(OF_MODEL)):
            ways = needs.alternatives(need)
            if ways[0] in needs.OF_WORKLOAD and not any(self._has(way) for way in ways):
                return self._sentence(ways)
        return ""

    def _has(self, need: str) -> bool:
        assert self.provides is not None
        if need == "keras:3":
            return self.keras == 3
        if need == "model:trained":
            return self.trained or "trainable" in self.provides
        return need in self.provides

    def _sentence(self, ways: Sequence[str]) -> str:
        said = next((self.lacks[way] for way in ways if way in self.lacks), "")
        if said:
            return said
        if ways[0] == "keras:3":
            return "the model is one of Keras 2 (tf_keras): build it with Keras 3 for this scenario"
        wanted = " or ".join(needs.OF_WORKLOAD[way] for way in ways)
        if ways[0].startswith("task:"):
            return f"is for {wanted}; the workload's task is another one: see --task"
        return f"needs {wanted}; the workload has none"


@dataclass(frozen=True)
class Applied:
    """What is measured and what is not."""

    scenarios: tuple[Scenario, ...]
    """All of them, compared with what is there."""
    refused: Mapping[str, str]
    """Id → why it does not apply."""

    def told(self, facts: Facts) -> list[str]:
        """What a user reads before measuring starts."""
        warnings = [f"warning: {each}" for each in facts.warnings]
        lines = [*filter(None, [facts.line]), *facts.notes, *warnings]
        if self.refused:
            count = f"{len(self.refused)} of {len(self.scenarios)} scenarios do not apply"
            lines.append(f"{count}; the report says why each")
        return lines


def looks_at_trained(scenarios: Sequence[Scenario]) -> bool:
    """Whether one of them looks at the trained model: what is deployed, or learned from."""
    return any(s.kind in ("infer", "serve") or "model:trained" in s.needs for s in scenarios)


def decide(chosen: Sequence[Scenario], known: Mapping[str, Scenario], facts: Facts) -> Applied:
    """Which of the chosen scenarios apply.

    Args:
        chosen: The selected ones, baselines included.
        known: All that there are: one whose baseline does not apply is compared with the
            workload's plain path, which joins the chosen ones.
        facts: What the describing launch found.
    """
    refused = {s.id: reason for s in chosen if (reason := facts.missing(s))}
    found = {s.id: s for s in chosen}
    good = {s.id for s in chosen if s.id not in refused}
    for each in chosen:
        if each.id in refused or not each.baseline or each.baseline in good:
            continue
        base = _another(each, known, facts)
        if base and base not in found:
            found[base] = dataclasses.replace(known[base], baseline=None, follows=None)
            good.add(base)
        found[each.id] = compared(each, base, known)
    kept = [found.pop(id) for id in known if id in found]
    scenarios = [dataclasses.replace(s, keras=2) if facts.keras == 2 else s
                 for s in (*kept, *found.values())]  # fmt: skip
    return Applied(tuple(scenarios), refused)


def against(known: Mapping[str, Scenario], baseline: str) -> dict[str, Scenario]:
    """The scenarios, with this baseline for every inference scenario.

    Raises:
        UsageError: There is no such inference scenario.
    """
    infer = [id for id, each in known.items() if each.kind == "infer"]
    if baseline not in infer:
        near = difflib.get_close_matches(baseline, infer, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`tfbench list 'infer/*'` shows them"
        raise UsageError(f"no inference scenario {baseline!r} to compare with: {hint}")
    return {
        id: compared(each, _variant(each, baseline, known), known) if id in infer else each
        for id, each in known.items()
    }


def need_baseline(baseline: str, known: Mapping[str, Scenario], facts: Facts) -> None:
    """Refuse a baseline that was asked for where the workload has none: no other answers for it.

    Raises:
        UsageError: What it lacks, and the way out.
    """
    missing = facts.missing(known[baseline]) if baseline else ""
    if missing:
        raise UsageError(f"--baseline {baseline} does not apply here: {missing}")


def compared(scenario: Scenario, base: str | None, known: Mapping[str, Scenario]) -> Scenario:
    """The scenario with another baseline, whose outputs it must follow where both compute alike."""
    if not base or base == scenario.id:
        return dataclasses.replace(scenario, baseline=None, follows=None)
    own, other = _computes(scenario.id, known), _computes(base, known)
    alike = own[0] == other[0]
    precision = max((*own[1], *other[1]), key=LOOSER.index, default="float32")
    follows: Any = precision if alike else None
    return dataclasses.replace(scenario, baseline=base, follows=follows)


def _computes(id: str, known: Mapping[str, Scenario]) -> tuple[str, list[str]]:
    """The path whose answers it follows in the end, and the precisions on the way."""
    precisions: list[str] = []
    while (each := known.get(id)) and each.baseline and each.follows:
        precisions.append(each.follows)
        id = each.baseline
    return id, precisions


def _another(scenario: Scenario, known: Mapping[str, Scenario], facts: Facts) -> str | None:
    """What a scenario is compared with whose baseline does not apply; None: with nothing."""
    ways = _chain(scenario, known)
    if scenario.kind == "infer":
        variant = _variant(scenario, facts.plain, known)
        ways = [variant, facts.plain] if variant else []
    return next((way for way in ways if way in known and not facts.missing(known[way])), None)


def _chain(scenario: Scenario, known: Mapping[str, Scenario]) -> list[str]:
    """Its baseline, that one's baseline, and so on."""
    found: list[str] = []
    current: Scenario | None = scenario
    while current and current.baseline and current.baseline not in found:
        found.append(current.baseline)
        current = known.get(current.baseline)
    return found


def _variant(scenario: Scenario, base: str, known: Mapping[str, Scenario]) -> str | None:
    """The base's variant of the scenario's name where there is one; None: it is the base."""
    plain = f"{scenario.kind}/{scenario.function.strip('_').replace('_', '-')}"
    variant = base + scenario.id.removeprefix(plain) if scenario.id.startswith(plain) else base
    found = variant if variant in known else base
    return None if found == scenario.id else found
