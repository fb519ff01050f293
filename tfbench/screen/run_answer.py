"""What `--json` says of a run: the same facts as its verdict."""

from __future__ import annotations

from typing import Any

from reports.facts.advice import advice
from reports.facts.claims import EFFECT_TABLE, Claim, judge
from reports.facts.measured import Facts
from reports.facts.own_claims import own_claims


def of_run(facts: Facts) -> dict[str, Any]:
    """What is said of a run: its rows, the verdict, and how its controls came out."""
    where = facts.configurations
    return {
        "run": str(facts.run.folder),
        "configurations": where,
        "effects": facts.run.effects.rows,
        "claims": [
            {
                "technique": judged.claim.technique, "scenario": judged.claim.scenario,
                "configuration": judged.configuration, "claimed": judged.claim.words(),
                "held": judged.held, "why": judged.why,
            }
            for c in where
            for judged in (judge(facts, claim, c) for claim in _claims(facts, c))
        ],
        "advice": [each for c in where for each in advice(facts, c)],
        "controls": facts.controls,
        "warnings": facts.run.facts.get("warnings") or [],
    }  # fmt: skip


def _claims(facts: Facts, configuration: str) -> tuple[Claim, ...]:
    """The reference guide's, where inference was measured, and the user's own."""
    guide = EFFECT_TABLE if facts.of("infer", configuration) else ()
    return (*guide, *own_claims(facts))
